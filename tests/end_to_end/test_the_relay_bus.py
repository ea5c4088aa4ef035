#!/usr/bin/env python3
"""The RELAY bus, with Debian's redis-server: publications out, events in, and a Redis that is gone, slow, killed or replaced."""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import msgpack

import harness
from command_line import tocsin
from redis_server import RedisServer

OUT = "relay: {url: '%s'%s}\npolicies: [{name: p, condition: 'never_seen > 1', severity: critical, channels: []}]\n"


class RelayTest(harness.BrokerTest):
    def setUp(self):
        self.redis = RedisServer()
        self.addCleanup(self.redis.close)

    def begin(self, more=""):
        self.broker = harness.Broker(OUT % (self.redis.url, more))
        self.addCleanup(self.broker.close)

    def status(self):
        return self.broker.get("relay.status")

    def wait_entries(self, stream, count, patience=harness.PATIENCE):
        return harness.wait_for(lambda: (lambda e: e if len(e) >= count else None)(self.redis.entries(stream)),
                                "%d entries in %s" % (count, stream), patience)

    def wait_sent(self, family="incident"):
        head = self.broker.get("events.heads")[family]
        harness.wait_for(lambda: self.status()["out"]["families"][family] >= head, "all to be sent", 40)
        return head

    def open_incidents(self, count, begin=0):
        for i in range(begin, begin + count):
            self.broker.push("incidents", {"title": "i%d" % i, "severity": "low", "key": "k%d" % i})
        harness.wait_for(lambda: self.broker.get("ops.metrics")["incidents_created"] >= begin + count, "the incidents")


