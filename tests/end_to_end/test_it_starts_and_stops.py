"""Between two moments: a broker that is told to stop as soon as it is ready, and one that stands still."""
import unittest

from harness import Broker, main


class StartsAndStops(unittest.TestCase):
    def test_a_stop_right_after_the_start_ends_well(self):
        """One wing still wrote to the other when that one had ended, and waited for ever: one start in ten."""
        for _ in range(15):
            broker = Broker()
            try:
                self.assertEqual(broker.stop(), 0, broker.read_log())
            finally:
                broker.close()

    def test_a_thread_that_is_stuck_ends_the_process_and_the_next_one_has_what_was_acknowledged(self):
        """The system call in which the reactor waits takes 6 s, once."""
        broker = Broker(wrapper=["strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=poll", "-e", "inject=poll:delay_enter=6000000:when=300"])
        self.addCleanup(broker.close)
        incident = broker.get("incident.open", title="kept", severity="low")["incident"]
        self.assertNotEqual(broker.process.wait(30), 0)
        log = broker.read_log()
        self.assertIn("a thread is stuck", log)
        self.assertIn("thread=reactor", log)
        self.assertGreater(log.count("-- a thread:"), 3)
        broker.forget()
        broker.wrapper = []
        broker.start()
        self.assertEqual(broker.get("incident.get", incident=incident)["title"], "kept")


if __name__ == "__main__":
    main()
