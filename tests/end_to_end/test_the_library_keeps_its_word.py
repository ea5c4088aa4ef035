"""What the library promises, against the real broker.

Killed and started again ten times under programs that use the library: what the subscriber heard is what `events.since`
holds; what was commanded was done exactly once; the emitter goes on. Values put together are answered as if each had been sent.
"""
import os
import signal
import subprocess
import threading
import unittest

from harness import BIN, Broker, main, wait_for

DRIVER = os.path.join(BIN, "..", "tests", "library_driver")
ROUNDS = 10
FAMILIES = ("anomaly", "slo", "dependency", "alert", "incident")
COMMITTED_FIRST = ("alert", "incident")
CONFIG = """
policies:
  - {name: hot, condition: "heat > 50", severity: high, channels: []}
slos:
  - {name: work, target_percent: 99.5, window: 60s}
"""


class Driver:
    """A program of the library, and the lines that it has printed."""

    def __init__(self, *arguments):
        self.lines = []
        self.process = subprocess.Popen([DRIVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.split())

    def end(self, patience=30):
        """Its exit status and what it complained of."""
        self.process.stdin.close()
        status = self.process.wait(patience)
        self.reader.join(30)
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, errors

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.end()


class TheLibrary(unittest.TestCase):
    def setUp(self):
        self.broker = Broker(CONFIG, ipc=True)
        self.addCleanup(self.broker.close)

    def drive(self, what, *endpoints):
        driver = Driver(what, *(self.broker.addresses[endpoint] for endpoint in endpoints))
        self.addCleanup(driver.kill)
        return driver

    def published(self, family):
        """All that events.since holds: {seq: type}."""
        held, last = {}, 0
        while True:
            items = self.broker.get("events.since", family=family, seq=last, limit=1000)["items"]
            if not items:
                return held
            held.update((item["seq"], item["type"]) for item in items)
            last = items[-1]["seq"]

    def incidents(self, prefix):
        """(title, id) of each incident whose title begins so."""
        found, cursor = [], None
        while True:
            page = self.broker.get("incident.list", limit=1000, cursor=cursor)
            found += [[i["title"], i["incident"]] for i in page["items"] if i["title"].startswith(prefix)]
            cursor = page["cursor"]
            if cursor is None:
                return found

    def test_ten_kills_cost_no_publication_and_repeat_no_command(self):
        listener = self.drive("listen", "events", "control")
        emitter = self.drive("emit", "metrics", "requests", "incidents")
        commander = self.drive("command", "control")
        for _ in range(ROUNDS):
            before = len(listener.lines), len(commander.lines)
            wait_for(lambda: len(listener.lines) > before[0] + 5 and len(commander.lines) > before[1] + 5
                     and self.broker.ingest("metrics")["accepted"] > 100, "work in this round", 30)
            self.broker.stop(signal.SIGKILL)
            self.broker.start()
        for driver in (emitter, commander):
            self.assertEqual(driver.end(), (0, ""))

        heads = wait_for(lambda: self.heads_when_all_is_heard(listener), "the last publication", 30)
        self.assertEqual(listener.end(), (0, ""))
        for family in FAMILIES:
            self.compare(family, heads[family], [(int(seq), type, int(lost)) for name, seq, type, lost in listener.lines
                                                 if name == family])
        done = self.incidents("command-")
        self.assertEqual(sorted(done), sorted(commander.lines))
        self.assertGreater(len(done), ROUNDS)

    def heads_when_all_is_heard(self, listener):
        """The heads, once every publication that is held has been heard."""
        heads = self.broker.get("events.heads")
        heard = {(name, int(seq)) for name, seq, *_ in list(listener.lines)}
        return heads if all((family, seq) in heard for family in FAMILIES for seq in self.published(family)) else None

    def compare(self, family, head, record):
        """The record of a family is what is held, in order; what it heard besides was never committed; the rest was lost."""
        held = self.published(family)
        numbers = [seq for seq, _, _ in record]
        self.assertGreater(len(record), 0, family)
        self.assertEqual(numbers, sorted(set(numbers)), family)
        self.assertEqual({seq: type for seq, type, _ in record if seq in held}, held, family)
        self.assertEqual(numbers[-1], len(record) + sum(lost for _, _, lost in record), family)
        self.assertLessEqual(numbers[-1], head, family)
        if family in COMMITTED_FIRST:
            self.assertEqual(numbers, list(range(1, head + 1)), family)
            self.assertEqual(len(held), head, family)

    def test_values_put_together_are_answered_as_if_each_had_been_sent(self):
        driver = self.drive("values", "metrics")
        self.assertEqual(driver.end(60), (0, ""))

        def answer(way, kind, host):
            thing = self.broker.get("metrics.get", name="%s_%s" % (way, kind), labels={"host": host})
            del thing["name"], thing["updated_at"]
            return thing
        for way in ("alone", "together"):
            wait_for(lambda: sum(answer(way, "histogram", host)["count"] for host in "abc") == 20000, "the values")
        self.assertLess(self.broker.ingest("metrics")["accepted"], 3 * 20000 + 20000)  # the other 60,000 came as few
        for kind in ("counter", "gauge", "histogram"):
            for host in "abc":
                self.assertEqual(answer("together", kind, host), answer("alone", kind, host))


if __name__ == "__main__":
    main()
