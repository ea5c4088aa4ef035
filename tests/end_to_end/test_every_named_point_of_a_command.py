"""The broker ends, as kill -9 would end it, at every point that the code names (broker/failpoint.h; FAULTS B9, A1-A10): what is there
afterwards is what was acknowledged, whole, once, under numbers that were never used before. A point that nothing passes is a mistake.
TOCSIN_PASSES says at which time of passing a point it ends ("7", or several: "1,2,7")."""
import glob
import os
import re
import unittest

import msgpack
import zmq
from harness import Broker, main, wait_for
from story import Follower, Story

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "broker", "*.c")
POINTS = sorted({point for path in glob.glob(SOURCES) for point in re.findall(r'FAILPOINT\("([^"]+)"\)', open(path).read())})
PASSES = [int(n) for n in os.environ.get("TOCSIN_PASSES", "7").split(",")]

# points on the way of upkeep, and what brings the broker there
SHORT_MEMORY = "store: {retention: 1s, rows: 3}\n"
OPENING = ("store.migrate", "store.migrated", "store.opened", "store.settle", "store.settled", "operations.restore", "operations.restored")
CLOSING = ("store.close", "operations.stopping", "operations.stop")
COPYING = ("store.copy", "store.copied", "store.copy_synced", "store.copy_named")
TRIMMING = ("store.trim", "store.trim_publications")
CHECKPOINT = ("store.checkpoint", "store.checkpointed")




class EveryNamedPoint(unittest.TestCase):
    def begin(self, point, passes, config=None):
        broker = Broker(config=config, ipc=True)
        self.addCleanup(broker.close)
        story = Story(3)
        story.run(broker, more=20)
        broker.kill()
        broker.environment["TOCSIN_FAILPOINT"] = "%s@%d" % (point, passes)
        return broker, story

    def start(self, broker):
        """Answers whether it came up."""
        try:
            broker.start()
            return True
        except AssertionError:
            self.assertTrue(self.ended(broker))
            return False

    def ended(self, broker):
        return broker.process is None or broker.process.wait(15) == -9

    def disarm(self, broker):
        del broker.environment["TOCSIN_FAILPOINT"]
        if broker.process is not None:
            broker.forget()

    def heal(self, broker, story):
        """Start it as it should have been, and look at everything; twice, so that recovery is seen to change nothing (I8)."""
        self.disarm(broker)
        for _ in range(2):
            broker.start()
            story.run(broker, more=0)
            story.verify_all(broker)
            broker.kill()
        broker.start()

    def pass_point(self, point, passes, act, config=None):
        broker, story = self.begin(point, passes, config)
        if self.start(broker):
            act(broker, story)
            self.assertTrue(self.ended(broker), "nothing passed %s" % point)
        self.heal(broker, story)
        return broker, story

    def each(self, points, act, passes=PASSES, config=None):
        for point in points:
            for n in passes:
                with self.subTest(point=point, passes=n):
                    yield self.pass_point(point, n, act, config)

    # -- commands --

    def test_on_the_way_of_a_command(self):
        others = OPENING + CLOSING + COPYING + TRIMMING + CHECKPOINT + ("store.reserve",)
        points = [point for point in POINTS if point not in others]
        self.assertGreater(len(points), 15)
        for broker, story in self.each(points, lambda broker, story: story.run(broker, more=600)):
            follower = Follower(broker)
            follower.catch_up()
            follower.verify(story)

    def test_every_point_is_known(self):
        self.assertLessEqual(set(OPENING + CLOSING + COPYING + TRIMMING + CHECKPOINT), set(POINTS))

    # -- upkeep --

    def test_while_opening(self):
        for point in OPENING:
            broker, story = self.begin(point, 1)
            if "migrate" in point:
                os.rename(broker.store, broker.store + ".full")
            self.assertFalse(self.start(broker), point)
            if "migrate" in point:
                self.disarm(broker)
                broker.start()
                self.assertEqual(broker.get("incident.list")["items"], [])
            else:
                self.heal(broker, story)

    def test_while_stopping(self):
        for broker, story in self.each(CLOSING, lambda broker, story: broker.process.terminate(), passes=[1]):
            follower = Follower(broker)
            follower.catch_up()
            follower.verify(story)

    def test_while_a_snapshot_is_written(self):
        for broker, story in self.each(COPYING, self.ask_for_a_snapshot, passes=[1]):
            with_name = [name for name in os.listdir(broker.store) if ".snapshot-" in name and not name.endswith(".part")]
            self.assertLessEqual(len(with_name), 1)

    def ask_for_a_snapshot(self, broker, story):
        self.send(broker, {"do": "system.snapshot"})

    def send(self, broker, *commands):
        dealer = broker.socket(zmq.DEALER, "control")
        for command in commands:
            dealer.send(msgpack.packb(command))
        wait_for(lambda: broker.process.poll() is not None or dealer.poll(10), "an end or an answer")
        dealer.close()

    def test_while_the_log_is_brought_into_the_database(self):
        def act(broker, story):
            name = next(iter(story.model.incidents))
            for n in range(60):
                story.invent({"do": "incident.note", "incident": name, "text": "%d" % n + "x" * 15000})
            story.run(broker, more=0)

        for _ in self.each(CHECKPOINT, act, passes=[1]):
            pass

    def test_while_numbers_are_reserved(self):
        def act(broker, story):
            broker.push("metrics", [{"name": "g", "kind": "gauge", "value": v} for v in [1.0] * 20 + [99.0]])
            self.ended(broker)

        for broker, _ in self.each(["store.reserve"], act, passes=[1]):
            broker.push("metrics", [{"name": "g", "kind": "gauge", "value": v} for v in [1.0] * 20 + [99.0]])
            wait_for(lambda: broker.get("events.heads")["anomaly"] > 0, "an anomaly")

    def test_while_what_is_over_is_deleted(self):
        """Retention takes what is closed, and nothing else; a second start sees the same."""
        for point in TRIMMING:
            broker = Broker(config=SHORT_MEMORY, ipc=True, environment={"TOCSIN_FAILPOINT": point + "@2"})
            self.addCleanup(broker.close)
            kept = broker.get("incident.open", title="kept", severity="low")["incident"]
            self.close_some(broker)
            self.assertTrue(self.ended(broker), point)
            self.disarm(broker)
            broker.start()
            wait_for(lambda: [i["incident"] for i in broker.get("incident.list")["items"]] == [kept], "the closed ones to go")
            metrics = broker.get("ops.metrics")
            self.assertEqual((metrics["incidents_created"], metrics["incidents_open"]), (1, 1))
            self.assertEqual(broker.get("incident.open", title="next", severity="low")["incident"], "INC-12")

    def close_some(self, broker):
        dealer = broker.socket(zmq.DEALER, "control")
        for n in range(10):
            dealer.send(msgpack.packb({"do": "incident.open", "title": "t", "severity": "low", "id": 0}))
            dealer.send(msgpack.packb({"do": "incident.close", "incident": "INC-%d" % (n + 2), "id": 1}))
        wait_for(lambda: broker.process.poll() is not None, "its end")
        dealer.close(0)


if __name__ == "__main__":
    main()
