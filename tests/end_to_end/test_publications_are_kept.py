"""What was published can be asked for (FAULTS S5-S7, A8, D17): numbers over crashes, heads in the heartbeat, what was lost and what is
gone, a subscriber that was away; and snapshots that are taken while all that goes on."""
import os
import shutil
import subprocess

import msgpack
import zmq
from harness import BIN, BrokerTest, Subscriber, main, wait_for
from story import Follower, Story

BLOCK = 1000  # numbers that are reserved at once for what is published before its commit


def spike(broker, name):
    """Values that make one anomaly of that metric."""
    broker.push("metrics", [{"name": name, "kind": "gauge", "value": v} for v in [1.0, 1.5] * 10 + [99.0]])


class Numbers(BrokerTest):
    def heads(self):
        return self.broker.get("events.heads")

    def test_a_crash_gives_up_what_was_reserved_and_says_so(self):
        spike(self.broker, "a")
        wait_for(lambda: self.heads()["anomaly"] == 1, "an anomaly")
        kept = self.broker.get("events.since", family="anomaly", seq=0)
        self.assertEqual([p["seq"] for p in kept["items"]], [1])
        self.assertNotIn("lost", kept)
        self.broker.kill()
        self.broker.start()
        self.assertEqual(self.heads()["anomaly"], BLOCK)
        after = self.broker.get("events.since", family="anomaly", seq=0)
        self.assertEqual([p["seq"] for p in after["items"]], [1])
        self.assertEqual(after["lost"], [2, BLOCK])
        self.assertEqual(self.broker.get("events.since", family="anomaly", seq=BLOCK), {"items": [], "cursor": None, "head": BLOCK})
        subscriber = self.broker.subscribe("anomaly")
        spike(self.broker, "b")
        self.assertEqual(subscriber.next("anomaly.detected")["seq"], BLOCK + 1)

    def test_a_clean_stop_gives_up_nothing(self):
        spike(self.broker, "a")
        wait_for(lambda: self.heads()["anomaly"] == 1, "an anomaly")
        self.assertEqual(self.broker.stop(), 0)
        self.broker.start()
        self.assertEqual(self.heads()["anomaly"], 1)
        self.assertNotIn("lost", self.broker.get("events.since", family="anomaly", seq=0))

    def test_every_second_the_heads_of_all_families_are_told(self):
        self.broker.get("incident.open", title="t", severity="low")
        subscriber = self.broker.subscribe()
        first = subscriber.next("heartbeat")
        second = subscriber.next("heartbeat")
        self.assertEqual(first["data"]["heads"], self.heads())
        self.assertEqual(set(first["data"]["heads"]), {"anomaly", "slo", "dependency", "alert", "incident"})
        self.assertEqual(second["seq"], first["seq"] + 1)
        self.assertLess(abs(second["time"] - first["time"] - 1.0), 0.5)

    def test_the_last_message_before_silence_is_missed_by_nobody(self):
        """A subscriber that hears heartbeats alone knows that there was something, and gets it."""
        subscriber = Subscriber(self.broker.socket(zmq.SUB, "events"), ("nothing",))
        subscriber.next("heartbeat")
        self.broker.get("incident.open", title="t", severity="low")
        head = wait_for(lambda: subscriber.next("heartbeat")["data"]["heads"]["incident"], "a head")
        items = self.broker.get("events.since", family="incident", seq=0)["items"]
        self.assertEqual([p["seq"] for p in items], list(range(1, head + 1)))

    def test_a_subscriber_that_was_away_or_slow_catches_up_exactly(self):
        story, follower = Story(11), Follower(self.broker)
        follower.socket.close(0)
        story.run(self.broker, more=500)
        follower.socket = self.broker.context.socket(zmq.SUB)
        follower.socket.setsockopt(zmq.RCVHWM, 1)  # and from now on it loses some
        follower.socket.setsockopt(zmq.RCVBUF, 1)
        for family in ("alert", "incident"):
            follower.socket.setsockopt_string(zmq.SUBSCRIBE, family + ".")
        follower.socket.connect(self.broker.addresses["events"])
        story.run(self.broker, more=500)
        follower.catch_up()
        follower.verify(story)

    def test_what_is_asked_for_wrongly_is_answered_in_bounds(self):
        self.broker.get("incident.open", title="t", severity="low")
        for seq in (1, 5, 2 ** 53):
            self.assertEqual(self.broker.get("events.since", family="incident", seq=seq)["items"], [])
        self.assertEqual(self.broker.refusal("events.since", family="incident", seq=2 ** 64 - 1), "bad_request")
        self.assertEqual(self.broker.refusal("events.since", family="incident", seq=-1), "bad_request")
        self.assertEqual(self.broker.refusal("events.since", family="tea", seq=0), "bad_request")


