"""Faults of the disk, injected into the real daemon's system calls (FAULTS D1, D5): what was acknowledged is there afterwards,
what could not be written was not acknowledged."""
import unittest

import msgpack
import zmq
from harness import Broker, main


def inject(call, error, when):
    return ["strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=%s:error=%s:when=%s" % (call, error, when)]


class TheDiskFails(unittest.TestCase):
    def broker_with(self, wrapper):
        # the leak checker cannot run under a tracer
        broker = Broker(wrapper=wrapper, environment={"ASAN_OPTIONS": "detect_leaks=0"})
        self.addCleanup(broker.close)
        return broker

    def open_incidents(self, broker, count):
        """Asks one after the other; answers the replies that came."""
        dealer = broker.socket(zmq.DEALER, "control")
        replies = []
        for n in range(count):
            dealer.send(msgpack.packb({"do": "incident.open", "title": "i%d" % n, "severity": "low", "id": n}))
            if not dealer.poll(3000 if broker.process.poll() is None else 100):
                break
            replies.append(msgpack.unpackb(dealer.recv()))
        dealer.close(0)
        return replies

    def titles(self, broker):
        return [i["title"] for i in broker.get("incident.list", limit=1000)["items"]]

    def test_the_first_failed_sync_is_final_and_nothing_is_acknowledged_after_it(self):
        for when in (3, 6, 9):
            broker = self.broker_with(inject("fdatasync,fsync", "EIO", "%d+" % when)) if self.starts(when) else None
            if broker is None:
                continue
            replies = self.open_incidents(broker, 40)
            self.assertEqual(broker.process.wait(15), 74)
            broker.forget()
            acknowledged = ["i%d" % r["id"] for r in replies if r["ok"]]
            self.assertEqual(acknowledged, ["i%d" % n for n in range(len(acknowledged))])
            broker.wrapper = []
            broker.start()
            self.assertLessEqual(set(acknowledged), set(self.titles(broker)))

    def starts(self, when):
        """Does a broker get as far as serving before that many syncs have been made?"""
        try:
            broker = Broker(wrapper=inject("fdatasync,fsync", "EIO", "%d+" % when), environment={"ASAN_OPTIONS": "detect_leaks=0"})
        except AssertionError:
            return False
        broker.close()
        return True

    def test_a_full_disk_refuses_keeps_answering_and_heals(self):
        broker = self.broker_with(inject("pwrite64", "ENOSPC", "120..160"))
        replies = self.open_incidents(broker, 200)
        self.assertEqual(len(replies), 200)
        refused = [r for r in replies if not r["ok"]]
        self.assertTrue(refused, "no write failed")
        self.assertEqual({r["error"]["code"] for r in refused}, {"unavailable"})
        self.assertTrue(replies[-1]["ok"], "it healed")
        self.assertEqual(set(self.titles(broker)), {"i%d" % r["id"] for r in replies if r["ok"]})
        ids = [r["result"]["incident"] for r in replies if r["ok"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertTrue(broker.get("system.status")["store"]["writable"])
        head = broker.get("events.heads")["incident"]
        self.assertEqual(head, len(ids))
        self.assertEqual(broker.stop(), 0)


if __name__ == "__main__":
    main()
