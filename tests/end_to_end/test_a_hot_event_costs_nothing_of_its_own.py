"""No allocation, lock or system call for each event: counted over a million events in the released daemon, after warm-up."""
import os
import re
import signal
import struct
import subprocess
import tempfile
import unittest

import msgpack
import zmq

import harness
from harness import Broker, main, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASE = os.path.join(HERE, "..", "..", "build", "release", "bin")
BATCH, FRAMES = 100, 10000
EVENTS = BATCH * FRAMES
PER_EVENT = 0.1  # what a frame, a block and the seconds that pass may cost, spread over their events: one for each ten events


def frame(n):
    return msgpack.packb([{"name": "depth", "kind": "gauge", "value": n + i / 7, "labels": {"queue": "q%d" % i, "host": "h%d" % (n % 10)}}
                          for i in range(BATCH)])


class AHotEvent(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tocsin-test-")
        self.addCleanup(self.folder.cleanup)
        harness.BIN = os.path.abspath(RELEASE)
        self.frames = [frame(n) for n in range(1000)]

    def broker(self, **how):
        broker = Broker("policies: [{name: p, condition: depth > 1e9, severity: low, channels: []}]\n", **how)
        self.addCleanup(broker.close)
        self.push(broker, 1)
        return broker

    def push(self, broker, times):
        socket = broker.socket(zmq.PUSH, "metrics")
        before = broker.ingest("metrics")["frames"]
        for _ in range(times):
            for each in self.frames:
                socket.send(each)
        socket.close()
        taken = broker.wait_ingest("metrics", before + times * len(self.frames))
        self.assertEqual(taken["refused"], {})

    def test_it_allocates_and_locks_nothing(self):
        library, counts = os.path.join(self.folder.name, "count_calls.so"), os.path.join(self.folder.name, "calls")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, os.path.join(HERE, "count_calls.c"), "-ldl"], check=True)
        broker = self.broker(environment={"LD_PRELOAD": library, "COUNT_CALLS": counts})

        def read():
            with open(counts, "rb") as file:
                return struct.unpack("QQQ", file.read(24))
        self.assertGreater(read()[0], 0, "the counter does not count")
        before = read()
        self.push(broker, FRAMES // len(self.frames))
        for what, was, now in zip(("allocations", "locks"), before, read()):
            self.assertLess((now - was) / EVENTS, PER_EVENT, what)

    def test_it_makes_no_system_call(self):
        trace = os.path.join(self.folder.name, "trace")
        broker = self.broker()
        tracer = subprocess.Popen(["strace", "-f", "-c", "-o", trace, "-p", str(broker.process.pid)], stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (tracer.kill(), tracer.wait(), tracer.stderr.close()))
        self.assertIn("attached", tracer.stderr.readline())
        self.push(broker, FRAMES // len(self.frames))
        tracer.send_signal(signal.SIGINT)
        tracer.wait(harness.PATIENCE)
        with open(trace) as file:
            total = re.search(r"^100\.00 +\S+ +\S* +(\d+) .*total$", file.read(), re.M)
        self.assertGreater(int(total.group(1)), 0)
        self.assertLess(int(total.group(1)) / EVENTS, PER_EVENT, "system calls")


if __name__ == "__main__":
    main()