class WhatIsOver(BrokerTest):
    config = "store: {rows: 5}\n"

    def test_the_oldest_that_is_held_is_named_when_more_was_asked_for(self):
        for n in range(10):
            self.broker.get("incident.open", title="t%d" % n, severity="low")
        reply = wait_for(lambda: (lambda r: r if not r["ok"] else None)(self.broker.ask("events.since", family="incident", seq=0)), "the oldest to go")
        self.assertEqual(reply["error"]["code"], "gone")
        self.assertIn("6", reply["error"]["message"])
        self.assertEqual([p["seq"] for p in self.broker.get("events.since", family="incident", seq=5)["items"]], [6, 7, 8, 9, 10])
        self.assertEqual(len(self.broker.get("incident.list")["items"]), 10, "what is open is not over")
        self.assertEqual(self.broker.get("incident.open", title="next", severity="low")["incident"], "INC-11")


class Snapshots(BrokerTest):
    def check(self, path):
        done = subprocess.run([os.path.join(BIN, "tocsind"), "--check-store", path], capture_output=True, text=True)
        return done.returncode, done.stdout

    def test_a_snapshot_is_a_sound_prefix_of_what_was_acknowledged(self):
        story = Story(12)
        story.run(self.broker, more=300)
        before = len(story.model.incidents)
        paths = [os.path.join(self.broker.folder, "copy-%d" % n) for n in range(3)]
        dealer = self.broker.socket(zmq.DEALER, "control")
        for path in paths:
            dealer.send(msgpack.packb({"do": "system.snapshot", "path": path}))
            story.run(self.broker, more=100)
            answer = msgpack.unpackb(dealer.recv())
            self.assertTrue(answer["ok"], answer)
            self.assertEqual(answer["result"]["path"], path)
        dealer.close(0)
        for path in paths:
            status, words = self.check(path)
            self.assertEqual(status, 0, words)
        self.assertEqual(self.check(self.broker.store)[0], 75)
        self.restore(paths[0], story, before)

    def restore(self, path, story, before):
        self.broker.kill()
        shutil.rmtree(self.broker.store)
        os.mkdir(self.broker.store, 0o700)
        shutil.copy(path, os.path.join(self.broker.store, "tocsin.db"))
        self.broker.start()
        created = self.broker.get("ops.metrics")["incidents_created"]
        self.assertGreaterEqual(created, before)
        self.assertLessEqual(created, len(story.model.incidents))
        heads = self.broker.get("events.heads")
        items = self.broker.get("events.since", family="incident", seq=0, limit=1000)["items"]
        self.assertEqual([p["seq"] for p in items], list(range(1, len(items) + 1)))
        self.assertLessEqual(len(items), heads["incident"])
        self.assertEqual(len([p for p in items if p["type"] == "incident.opened"]), created)

    def test_without_a_path_it_is_put_beside_the_store(self):
        path = self.broker.get("system.snapshot")["path"]
        self.assertEqual(os.path.dirname(path), self.broker.store)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertEqual(self.check(path)[0], 0)

    def test_what_cannot_be_written_is_refused_in_words(self):
        self.assertEqual(self.broker.refusal("system.snapshot", path="/no/such/folder/copy"), "unavailable")
        self.assertEqual(self.broker.refusal("system.snapshot", path=os.path.join(self.broker.store, "tocsin.db")), "unavailable")


if __name__ == "__main__":
    main()