class Out(RelayTest):
    def test_a_publication_is_an_event_of_cloudevents(self):
        self.begin(", out: {ttl: 60s}")
        alert = self.broker.get("alert.fire", policy="p", labels={"host": "a"})["alert"]
        (_, fields), = self.wait_entries("tocsin:alert", 1)
        published = self.broker.get("events.since", family="alert", seq=0)["items"][0]
        self.assertEqual(fields["specversion"], b"1.0")
        self.assertEqual(fields["id"], b"alert-1")
        self.assertEqual(fields["type"], b"alert.firing")
        self.assertEqual(fields["subject"], b"p")
        self.assertEqual(fields["source"].decode(), published["source"])
        self.assertRegex(fields["time"], rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(fields["datacontenttype"], b"application/json")
        self.assertEqual(fields["sequence"], b"1")
        self.assertEqual(fields["correlationid"].decode(), published["correlation"])
        self.assertEqual(fields["ttl"], b"60")
        self.assertEqual(json.loads(fields["data"]), published["data"])
        self.assertEqual(published["data"]["alert"], alert["alert"])

    def test_the_body_may_be_messagepack_and_the_names_others(self):
        self.begin(", out: {format: msgpack, prefix: 'ours/', families: [incident]}")
        self.broker.get("alert.fire", policy="p")
        self.open_incidents(1)
        (_, fields), = self.wait_entries("ours/incident", 1)
        self.assertEqual(fields["datacontenttype"], b"application/msgpack")
        self.assertEqual(msgpack.unpackb(fields["data"]), self.broker.get("events.since", family="incident", seq=0)["items"][0]["data"])
        self.assertEqual(self.redis.entries("ours/alert"), [])
        self.assertEqual(list(self.status()["out"]["families"]), ["incident"])

    def test_what_is_not_asked_for_stays(self):
        self.begin(", out: {severities: [critical], subjects: ['INC-?', p]}")
        self.broker.get("incident.open", title="meh", severity="low")
        self.broker.get("incident.open", title="bad", severity="critical")
        self.wait_sent()
        self.assertEqual([f["id"] for _, f in self.redis.entries("tocsin:incident")], [b"incident-2"])
        self.assertEqual(self.status()["out"]["filtered"], 1)

    def test_a_stream_keeps_about_so_many(self):
        self.begin(", out: {maxlen: 100}")
        self.open_incidents(1000)
        self.wait_sent()
        self.assertLess(len(self.redis.entries("tocsin:incident")), 300)

    def test_tail_and_status_tell_what_is_on_the_bus(self):
        self.begin()
        self.broker.get("incident.open", title="a", severity="low")
        self.wait_sent()
        items = self.broker.get("relay.tail", family="incident", limit=5)["items"]
        self.assertEqual([(i["stream"], i["fields"]["id"]) for i in items], [("tocsin:incident", "incident-1")])
        status = self.status()
        self.assertTrue(status["configured"] and status["out"]["connected"])


    def test_the_command_line_shows_it(self):
        self.begin(", in: [{stream: telemetry, kind: metrics, claim_idle: 50ms, max_deliveries: 1}]")
        self.broker.get("incident.open", title="a", severity="low")
        self.redis.client.xadd("telemetry", {"data": "no json"})
        self.wait_sent()
        self.wait_entries("telemetry:dead", 1)
        at = ["--endpoint", "control=" + self.broker.addresses["control"]]
        status = json.loads(tocsin("relay", "status", "-o", "json", *at).stdout)
        self.assertEqual((status["out"]["connected"], status["in"][0]["dead"]), (True, 1))
        self.assertIn("INC-1", tocsin("relay", "tail", *at).stdout)
        self.assertIn("no json", tocsin("relay", "dead", *at).stdout)


class Trouble(RelayTest):
    def test_without_redis_the_broker_works_alone_and_catches_up(self):
        self.redis.stop()
        self.begin()
        self.open_incidents(200)
        self.assertFalse(self.status()["out"]["connected"])
        self.assertTrue(self.status()["out"]["error"])
        self.redis.start()
        self.wait_entries("tocsin:incident", 200, 30)
        self.assertEqual([int(f["sequence"]) for _, f in self.redis.entries("tocsin:incident")], list(range(1, 201)))

    def test_what_a_killed_redis_forgot_is_sent_again(self):
        self.begin()
        self.open_incidents(100)
        self.wait_sent()
        self.redis.stop(signal.SIGKILL)
        self.open_incidents(100, 100)
        self.redis.start()  # empty
        self.wait_entries("tocsin:incident", 200, 30)
        self.assertEqual([int(f["sequence"]) for _, f in self.redis.entries("tocsin:incident")], list(range(1, 201)))
        self.assertEqual(self.status()["out"]["sent_again"], 1)

    def test_a_restart_of_the_broker_sends_nothing_twice(self):
        self.begin()
        self.open_incidents(50)
        self.wait_sent()
        self.broker.get("incident.list")
        self.broker.stop()
        self.broker.start()
        self.open_incidents(1, 50)
        self.wait_sent()
        self.assertEqual([int(f["sequence"]) for _, f in self.redis.entries("tocsin:incident")], list(range(1, 52)))

    def test_a_redis_that_stands_still_stops_nothing_else(self):
        self.begin()
        self.open_incidents(10)
        self.wait_sent()
        self.redis.process.send_signal(signal.SIGSTOP)
        self.addCleanup(lambda: self.redis.process and self.redis.process.send_signal(signal.SIGCONT))
        begin = time.monotonic()
        self.open_incidents(100, 10)
        self.assertLess(time.monotonic() - begin, 5)
        self.redis.process.send_signal(signal.SIGCONT)
        self.wait_sent()
        ids = [f["id"] for _, f in self.redis.entries("tocsin:incident")]
        self.assertEqual(len(set(ids)), 110)  # some twice, none missing

    def test_a_full_redis_loses_nothing(self):
        self.begin()
        self.redis.client.config_set("maxmemory", 1)
        self.open_incidents(20)
        harness.wait_for(lambda: "OOM" in self.status()["out"]["error"], "the refusal")
        self.redis.client.config_set("maxmemory", 0)
        self.wait_sent()
        self.assertEqual(len({f["id"] for _, f in self.redis.entries("tocsin:incident")}), 20)

    def test_replicas_that_are_demanded_must_have_it(self):
        self.begin(", out: {replicas: 1}")
        self.open_incidents(5)
        harness.wait_for(lambda: "0 of 1 replicas" in self.status()["out"]["error"], "the shortage")
        self.assertEqual(self.status()["out"]["families"]["incident"], 0)
        replica = RedisServer(None, "--replicaof", "127.0.0.1 %d" % self.redis.port)
        self.addCleanup(replica.close)
        self.wait_sent()
        self.assertEqual(len({f["id"] for _, f in replica.entries("tocsin:incident")}), 5)

    def test_a_replica_is_not_written_to(self):
        replica = RedisServer(None, "--replicaof", "127.0.0.1 %d" % self.redis.port)
        self.addCleanup(replica.close)
        self.redis, primary = replica, self.redis
        self.begin()
        self.open_incidents(3)
        harness.wait_for(lambda: "replica" in self.status()["out"]["error"], "the refusal")
        replica.client.replicaof("NO", "ONE")
        self.redis = replica
        self.wait_sent()
        self.assertEqual(primary.entries("tocsin:incident"), [])

    def test_the_password_is_read_from_its_file(self):
        path = os.path.join(self.redis.folder.name, "password")
        with open(path, "w") as file:
            file.write("s3cret-word\n")
        self.redis.client.config_set("requirepass", "s3cret-word")
        self.begin(", password_file: '%s'" % path)
        self.open_incidents(1)
        harness.wait_for(lambda: self.status()["out"]["sent"] == 1, "the entry")
        self.assertNotIn("s3cret-word", repr(self.status()) + self.broker.read_log())
        self.redis.client.auth("s3cret-word")


class Stranger:
    """Takes any command for one and answers what it was told to (FAULTS R9, R10)."""

    def __init__(self, answer):
        self.answer, self.asked = answer, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "redis://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(5)
                try:
                    while peer.recv(65536):
                        self.asked += 1
                        peer.sendall(self.answer)
                except OSError:
                    pass

    def close(self):
        self.listener.close()


class Strangers(harness.unittest.TestCase):
    ANSWERS = (b"-NOAUTH Authentication required.\r\n", b"-LOADING Redis is loading\r\n", b"-MOVED 1 10.0.0.1:6379\r\n",
               b"-CLUSTERDOWN down\r\n", b"-NOPERM no\r\n", b"*2147483647\r\n", b"$2147483647\r\nx", b"$-2\r\n", b":\r\n", b"*1\r\n" * 100,
               b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256)), b"+OK\r\n", b"$9\r\nrole:wolf\r\n\r\n", b"")

    def test_whatever_it_says_the_broker_goes_on(self):
        for answer in self.ANSWERS:
            with self.subTest(answer=answer[:20]):
                stranger = Stranger(answer)
                broker = harness.Broker(OUT % (stranger.url, ", in: [{stream: telemetry, kind: metrics}]"))
                try:
                    harness.wait_for(lambda: stranger.asked > 0, "the broker to ask")
                    status = harness.wait_for(lambda: (lambda s: s if s["out"]["error"] and s["in"][0]["error"] else None)(
                        broker.get("relay.status")), "it to be given up")
                    self.assertFalse(status["out"]["connected"])
                    broker.get("incident.open", title="still here", severity="low")
                    with open("/proc/%d/statm" % broker.process.pid) as file:
                        self.assertLess(int(file.read().split()[1]) * 4096, 1 << 30)
                finally:
                    broker.close()
                    stranger.close()


