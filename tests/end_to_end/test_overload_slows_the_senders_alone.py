"""Three times what the broker can take: it takes as much as ever, answers in time, and loses nothing that is not counted.

The bounds are for a build without sanitizers; where there is one beside the given build, it is used. They hold on a machine
that is busy with other things too: throughput is what an event costs the broker in processor time, and an answer is measured
beside a bare echo and a bare write to the disk, asked in the same moments.
"""
import multiprocessing
import os
import sys
import time
import unittest

import msgpack
import zmq
import harness
from harness import Broker, main, wait_for

RELEASE = os.path.abspath(os.path.join(harness.BIN, "../../release/bin"))
ROUNDS = 4  # without and with overload in turn, so that what else the machine does meets both; the best of each counts
SECONDS = float(os.environ.get("TOCSIN_OVERLOAD_SECONDS", 12)) / (2 * ROUNDS)  # of a phase
BATCH = 100
PUSHERS = 3  # each of them alone can fill the broker
LATENCY = 0.050  # beyond twice what echo and disk take
KEPT = 0.90  # of the throughput without overload
MEMORY = 512 << 20


def push(address, stop, sent):
    """Send as fast as the broker lets us; tell how many frames went. Real senders have processors of their own: these give way."""
    os.nice(15)
    context = zmq.Context()
    socket = context.socket(zmq.PUSH)
    socket.linger = 60000
    socket.connect(address)
    frames = [msgpack.packb([{"name": "m%d" % (i % 10), "kind": "gauge", "value": i, "labels": {"n": str((7 * i + k) % 200)}}
                             for i in range(BATCH)]) for k in range(20)]
    count = 0
    while not stop.is_set():
        for frame in frames:
            try:
                socket.send(frame, zmq.DONTWAIT)
                count += 1
            except zmq.Again:
                socket.poll(50, zmq.POLLOUT)
    socket.close()
    context.term()  # waits until all of it has gone
    sent.value = count


def echo(address):
    context = zmq.Context()
    socket = context.socket(zmq.REP)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    address.value = port
    while True:
        socket.send(socket.recv())


class Overload(unittest.TestCase):
    def setUp(self):
        self.built = harness.BIN
        if os.path.exists(os.path.join(RELEASE, "tocsind")):
            harness.BIN = RELEASE
        self.broker = Broker("limits: {memory: %d}\n" % MEMORY)
        self.addCleanup(self.broker.close)
        port = multiprocessing.Value("i")
        self.echo = multiprocessing.Process(target=echo, args=(port,), daemon=True)
        self.echo.start()
        wait_for(lambda: port.value, "the echo")
        self.yardstick = self.broker.context.socket(zmq.REQ)
        self.yardstick.connect("tcp://127.0.0.1:%d" % port.value)

    def tearDown(self):
        harness.BIN = self.built
        self.echo.terminate()
        self.echo.join()

    def write_to_disk(self):
        with open(os.path.join(self.broker.folder, "yardstick"), "ab") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())

    def processor_time(self):
        with open("/proc/%d/stat" % self.broker.process.pid) as file:
            user, system = file.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def measured(self, call, times):
        asked = time.monotonic()
        call()
        times.append(time.monotonic() - asked)

    def ask_echo(self):
        self.yardstick.send(b"x")
        self.yardstick.recv()

    def start_pushers(self, count):
        stop = multiprocessing.Event()
        counts = [multiprocessing.Value("Q") for _ in range(count)]
        pushers = [multiprocessing.Process(target=push, args=(self.broker.addresses["metrics"], stop, value)) for value in counts]
        for pusher in pushers:
            pusher.start()
        return stop, counts, pushers

    def phase(self, count, every=0.01):
        """Accepted events a second, processor seconds an event, and how long each answer took."""
        stop, counts, pushers = self.start_pushers(count)
        wait_for(lambda: self.broker.ingest("metrics")["accepted"] > self.accepted, "the load to arrive")
        times = {"echo": [], "disk": [], "system.ping": [], "incident.open": []}
        first, spent, began = self.broker.ingest("metrics")["accepted"], self.processor_time(), time.monotonic()
        while time.monotonic() - began < SECONDS:
            self.measured(self.ask_echo, times["echo"])
            self.measured(self.write_to_disk, times["disk"])
            self.measured(lambda: self.broker.get("system.ping"), times["system.ping"])
            self.measured(lambda: self.broker.get("incident.open", title="t", severity="low", key="k"), times["incident.open"])
            time.sleep(every)
        events = self.broker.ingest("metrics")["accepted"] - first
        self.memory = max(self.memory, self.broker.get("system.status")["memory"]["resident"])
        rate, cost = events / (time.monotonic() - began), (self.processor_time() - spent) / events
        stop.set()
        for pusher in pushers:
            pusher.join(60)
            self.assertEqual(pusher.exitcode, 0)
        self.accepted += BATCH * sum(value.value for value in counts)
        return rate, cost, {what: sorted(each)[int(len(each) * 0.99)] for what, each in times.items()}

    def test_overload(self):
        self.accepted = self.memory = 0
        peak, least, rate, cost, p99 = 0, 1, 0, 1, {}
        for _ in range(ROUNDS):
            alone, overload = self.phase(1), self.phase(PUSHERS)
            peak, rate = max(peak, alone[0]), max(rate, overload[0])
            least, cost = min(least, alone[1]), min(cost, overload[1])
            p99 = overload[2] if not p99 or overload[2]["incident.open"] < p99["incident.open"] else p99
        tally = wait_for(lambda: (lambda t: t if t["accepted"] >= self.accepted else None)(self.broker.ingest("metrics")),
                         "everything that was sent", 60)
        print("%.0f events/s at %.0f ns alone, %.0f at %.0f ns with %d senders, p99 %s, %d MiB" %
              (peak, least * 1e9, rate, cost * 1e9, PUSHERS, {what: "%.1f ms" % (1000 * s) for what, s in p99.items()},
               self.memory >> 20), file=sys.stderr)
        self.assertEqual((tally["accepted"], tally["refused"]), (self.accepted, {}))
        self.assertEqual(self.broker.get("system.status")["shed"]["metrics"], 0)
        self.assertLess(self.memory, MEMORY)
        if harness.BIN == RELEASE:
            self.assertLessEqual(cost, least / KEPT)
            self.assertLessEqual(p99["system.ping"], LATENCY + 2 * p99["echo"])
            self.assertLessEqual(p99["incident.open"], LATENCY + 2 * (p99["echo"] + p99["disk"]))


if __name__ == "__main__":
    main()
