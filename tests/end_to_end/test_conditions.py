"""What conditions come to in a running broker: asked for, on arrival, on the interval, without data, in error."""
import time

from harness import BrokerTest, main, wait_for


def gauge(name, value, **labels):
    return {"name": name, "kind": "gauge", "value": value, "labels": labels}


class Conditions(BrokerTest):
    def push(self, *events):
        before = self.broker.ingest("metrics")
        self.broker.push("metrics", list(events))
        self.broker.wait_ingest("metrics", before["frames"] + 1)

    def evaluate(self, condition):
        return self.broker.get("policy.test", condition=condition)

    def refused(self, condition):
        reply = self.broker.ask("policy.test", condition=condition)
        self.assertFalse(reply["ok"], reply)
        return reply["error"]

    def alerts(self, policy):
        return self.broker.get("alert.list", policy=policy)["items"]

    def test_a_condition_is_tested_without_a_trace(self):
        self.push(gauge("cpu", 0.9, host="a") | {"unit": "ratio"}, gauge("cpu", 0.5, host="b"), gauge("limit", 0.4))
        self.assertEqual(self.evaluate("cpu > 80%"),
                         {"value": 0.9, "vector": [{"labels": {"host": "a"}, "value": 0.9}], "would_fire": True})
        self.assertEqual(self.evaluate("cpu > 2"), {"value": None, "vector": [], "would_fire": False})
        answer = self.evaluate("cpu > on () group_left limit")
        self.assertEqual([e["labels"]["host"] for e in answer["vector"]], ["a", "b"])
        self.assertEqual((answer["value"], answer["would_fire"]), (None, True))
        self.assertEqual(self.evaluate("1 + 2 * 3")["value"], 7)
        self.assertEqual(self.evaluate("max(cpu) + scalar(limit)")["value"], 0.9 + 0.4)
        self.assertEqual(self.evaluate("absent(nothing{a=\"b\"})")["vector"], [{"labels": {"a": "b"}, "value": 1}])
        self.assertLess(abs(self.evaluate("time()")["value"] - time.time()), 30)
        self.assertEqual(self.broker.get("alert.list")["items"], [])
        self.assertEqual(self.broker.get("policy.list")["items"], [])

    def test_histograms_are_read_in_three_ways(self):
        self.push({"name": "latency", "kind": "histogram", "values": [0.1] * 98 + [2.0, 3.0], "labels": {"op": "x"}})
        self.assertEqual(self.evaluate("latency_count")["value"], 100)
        self.assertAlmostEqual(self.evaluate("latency_sum / latency_count")["value"], 0.148, places=9)
        self.assertEqual(self.evaluate("histogram_quantile(1, latency) > 2.5")["vector"], [{"labels": {"op": "x"}, "value": 3.0}])
        self.assertLess(abs(self.evaluate("histogram_quantile(0.5, latency)")["value"] - 0.1), 0.001)
        self.assertIn("latency is a histogram", self.refused("latency > 1")["message"])

    def test_what_is_wrong_is_said_with_its_place(self):
        error = self.refused("cpu >\n  ~ 5")
        self.assertEqual(error["code"], "bad_request")
        self.assertEqual(error["message"], "condition: line 2, column 3: found \"~\", expected an expression")
        self.assertIn("this function is not supported", self.refused("predict_linear(a[5m], 60)")["message"])
        self.assertIn("nested too deep", self.refused("(" * 16000)["message"])
        self.assertFalse(self.broker.ask("policy.test", condition="(" * 100000)["ok"])
        reply = self.broker.ask("policy.put", name="p", condition="sum(cpu", severity="low", channels=[])
        self.assertEqual(reply["error"]["code"], "bad_request")
        self.assertIn("line 1, column 8", reply["error"]["message"])

    def test_a_rate_fires_on_the_interval_and_recovers(self):
        self.broker.get("policy.put", name="errors", severity="high", channels=[], window=0.2,
                        condition="sum by (service) (rate(errors_total[3s])) > 5")
        rising = {"name": "errors_total", "kind": "counter", "value": 40, "labels": {"service": "s", "host": "h"}}
        deadline = time.monotonic() + 20
        while not self.alerts("errors") and time.monotonic() < deadline:
            self.push(rising)
            time.sleep(0.2)  # the rate of a moment is what is tested
        alert = self.alerts("errors")[0]
        self.assertEqual((alert["state"], alert["labels"]), ("firing", {"service": "s"}))
        self.assertGreater(alert["value_at_fire"], 5)
        wait_for(lambda: (self.push(rising | {"value": 0}), not self.alerts("errors"))[1], "the rate to fall", 20)

    def test_the_room_of_ranges_is_told_and_given_back(self):
        self.push(gauge("cpu", 0.9, host="a"))
        before = self.broker.get("system.status")["conditions"]
        self.assertEqual((before["count"], before["range_bytes"], before["range_bytes_limit"]), (0, 0, 256 << 20))
        self.broker.get("policy.put", name="p", severity="low", channels=[], condition="rate(cpu[1h]) > 5")
        wait_for(lambda: self.broker.get("system.status")["conditions"]["range_bytes"] == 8 * 12, "the buffer of the one series")
        self.broker.get("policy.delete", name="p")
        wait_for(lambda: self.broker.get("system.status")["conditions"] == before, "the buffer to go")

    def test_a_plan_that_errs_stops_no_other(self):
        for name, condition in (("bad", "cpu * on () mem > 0"), ("good", "cpu + 0 > 0.5")):
            self.broker.get("policy.put", name=name, severity="low", channels=[], window=0.2, condition=condition)
        self.push(gauge("cpu", 0.9, host="a"), gauge("mem", 1, host="a"), gauge("mem", 1, host="b"))
        wait_for(lambda: self.alerts("good"), "the good one to fire", 20)
        self.assertEqual(self.alerts("bad"), [])


if __name__ == "__main__":
    main()
