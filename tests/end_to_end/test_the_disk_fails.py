"""Faults of the disk, injected into the real daemon's system calls, at the n-th call for many n (FAULTS D1-D7, D13, D15, P4): what was
acknowledged is there afterwards, what could not be written was not acknowledged, and nothing is there twice or by half.
TOCSIN_FAULTS=all tries every n, which takes an hour."""
import os
import resource
import shutil
import subprocess
import tempfile
import time
import unittest

import msgpack
import zmq
from harness import Broker, main, wait_for
from story import Follower, Story

ALL = os.environ.get("TOCSIN_FAULTS") == "all"
COMMANDS = 60


def numbers(few, most):
    return range(1, most) if ALL else few


def inject(call, what, when):
    return ["strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=%s:%s:when=%s" % (call, what, when)]


class TheDiskFails(unittest.TestCase):
    def launch(self, wrapper, **arguments):
        """A broker under a fault, or None when that kept it from starting; then it was said by its exit status."""
        # the leak checker cannot run under a tracer
        broker = Broker.__new__(Broker)
        try:
            broker.__init__(wrapper=wrapper, ipc=True, environment={"ASAN_OPTIONS": "detect_leaks=0"}, **arguments)
        except AssertionError as error:
            self.assertTrue("exit=" in str(error) or "signal=KILL" in wrapper[-1], error)
            return None
        self.addCleanup(broker.close)
        return broker

    def recover(self, broker, story):
        """Without the fault, everything must come out as if there had been none."""
        if broker.process is not None:
            broker.kill()
        broker.wrapper = []
        broker.start()
        follower = Follower(broker)
        story.run(broker, more=20)
        story.verify_all(broker)
        follower.catch_up()
        follower.verify(story)
        broker.close()

    def each(self, call, what, few, most):
        for when in numbers(few, most):
            with self.subTest(call=call, what=what, when=when):
                broker, story = self.launch(inject(call, what, when)), Story(5)
                if ALL:
                    print(call, what, when, "started" if broker else "did not start", flush=True)
                if broker is not None:
                    yield broker, story

    # -- what is final --

    def ends_with(self, status, broker, story):
        process = broker.process
        story.run(broker, more=COMMANDS, window=1)  # each command is a commit
        if story.waiting:
            self.assertEqual(process.wait(15), status)
        return bool(story.waiting)

    def test_the_first_failed_sync_is_final(self):
        hit = 0
        for error in ("error=EIO", "error=ENOSPC", "error=EINTR"):
            for broker, story in self.each("fdatasync,fsync", error, (13, 17) if error == "error=EIO" else (15,), 40):
                hit += self.ends_with(74, broker, story)
                self.recover(broker, story)
        self.assertGreater(hit, 2)

    def test_a_write_that_fails_is_final_too(self):
        hit = 0
        for broker, story in self.each("pwrite64", "error=EIO", (90, 131), 400):
            hit += self.ends_with(74, broker, story)
            self.recover(broker, story)
        self.assertGreater(hit, 1)

    # -- what passes --

    def test_a_full_disk_refuses_and_heals_wherever_it_begins(self):
        refused = 0
        for when in numbers((90, 131, 172), 400):
            with self.subTest(when=when):
                broker, story = self.launch(inject("pwrite64", "error=ENOSPC", "%d..%d" % (when, when + 25))), Story(6)
                if broker is None:
                    continue
                story.run(broker, more=COMMANDS, window=1)
                self.assertFalse(story.waiting)
                self.assertTrue(broker.get("system.status")["store"]["writable"])
                refused += story.refused
                story.verify_all(broker)
                self.recover(broker, story)
        self.assertGreater(refused, 3)

    def test_an_interrupted_or_short_write_has_no_effect(self):
        broker, story = self.launch(inject("pwrite64,pread64", "error=EINTR", "100+3")), Story(7)
        story.run(broker, more=COMMANDS)
        self.assertFalse(story.waiting)
        story.verify_all(broker)
        self.recover(broker, story)

    def test_killed_at_a_system_call(self):
        for call, few, most in (("pwrite64", (90, 131), 400), ("fdatasync,fsync", (13,), 40), ("ftruncate,rename,unlink,openat", (), 60)):
            for broker, story in self.each(call, "signal=KILL", few, most):
                story.run(broker, more=COMMANDS, window=1)
                self.recover(broker, story)

    # -- a disk that is full --

    def test_a_file_that_may_not_grow_is_a_full_disk(self):
        """RLIMIT_FSIZE, raised while it runs (D3)."""
        broker, story = self.launch(["env"]), Story(8)
        broker.wrapper = []
        story.run(broker, more=5)
        resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        self.assertEqual(broker.refusal("incident.open", title="t", severity="low"), "unavailable")
        status = broker.get("system.status")
        self.assertFalse(status["store"]["writable"])
        story.verify_all(broker)
        resource.prlimit(broker.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        story.run(broker, more=20, window=1)
        self.assertTrue(broker.get("system.status")["store"]["writable"])
        story.verify_all(broker)

    @unittest.skipUnless(os.geteuid() == 0, "needs root for a small file system")
    def test_a_full_file_system_keeps_answering_and_heals(self):
        """On a tmpfs of 2 MiB that something else fills (D1): questions are answered, conditions are heard after it heals."""
        folder = tempfile.mkdtemp(prefix="tocsin-full-")
        self.addCleanup(shutil.rmtree, folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)
        broker, story = Broker(store=os.path.join(folder, "store"), ipc=True), Story(9)
        self.addCleanup(broker.close)
        broker.get("policy.put", name="hot", condition="heat > 10", severity="high", channels=[])
        story.model.policies.add("hot")
        story.run(broker, more=20)
        ballast = os.path.join(folder, "ballast")
        with open(ballast, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass  # full
        self.assertEqual(wait_for(lambda: self.fill(broker), "a refusal"), "unavailable")
        broker.push("metrics", {"name": "heat", "kind": "gauge", "value": 11.0})
        self.assertEqual(len(broker.get("incident.list", limit=1000)["items"]), broker.get("ops.metrics")["incidents_created"])
        self.assertEqual(broker.get("metrics.get", name="heat")["value"], 11)
        os.unlink(ballast)
        alert = wait_for(lambda: [a for a in broker.get("alert.list")["items"] if a["policy"] == "hot"], "the alert")
        self.assertEqual(alert[0]["state"], "firing")
        self.assertTrue(broker.get("incident.open", title="after", severity="low"))

    def fill(self, broker):
        reply = broker.ask("incident.open", title="more", severity="low")
        return None if reply["ok"] else reply["error"]["code"]

    # -- files that are taken away --

    def test_a_store_that_is_replaced_ends_the_broker(self):
        for name in ("tocsin.db", "tocsin.db-wal"):
            broker = Broker(ipc=True)
            self.addCleanup(broker.close)
            broker.get("incident.open", title="t", severity="low")
            os.rename(os.path.join(broker.store, name), os.path.join(broker.folder, "taken"))
            self.assertEqual(broker.process.wait(15), 74)
            self.assertIn("moved or replaced", broker.read_log())

    # -- a slow disk --

    def test_a_slow_sync_holds_up_no_metrics(self):
        """Syncs of two seconds: metrics are taken in and answered meanwhile (D15)."""
        broker = self.launch(inject("fdatasync", "delay_exit=2000000", "12+"))
        dealer, waited, longest, count = broker.socket(zmq.DEALER, "control"), 0.0, 0.0, 0
        while waited < 1.0:
            asked = time.monotonic()
            dealer.send(msgpack.packb({"do": "incident.open", "title": "t", "severity": "low"}))
            while not dealer.poll(0):
                started = time.monotonic()
                count += 1
                broker.push("metrics", {"name": "m", "kind": "counter", "value": 1})
                wait_for(lambda: broker.ask("metrics.get", name="m").get("result", {}).get("value") == count, "a metric")
                longest = max(longest, time.monotonic() - started)
            self.assertTrue(msgpack.unpackb(dealer.recv())["ok"])
            waited = time.monotonic() - asked
        self.assertGreater(count, 3)
        self.assertLess(longest, 1.0)
        dealer.close(0)


if __name__ == "__main__":
    main()
