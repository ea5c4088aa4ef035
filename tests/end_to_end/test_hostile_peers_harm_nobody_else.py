"""Peers that break every rule of the protocol: the others are served, and what was taken is given back."""
import os
import socket
import threading
import time
import unittest

import msgpack
import zmq
import zmtp
from harness import ENDPOINTS, PATIENCE, Broker, main, wait_for

MIB = 1 << 20
GIVEN_BACK = 64 * MIB  # so much above where it began memory may stay

# freed memory is to be seen as freed, also by a build with sanitizers
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:allocator_release_to_os_interval_ms=100"}


class Hostile(unittest.TestCase):
    config = "limits: {memory: 256MiB}\n"
    wrapper = ()

    def setUp(self):
        self.broker = Broker(self.config, environment=ENVIRONMENT, wrapper=self.wrapper)
        self.addCleanup(self.broker.close)

    def status(self):
        return self.broker.get("system.status")

    def serves(self, seconds=2.0):
        """An incident is opened and seen by a subscriber, an event is counted."""
        subscriber = self.broker.subscribe("incident.")
        incident = self.broker.get("incident.open", title="served", severity="low")["incident"]
        subscriber.next("incident.opened", incident=incident)
        before = self.broker.ingest("requests")["accepted"]
        self.broker.push("requests", {"operation": "a", "duration": 1})
        wait_for(lambda: self.broker.ingest("requests")["accepted"] > before, "the event to be counted")
        subscriber.socket.close(0)

    def flood(self, raw, piece, total):
        """Send until the other side hangs up, at most `total` bytes; answers how many were taken."""
        sent = 0
        raw.settimeout(PATIENCE)
        try:
            while sent < total:
                raw.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        return sent


class Memory(Hostile):
    def endless(self, endpoint, kind, piece, total):
        before = self.status()["memory"]["resident"]
        raw = zmtp.peer(self.broker.addresses[endpoint], kind)
        self.addCleanup(raw.close)
        flood = threading.Thread(target=self.flood, args=(raw, piece, total))
        flood.start()
        while flood.is_alive():  # the others are served all the while
            self.assertEqual(self.broker.get("system.ping"), "pong")
            self.broker.get("incident.open", title="while it floods", severity="low", key="flood")
            flood.join(0.05)
        wait_for(lambda: self.status()["rebound"][endpoint] > 0, "the endpoint to be closed")
        wait_for(lambda: self.status()["memory"]["resident"] < before + GIVEN_BACK, "memory to be given back", 20)
        wait_for(lambda: self.status()["memory"]["pressure"] == "none", "memory to be at ease")
        self.assertEqual({e: n for e, n in self.status()["rebound"].items() if n > 0}.keys(), {endpoint})
        self.serves()

    def test_a_message_that_never_ends(self):
        self.endless("metrics", "PUSH", zmtp.frame(b"x" * MIB, zmtp.MORE), 600 * MIB)

    def test_a_message_that_never_ends_on_the_lane_of_the_incidents(self):
        self.endless("incidents", "PUSH", zmtp.frame(b"x" * MIB, zmtp.MORE), 600 * MIB)

    def test_six_million_empty_frames_of_one_message(self):
        self.endless("requests", "PUSH", zmtp.frame(b"", zmtp.MORE) * 50000, 12000000)

    def test_a_question_that_never_ends(self):
        """The endpoint that answers is closed: who asked connects again and asks again."""
        raw = zmtp.peer(self.broker.addresses["control"], "DEALER")
        self.addCleanup(raw.close)
        self.flood(raw, zmtp.frame(b"x" * MIB, zmtp.MORE), 600 * MIB)
        wait_for(lambda: self.status()["rebound"]["control"] > 0, "the endpoint to be closed")
        self.serves()

    def test_bombs_of_a_few_bytes_claim_much_and_get_nothing(self):
        before = self.status()["memory"]["resident"]
        bombs = [b"\xdd\xff\x00\x00\x00", b"\xdf\x7f\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 155,
                 (b"\xdd\x08\x00\x00\x00" * 31)[:155], b"\xc9\xff\xff\xff\xff\x01", b"\x81\xa4name\xdb\xff\xff\xff\xff"]
        for endpoint in ("metrics", "requests", "incidents"):
            pusher = self.broker.socket(zmq.PUSH, endpoint)
            for _ in range(500):
                for bomb in bombs:
                    pusher.send(bomb)
            pusher.close()
            tally = self.broker.wait_ingest(endpoint, 500 * len(bombs))
            self.assertEqual(sum(tally["refused"].values()), 500 * len(bombs))
        for bomb in bombs:
            asker = self.broker.socket(zmq.DEALER, "control")
            asker.send(bomb)
            self.assertTrue(asker.poll(PATIENCE * 1000))
            asker.close(0)
        self.assertLess(self.status()["memory"]["resident"], before + 16 * MIB)
        self.serves()

    def test_a_hundred_thousand_subscriptions_of_one_peer(self):
        greedy = zmtp.peer(self.broker.addresses["events"], "SUB")
        modest = self.broker.subscribe("incident.")
        began = self.status()["subscriptions"]
        for first in range(0, 100000, 1000):
            greedy.sendall(b"".join(zmtp.frame(b"\x01topic-%d" % i) for i in range(first, first + 1000)))
        greedy.sendall(zmtp.frame(b"\x01incident."))
        wait_for(lambda: self.status()["subscriptions_refused"] == 99001, "all wishes to be looked at", 30)
        self.assertEqual(self.status()["subscriptions"], began + 1000)
        self.broker.get("incident.open", title="a", severity="low")
        modest.next("incident.opened")
        greedy.settimeout(0.3)
        self.assertRaises(TimeoutError, greedy.recv, 1)  # its wish came after those that filled its share
        greedy.close()
        wait_for(lambda: self.status()["subscriptions"] == began, "its subscriptions to be forgotten", 30)
        self.serves()