class Settings(RelayTest):
    def test_a_bus_can_be_tied_to_and_let_go_while_the_broker_runs(self):
        self.broker = harness.Broker("limits: {series: 1000}\n")
        self.addCleanup(self.broker.close)
        self.open_incidents(3)
        self.assertFalse(self.status()["configured"])
        self.broker.write_config(OUT % (self.redis.url, ", in: [{stream: telemetry, kind: metrics}]"))
        self.broker.get("system.reload")
        self.wait_entries("tocsin:incident", 3)
        harness.wait_for(lambda: self.status()["in"][0]["connected"], "the stream")
        self.broker.write_config("limits: {series: 1000}\n")
        self.broker.get("system.reload")
        harness.wait_for(lambda: not self.status()["configured"], "the end of it")
        self.open_incidents(3, 3)
        self.assertEqual(len(self.redis.entries("tocsin:incident")), 3)

    def test_a_bus_that_cannot_work_is_refused_with_its_place(self):
        wrong = {"{url: 'http://x'}": "relay.url", "{url: 'redis://10.0.0.1'}": "relay.url",
                 "{url: 'redis://127.0.0.1', out: {families: [heartbeat]}}": "relay.out", "{in: [{stream: s, kind: metrics}]}": "relay.url"}
        path = os.path.join(self.redis.folder.name, "wrong.yaml")
        for text, key in wrong.items():
            with open(path, "w") as file:
                file.write("relay: %s\n" % text)
            done = subprocess.run([os.path.join(harness.BIN, "tocsind"), "--check-config", "--config", path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 78, text)
            self.assertRegex(done.stderr, r"^%s:1:\d+: %s: " % (path, key))


class In(RelayTest):
    def begin_in(self, text):
        self.begin(", in: [%s]" % text)

    def stream(self, name="telemetry"):
        return [s for s in self.status()["in"] if s["stream"] == name][0]

    def wait_acknowledged(self, count):
        harness.wait_for(lambda: self.stream()["acknowledged"] >= count, "%d acknowledged" % count)
        self.assertEqual(self.redis.client.xpending("telemetry", "tocsin")["pending"], 0)

    def test_fields_of_others_become_requests(self):
        self.redis.client.xadd("telemetry", {"op": "GET /", "secs": "0.25", "err": "1", "labels.zone": "eu", "node": "n1"})
        self.begin_in("{stream: telemetry, kind: requests, format: fields,"
                      " map: {operation: op, duration: secs, error: err, labels.host: node}}")
        self.redis.client.xadd("telemetry", {"op": "GET /", "secs": "250ms"})
        self.wait_acknowledged(2)
        profile = self.broker.get("profile.get", operation="GET /")
        self.assertEqual((profile["count"], profile["errors"], profile["mean"]), (2, 1, 0.25))
        self.assertEqual(self.broker.ingest("requests")["accepted"], 2)

    def test_json_and_messagepack_become_metrics(self):
        self.begin(", in: [{stream: telemetry, kind: metrics}, {stream: packed, kind: metrics, format: msgpack}]")
        batch = [{"name": "cpu", "kind": "gauge", "value": v} for v in (1, 2.5)]
        self.redis.client.xadd("telemetry", {"data": json.dumps(batch)})
        self.redis.client.xadd("packed", {"data": msgpack.packb({"name": "hits", "kind": "counter", "value": 3})})
        harness.wait_for(lambda: all(s["acknowledged"] == 1 for s in self.status()["in"]), "both")
        self.assertEqual(self.broker.get("metrics.get", name="cpu")["value"], 2.5)
        self.assertEqual(self.broker.get("metrics.get", name="hits")["value"], 3)

    def test_an_incident_is_opened_once_however_often_it_is_delivered(self):
        self.begin_in("{stream: telemetry, kind: incidents, claim_idle: 100ms}")
        entry = self.redis.client.xadd("telemetry", {"data": json.dumps({"title": "disk", "severity": "high"})})
        self.wait_acknowledged(1)
        self.broker.stop()
        # as if the acknowledgement had been lost: pending again, of a consumer that is gone
        self.redis.client.xgroup_destroy("telemetry", "tocsin")
        self.redis.client.xgroup_create("telemetry", "tocsin", "0")
        self.redis.client.xreadgroup("tocsin", "gone", {"telemetry": ">"})
        self.broker.start()
        harness.wait_for(lambda: self.stream()["acknowledged"] >= 1, "the second delivery")
        self.assertEqual(self.stream()["claimed"], 1)
        self.assertEqual([i["title"] for i in self.broker.get("incident.list")["items"]], ["disk"])
        self.assertEqual(self.broker.get("incident.get", incident="INC-1")["occurrences"], 1)
        self.assertTrue(entry)

    def test_a_poisoned_entry_is_dead_after_its_tries(self):
        self.begin_in("{stream: telemetry, kind: metrics, claim_idle: 50ms, max_deliveries: 3}")
        bad = self.redis.client.xadd("telemetry", {"data": "{no json", "why": "test"})
        odd = self.redis.client.xadd("telemetry", {"data": json.dumps({"name": "cpu", "kind": "nonsense", "value": 1})})
        good = self.redis.client.xadd("telemetry", {"data": json.dumps({"name": "cpu", "kind": "gauge", "value": 1})})
        dead = self.wait_entries("telemetry:dead", 2)
        self.assertEqual({f["dead_id"] for _, f in dead}, {bad, odd})
        self.assertIn(b"test", [f.get("why") for _, f in dead])
        harness.wait_for(lambda: self.redis.client.xpending("telemetry", "tocsin")["pending"] == 0, "nothing pending")
        stream = self.stream()
        self.assertEqual((stream["dead"], stream["acknowledged"], stream["refused"]), (2, 1, 6))
        self.assertTrue(stream["last_refusal"])
        listed = self.broker.get("relay.dead", stream="telemetry")["items"]
        self.assertEqual({i["fields"]["dead_id"].encode() for i in listed}, {bad, odd})
        self.assertTrue(good)

    def test_a_group_that_was_lost_is_made_again(self):
        self.begin_in("{stream: telemetry, kind: metrics}")
        data = {"data": json.dumps({"name": "hits", "kind": "counter", "value": 1})}
        self.redis.client.xadd("telemetry", data)
        self.wait_acknowledged(1)
        self.redis.client.flushall()
        self.redis.client.xadd("telemetry", data)
        harness.wait_for(lambda: self.broker.get("metrics.get", name="hits")["value"] == 2, "the second")


class Responder(RelayTest):
    """clients/examples/relay_responder, as a reader would run it."""
    PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/examples/relay_responder/relay_responder.py")

    def run_responder(self, count):
        return subprocess.run([sys.executable, self.PROGRAM, "--redis", self.redis.url, "--count", str(count)],
                              capture_output=True, text=True, timeout=60, check=True).stdout

    def test_it_reacts_to_alerts_and_reports_over_the_bus(self):
        self.begin(", in: [{stream: telemetry, kind: requests, format: fields,"
                   " map: {operation: op, duration: secs, error: failed}}]")
        for host in ("a", "b"):
            self.broker.get("alert.fire", policy="p", labels={"host": host})
        self.assertEqual(self.run_responder(2), "responding to ALT-1 p critical\nresponding to ALT-2 p critical\n")
        harness.wait_for(lambda: self.broker.ingest("requests")["accepted"] == 2, "both reports")
        profile = self.broker.get("profile.get", operation="respond to p")
        self.assertEqual((profile["count"], profile["errors"]), (2, 0))


if __name__ == "__main__":
    harness.main()
