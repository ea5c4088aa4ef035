"""kill -9 at any moment, again and again, while commands run (FAULTS P5): no acknowledged change is lost, none is applied twice, none
is there by half, and no number of a publication is used again. TOCSIN_CYCLES says how often."""
import os
import random
import time
import unittest

from harness import Broker, main
from story import Follower, Story, kill_at

CYCLES = int(os.environ.get("TOCSIN_CYCLES", "200"))


class NothingAcknowledgedIsLost(unittest.TestCase):
    def test_kill_at_any_moment(self):
        moments, story = random.Random(7), Story(1)
        broker = Broker(ipc=True)
        self.addCleanup(broker.close)
        follower = Follower(broker)
        started = time.monotonic()
        for cycle in range(CYCLES):
            story.run(broker, more=10000, until=kill_at(moments.uniform(0.0, 0.06)))
            if moments.random() < 0.1:
                broker.start_and_kill_after(moments.uniform(0.0, 0.2))
            broker.start()
            story.run(broker, more=0)
            self.assertFalse(story.waiting)
            story.verify_touched(broker)
            follower.catch_up()
            if CYCLES > 200 and cycle % 100 == 99:
                print("%d cycles, %d acknowledged, %.0f s" % (cycle + 1, story.acknowledged, time.monotonic() - started), flush=True)
        story.verify_all(broker)
        follower.verify(story)
        print("%d cycles, %d commands acknowledged: 0 lost, 0 twice" % (CYCLES, story.acknowledged))


if __name__ == "__main__":
    main()
