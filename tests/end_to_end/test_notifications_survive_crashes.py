#!/usr/bin/env python3
"""The broker is killed while it tells: while a receiver has the notification and has not answered, just after it has, and
at any other moment. Nothing that was acknowledged may be missed, and a crash may cost one duplicate, which is recognised
by its key (FAULTS N10, A4, A5).

    TOCSIN_CRASHES=1000 tests/end_to_end/test_notifications_survive_crashes.py BIN
"""
import collections
import os
import random
import signal
import time

import msgpack
import zmq

import harness
import receivers

CRASHES = int(os.environ.get("TOCSIN_CRASHES", "20"))
SEED = int(os.environ.get("TOCSIN_SEED", str(int(time.time()))))

CONFIG = """
channels: [{name: ops, type: webhook, url: '%s', allow_private: true, backoff_first: 50ms, backoff_most: 100ms, group_by: [run]}]
policies: [{name: p, condition: 'never_seen > 1', severity: low, channels: [ops]}]
"""


class Crashes(harness.unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.receiver = receivers.Receiver(self.answer)
        self.addCleanup(self.receiver.close)
        self.kills = 0
        self.armed = None  # when to kill: "before" or "after" the answer to the next request
        self.broker = harness.Broker(CONFIG % self.receiver.url)
        self.addCleanup(self.broker.close)

    def kill(self, process=None):
        self.kills += 1
        (process or self.broker.process).send_signal(signal.SIGKILL)

    def answer(self, handler, number):
        armed, self.armed = self.armed, None
        process = self.broker.process  # this one and not the next
        if armed == "before":
            self.kill(process)
        if armed == "after":
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            handler.wfile.flush()
            time.sleep(self.random.choice((0, 0.0005, 0.002)))
            self.kill(process)
            return None
        return 200

    def insist(self, do, once, **arguments):
        """Asks until it is acknowledged, through whatever crashes."""
        while True:
            request = msgpack.packb(dict(arguments, do=do, id=1, once=once))
            dealer = self.broker.socket(zmq.DEALER, "control")
            dealer.send(request)
            while self.broker.process.poll() is None:
                if dealer.poll(50):
                    reply = msgpack.unpackb(dealer.recv())
                    dealer.close(0)
                    self.assertTrue(reply["ok"], reply)
                    return reply["result"]
            dealer.close(0)
            self.revive()

    def revive(self):
        self.armed = None
        self.broker.process.wait(harness.PATIENCE)
        self.broker.forget()
        self.broker.start()

    def told(self, alert, status):
        return [r for r in self.receiver.requests for a in r.json["alerts"]
                if a["annotations"]["alert"] == alert and a["status"] == status]

    def step(self, do, once, **arguments):
        """One command and one crash, somewhere around its notification."""
        moment = self.random.choice(("before", "after", "any"))
        if moment != "any":
            self.armed = moment
        result = self.insist(do, once, **arguments)
        if moment == "any":
            time.sleep(self.random.uniform(0, 0.01))
            self.kill()
            self.broker.process.wait(harness.PATIENCE)
        return result

    def wait_told(self, alert, status):
        def look():
            if self.broker.process.poll() is not None:
                self.revive()
            return self.told(alert, status)
        harness.wait_for(look, "%s to be told %s, seed %d" % (alert, status, SEED))
        if self.broker.process.poll() is not None:
            self.revive()
        self.armed = None

    def test_nothing_is_missed_and_a_crash_costs_one_duplicate(self):
        alerts = []
        while self.kills < CRASHES:
            run = str(len(alerts))
            fired = self.step("alert.fire", "fire" + run, policy="p", labels={"run": run})
            alert = fired["alert"]["alert"]
            alerts.append(alert)
            self.wait_told(alert, "firing")
            self.step("alert.resolve", "end" + run, alert=alert)
            self.wait_told(alert, "resolved")
        self.kill()
        self.revive()
        harness.wait_for(lambda: self.broker.get("channel.list")["items"][0]["waiting"] == 0, "the last to be told")
        self.broker.stop()
        for alert in alerts:
            self.assertTrue(self.told(alert, "firing"), alert)
            self.assertTrue(self.told(alert, "resolved"), alert)
            self.assertLess(self.told(alert, "firing")[-1].time, self.told(alert, "resolved")[0].time, alert)
        keys = collections.Counter(r.key for r in self.receiver.requests)
        duplicates = sum(keys.values()) - len(keys)
        self.assertEqual(len(keys), 2 * len(alerts))
        self.assertLessEqual(duplicates, self.kills)
        self.assertLessEqual(max(keys.values()), 3)
        print("%d crashes, %d notifications, 0 missed, %d duplicates, seed %d" % (self.kills, len(keys), duplicates, SEED))


if __name__ == "__main__":
    harness.main()