class ShedsWhenShort(Hostile):
    config = "limits: {memory: 64MiB, series: 10000000}\n"

    def test_metric_events_are_shed_when_memory_is_short_and_nothing_else(self):
        pusher = self.broker.socket(zmq.PUSH, "metrics")
        number = 0
        end = time.monotonic() + 60
        while self.status()["shed"]["metrics"] == 0:
            self.assertLess(time.monotonic(), end)
            for _ in range(20):
                pusher.send(msgpack.packb([{"name": "m", "kind": "gauge", "value": 1, "labels": {"n": str(number + i)}} for i in range(500)]))
                number += 500
        status = self.status()
        self.assertEqual((status["shed"]["requests"], status["shed"]["incidents"]), (0, 0))
        self.assertNotEqual(status["memory"]["pressure"], "none")
        pusher.close(0)
        self.serves()


class Connections(Hostile):
    def test_an_oversized_frame_cuts_its_sender_off_and_nobody_else(self):
        good = self.broker.socket(zmq.PUSH, "metrics")
        raw = zmtp.peer(self.broker.addresses["metrics"], "PUSH")
        raw.sendall(b"\x02" + (64 * MIB).to_bytes(8, "big") + b"x" * 1000)
        self.assertTrue(zmtp.is_closed(raw, PATIENCE))
        good.send(msgpack.packb({"name": "m", "kind": "counter", "value": 1}))
        self.assertEqual(self.broker.wait_ingest("metrics", 1)["accepted"], 1)
        self.assertEqual(sum(self.status()["rebound"].values()), 0)
        good.close()

    def test_nine_hundred_handshakes_that_stop_half_way(self):
        began = self.status()["descriptors"]["open"]
        silent = []
        for i in range(900):
            raw = zmtp.connect(self.broker.addresses[ENDPOINTS[i % len(ENDPOINTS)]])
            raw.sendall((b"", zmtp.GREETING[:1], zmtp.GREETING[:11], zmtp.GREETING)[i % 4])
            silent.append(raw)
        self.serves()
        wait_for(lambda: sum(self.status()["connections"].values()) <= 2, "them to be closed", 20)
        self.assertLessEqual(self.status()["descriptors"]["open"], began + 5)
        for raw in silent:
            raw.close()
        self.serves()

    def test_sockets_of_the_wrong_kind_are_not_let_in(self):
        right = {"metrics": {"PUSH"}, "requests": {"PUSH"}, "incidents": {"PUSH"}, "events": {"SUB", "XSUB"},
                 "control": {"REQ", "DEALER", "ROUTER"}}
        for endpoint, kinds in right.items():
            for kind in ("REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR", "NONSENSE"):
                raw = zmtp.connect(self.broker.addresses[endpoint])
                raw.sendall(zmtp.GREETING + zmtp.ready(kind))
                if kind in kinds:
                    zmtp.read_exactly(raw, len(zmtp.GREETING))
                    self.assertTrue(zmtp.read_frame(raw)[1].startswith(b"\x05READY"), (endpoint, kind))
                else:
                    self.assertTrue(zmtp.is_closed(raw, PATIENCE), (endpoint, kind))
                raw.close()
        self.serves()

    def test_other_protocols_are_hung_up_on_and_fill_no_log(self):
        hellos = (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes.fromhex("160301020001000001fc0303") + os.urandom(500),
                  b"\x01\x00", b"\xff" + b"\x00" * 7 + b"\x01\x7f\x01\x08", os.urandom(100), b"SSH-2.0-x\r\n", b"\x00" * 64)
        for turn in range(300):
            for endpoint in ENDPOINTS:
                raw = zmtp.connect(self.broker.addresses[endpoint])
                raw.sendall(hellos[turn % len(hellos)])
                raw.close()
        self.serves()
        self.assertLess(self.broker.read_log().count("\n"), 10)


class FewDescriptors(Hostile):
    wrapper = ("prlimit", "--nofile=128:128")

    def test_when_descriptors_run_out_those_who_are_there_are_served(self):
        subscriber = self.broker.subscribe("incident.")
        pusher = self.broker.socket(zmq.PUSH, "metrics")
        pusher.send(msgpack.packb({"name": "m", "kind": "counter", "value": 1}))
        self.broker.wait_ingest("metrics", 1)
        crowd = []
        for _ in range(200):
            try:
                crowd.append(zmtp.connect(self.broker.addresses["control"], 0.2))
            except OSError:
                break
        wait_for(lambda: "descriptors run out" in self.broker.read_log() if self.status() else None, "the log to say so")
        self.broker.get("incident.open", title="a", severity="low")
        subscriber.next("incident.opened")
        pusher.send(msgpack.packb({"name": "m", "kind": "counter", "value": 1}))
        self.broker.wait_ingest("metrics", 2)
        for raw in crowd:
            raw.close()
        self.serves()
        pusher.close()


if __name__ == "__main__":
    main()
