"""Known input pushed from outside; the answers are worked out here a second time, by another program, and compared."""
import math
import random
import statistics
import struct

from harness import BrokerTest, main, wait_for


def quantile(values, q):
    """The smallest value that at least a share q of all values does not exceed."""
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)]


class TheQuestions(BrokerTest):
    def push_metrics(self, events, batch=500):
        frames = [events[i:i + batch] for i in range(0, len(events), batch)]
        before = self.broker.ingest("metrics")
        self.broker.push("metrics", *frames)
        after = self.broker.wait_ingest("metrics", before["frames"] + len(frames))
        self.assertEqual(after["accepted"] - before["accepted"], len(events), after)

    def push_requests(self, events):
        before = self.broker.ingest("requests")
        self.broker.push("requests", events)
        after = self.broker.wait_ingest("requests", before["frames"] + 1)
        self.assertEqual(after["accepted"] - before["accepted"], len(events), after)

    def assert_near(self, actual, expected, relative, what):
        self.assertLessEqual(abs(actual - expected), abs(expected) * relative, "%s: %r, expected %r" % (what, actual, expected))

    def test_a_counter_is_the_exact_sum_and_an_integer_while_it_is_whole(self):
        big = 2 ** 62
        self.push_metrics([{"name": "c", "kind": "counter", "value": v} for v in (big, 1, 2, 2 ** 53 + 1)])
        answer = self.broker.get("metrics.get", name="c")
        self.assertEqual((answer["value"], type(answer["value"])), (big + 3 + 2 ** 53 + 1, int))
        self.push_metrics([{"name": "f", "kind": "counter", "value": 0.1} for _ in range(10)])
        self.assert_near(self.broker.get("metrics.get", name="f")["value"], 1.0, 1e-12, "tenths")

    def test_labels_in_any_order_are_one_series_and_an_empty_value_is_no_label(self):
        self.push_metrics([{"name": "g", "kind": "gauge", "value": 1, "labels": {"a": "1", "b": "2"}, "unit": "bytes"},
                           {"name": "g", "kind": "gauge", "value": 2, "labels": {"b": "2", "a": "1", "c": ""}}])
        answer = self.broker.get("metrics.get", name="g", labels={"b": "2", "a": "1"})
        self.assertEqual((answer["value"], answer["unit"], answer["labels"]), (2, "bytes", {"a": "1", "b": "2"}))
        self.assertEqual(len(self.broker.get("metrics.list", prefix="g")["items"]), 1)

    def test_quantiles_are_within_one_percent_for_every_shape_of_values(self):
        rng = random.Random(7)
        shapes = {
            "lognormal": [rng.lognormvariate(0, 2) for _ in range(20000)],
            "bimodal": [abs(rng.gauss(0.001, 0.0001)) if rng.random() < 0.5 else abs(rng.gauss(30, 3)) for _ in range(20000)],
            "heavy": [rng.paretovariate(0.7) for _ in range(20000)],
            "signed": [rng.gauss(0, 5) for _ in range(20000)],
            "tiny": [rng.uniform(1e-9, 1e-8) for _ in range(5000)],
        }
        for name, values in shapes.items():
            self.push_metrics([{"name": name, "kind": "histogram", "values": values[i:i + 1000]} for i in range(0, len(values), 1000)])
            answer = self.broker.get("metrics.get", name=name)
            self.assertEqual((answer["count"], answer["min"], answer["max"]), (len(values), min(values), max(values)))
            self.assert_near(answer["sum"], math.fsum(values), 1e-9, name + " sum")
            for key, q in (("p50", .5), ("p90", .9), ("p95", .95), ("p99", .99), ("p999", .999)):
                self.assert_near(answer[key], quantile(values, q), 0.0101, name + " " + key)

    def test_an_anomaly_is_judged_by_the_hundred_values_before_it(self):
        rng = random.Random(11)
        values = [rng.gauss(1e9, 3) for _ in range(130)]
        self.push_metrics([{"name": "a", "kind": "gauge", "value": v} for v in values])
        answer = self.broker.get("anomaly.get", name="a")
        window, before = values[-100:], values[-101:-1]
        self.assertEqual(answer["history"], 100)
        self.assert_near(answer["mean"], statistics.fmean(window), 1e-12, "mean")
        self.assert_near(answer["stddev"], statistics.stdev(window), 1e-9, "stddev")
        score = (values[-1] - statistics.fmean(before)) / statistics.stdev(before)
        self.assert_near(answer["score"], score, 1e-6, "score")
        self.assertEqual(answer["anomalous"], abs(score) > 3)
        asked = self.broker.get("anomaly.check", name="a", value=1e9 + 100)
        self.assert_near(asked["score"], (1e9 + 100 - statistics.fmean(window)) / statistics.stdev(window), 1e-6, "asked")
        self.assertTrue(asked["anomalous"])
        self.assertEqual(self.broker.get("anomaly.get", name="a"), answer)

    def test_a_profile_counts_every_request_of_its_operation(self):
        rng = random.Random(3)
        durations = [rng.expovariate(20) for _ in range(3000)]
        self.push_requests([{"operation": "GET /x", "duration": d, "error": i % 10 == 0, "attempt": 1 + (i % 4 == 0)}
                            for i, d in enumerate(durations)])
        answer = self.broker.get("profile.get", operation="GET /x")
        self.assertEqual((answer["count"], answer["errors"], answer["retries"], answer["error_ratio"]), (3000, 300, 750, 0.1))
        self.assertEqual((answer["min"], answer["max"]), (min(durations), max(durations)))
        self.assert_near(answer["total"], math.fsum(durations), 1e-9, "total")
        self.assert_near(answer["mean"], statistics.fmean(durations), 1e-9, "mean")
        for key, q in (("p50", .5), ("p95", .95), ("p99", .99)):
            self.assert_near(answer[key], quantile(durations, q), 0.0101, key)

    def test_a_dependency_is_judged_by_its_last_hundred_outcomes_and_both_edges_are_exact(self):
        def outcomes(*errors):
            self.push_requests([{"operation": "q", "duration": 0.5, "dependency": "pg", "error": bool(e), "message": "gone"} for e in errors])
            return self.broker.get("dependency.get", name="pg")
        self.assertEqual(outcomes(0, 0, 0, 0)["status"], "unknown")
        self.assertEqual(outcomes(0)["status"], "healthy")
        self.assertEqual(outcomes(*[0] * 85, *[1] * 10)["status"], "healthy")  # exactly 10 of 100
        answer = outcomes(1)  # a good one leaves: 11 of 100
        self.assertEqual((answer["status"], answer["failures"], answer["successes"], answer["error_ratio"]), ("degraded", 11, 89, 0.11))
        self.assertEqual(outcomes(*[1] * 39)["status"], "degraded")  # exactly 50 of 100
        answer = outcomes(1)
        self.assertEqual((answer["status"], answer["failures"], answer["last_error"]), ("unhealthy", 51, "gone"))
        self.assertEqual((answer["avg_latency"], answer["p95_latency"]), (0.5, 0.5))

    def test_an_slo_says_compliance_budget_and_burn(self):
        self.broker.get("slo.put", name="s", target_percent=90, window="1h", match={"operation": "o"}, latency="100ms")
        answer = self.broker.get("slo.get", name="s")
        self.assertEqual((answer["status"], answer["total"], answer["compliance_percent"], answer["error_budget"]),
                         ("insufficient_data", 0, None, None))
        self.push_requests([{"operation": "o", "duration": 0.01}] * 95 + [{"operation": "o", "duration": 0.2}] * 3
                           + [{"operation": "o", "duration": 0.01, "error": True}] * 2 + [{"operation": "other", "duration": 9}] * 7)
        answer = self.broker.get("slo.get", name="s")
        self.assertEqual((answer["total"], answer["good"], answer["bad"], answer["status"]), (100, 95, 5, "ok"))
        self.assertEqual(answer["compliance_percent"], 95)
        self.assert_near(answer["error_budget"], 0.5, 1e-9, "budget")
        self.assertEqual(set(answer["burn"]), {"5m", "30m", "1h", "2h", "6h", "24h", "3d"})
        self.assert_near(answer["burn"]["5m"], 0.5, 1e-9, "burn")
        self.push_requests([{"operation": "o", "duration": 0.2}] * 10)
        answer = self.broker.get("slo.get", name="s")
        self.assertEqual((answer["bad"], answer["status"]), (15, "breached"))

    def test_a_compact_frame_says_the_same_as_the_events_it_stands_for(self):
        self.broker.push("metrics", {"series": [{"name": "a", "kind": "counter", "labels": {"x": "1"}}, {"name": "b", "kind": "gauge"}],
                                     "samples": [0, 1, 1, 5, 0, 2.5, 1, 6, 2, 1]})
        tally = self.broker.wait_ingest("metrics", 1)
        self.assertEqual((tally["accepted"], tally["samples"], tally["refused"]), (4, 4, {"bad_value": 1}))
        self.assertEqual(self.broker.get("metrics.get", name="a", labels={"x": "1"})["value"], 3.5)
        self.assertEqual(self.broker.get("metrics.get", name="b")["value"], 6)

    def test_a_list_is_walked_to_its_end_by_cursors_and_nothing_is_seen_twice(self):
        self.push_metrics([{"name": "m%03d" % i, "kind": "gauge", "value": i} for i in range(250)])
        seen, cursor = [], None
        while True:
            page = self.broker.get("metrics.list", prefix="m", limit=60, cursor=cursor)
            seen += [item["name"] for item in page["items"]]
            cursor = page["cursor"]
            if cursor is None:
                break
        self.assertEqual(sorted(seen), ["m%03d" % i for i in range(250)])
        self.assertEqual(self.broker.get("metrics.list", prefix="none"), {"items": [], "cursor": None})

    def test_numbers_in_every_form_mean_the_same(self):
        def frame(number):
            return b"\x83\xa4name\xa1n\xa4kind\xa7counter\xa5value" + number
        self.broker.push("metrics", frame(b"\x01"), frame(b"\xcc\x01"), frame(b"\xcf" + struct.pack(">Q", 1)), frame(b"\xd0\x01"),
                         frame(b"\xca" + struct.pack(">f", 1)), frame(b"\xcb" + struct.pack(">d", 1)))
        self.broker.wait_ingest("metrics", 6)
        self.assertEqual(self.broker.get("metrics.get", name="n")["value"], 6)


class OverTheLimit(BrokerTest):
    config = "limits: {series: 10}\n"

    def test_past_the_limit_events_go_to_the_overflow_series_and_are_counted(self):
        self.broker.push("metrics", [{"name": "m", "kind": "counter", "value": 1, "labels": {"i": str(i)}} for i in range(25)])
        wait_for(lambda: self.broker.ingest("metrics")["accepted"] == 25, "the events")
        series = self.broker.get("system.status")["series"]
        self.assertEqual((series["limit"], series["overflow"]), (10, 15))
        self.assertEqual(self.broker.get("metrics.get", name="m", labels={"__overflow__": "true"})["value"], 15)
        self.assertEqual(self.broker.get("metrics.get", name="m", labels={"i": "3"})["value"], 1)


if __name__ == "__main__":
    main()
