"""Between two moments: a broker that is told to stop as soon as it is ready."""
import unittest

from harness import Broker, main


class StartsAndStops(unittest.TestCase):
    def test_a_stop_right_after_the_start_ends_well(self):
        """One wing still wrote to the other when that one had ended, and waited for ever: one start in ten."""
        for _ in range(25):
            broker = Broker()
            try:
                self.assertEqual(broker.stop(), 0, broker.read_log())
            finally:
                broker.close()


if __name__ == "__main__":
    main()
