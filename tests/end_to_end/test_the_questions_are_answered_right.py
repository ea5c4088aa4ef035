"""Known input pushed from outside; the answers are worked out here a second time, by another program, and compared."""
import math
import random
import statistics
import struct
import time

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

    def test_quantiles_of_a_million_values_are_within_one_percent(self):
        rng, count = random.Random(5), 1000000
        shapes = {
            "lognormal": lambda: math.exp(2 * rng.gauss(0, 1)),
            "bimodal": lambda: abs(rng.gauss(0.001, 0.0001)) if rng.random() < 0.5 else abs(rng.gauss(30, 3)),
            "heavy_tailed": lambda: min(rng.paretovariate(0.8), 1e9),
        }
        for name, draw in shapes.items():
            values = [draw() for _ in range(count)]
            self.push_metrics([{"name": name, "kind": "histogram", "values": values[i:i + 10000]} for i in range(0, count, 10000)], batch=10)
            answer = self.broker.get("metrics.get", name=name)
            values.sort()
            self.assertEqual((answer["count"], answer["min"], answer["max"]), (count, values[0], values[-1]))
            self.assert_near(answer["sum"], math.fsum(values), 1e-12, name + " sum")
            self.assert_near(answer["mean"], math.fsum(values) / count, 1e-12, name + " mean")
            for key, q in (("p50", .5), ("p90", .9), ("p95", .95), ("p99", .99), ("p999", .999)):
                self.assert_near(answer[key], values[math.ceil(round(q * count, 6)) - 1], 0.01, name + " " + key)

    def test_quantiles_are_within_one_percent_for_every_shape_of_values(self):
        rng = random.Random(7)
        shapes = {
            "lognormal": [rng.lognormvariate(0, 2) for _ in range(20000)],
            "bimodal": [abs(rng.gauss(0.001, 0.0001)) if rng.random() < 0.5 else abs(rng.gauss(30, 3)) for _ in range(20000)],
            "heavy": [rng.paretovariate(0.7) for _ in range(20000)],
            "signed": [rng.gauss(0, 5) for _ in range(20000)],
            "tiny": [rng.uniform(1e-9, 1e-8) for _ in range(5000)],
            "wide": [10 ** rng.uniform(-9, 9) * rng.choice((-1, 1)) for _ in range(20000)],
            "zeros": [0.0] * 3000 + [rng.uniform(1, 2) for _ in range(2000)],
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

    def test_an_anomaly_is_known_by_every_field_and_listed(self):
        before = time.time()
        self.push_metrics([{"name": "g", "kind": "gauge", "value": v, "labels": {"host": "a"}} for v in [1, 3] * 10 + [3, 3]])
        self.push_metrics([{"name": "c", "kind": "counter", "value": 1}])
        values = [1, 3] * 10 + [3, 3]
        answer = self.broker.get("anomaly.get", name="g", labels={"host": "a"})
        since = answer.pop("since")
        self.assertTrue(before <= since <= time.time())
        tested = values[:-1]
        self.assert_near(answer.pop("score"), (3 - statistics.fmean(tested)) / statistics.stdev(tested), 1e-9, "score")
        self.assert_near(answer.pop("stddev"), statistics.stdev(values), 1e-9, "stddev")
        self.assert_near(answer.pop("mean"), statistics.fmean(values), 1e-12, "mean")
        self.assertEqual(answer, {"name": "g", "labels": {"host": "a"}, "mode": "gaussian", "sensitivity": 3, "history": 22, "last_value": 3,
                                  "anomalous": False, "severity": "medium"})
        self.assertEqual([i["name"] for i in self.broker.get("anomaly.list")["items"]], ["g"])
        self.assertEqual(self.broker.refusal("anomaly.get", name="c"), "not_found")
        self.assertEqual(self.broker.refusal("anomaly.get", name="g"), "not_found")
        self.assertEqual(self.broker.refusal("anomaly.check", name="nothing", value=1), "not_found")

    def test_with_no_deviation_any_other_value_is_anomalous_and_has_no_score(self):
        self.push_metrics([{"name": "g", "kind": "gauge", "value": 0.1}] * 10)
        same, other = (self.broker.get("anomaly.check", name="g", value=v) for v in (0.1, 0.1 + 1e-16))
        self.assertEqual((same["anomalous"], same["score"], same["stddev"]), (False, None, 0))
        self.assertEqual((other["anomalous"], other["score"]), (True, None))
        subscriber = self.broker.subscribe("anomaly.")
        self.push_metrics([{"name": "g", "kind": "gauge", "value": v} for v in (5, 5, 0.1, 0.1)])
        detected = subscriber.next("anomaly.detected")["data"]
        self.assertEqual((detected["last_value"], detected["expected_mean"], detected["expected_stddev"]), (5, 0.1, 0))
        subscriber.next("anomaly.cleared")
        self.assertEqual([p["type"] for p in self.broker.get("events.since", family="anomaly", seq=0)["items"]],
                         ["anomaly.detected", "anomaly.cleared"])

    def test_operations_and_dependencies_are_listed_in_order_of_creation(self):
        self.push_requests([{"operation": "o%d" % i, "duration": 0.5, "dependency": "d%d" % (9 - i)} for i in range(10)])
        self.assertEqual([i["operation"] for i in self.broker.get("profile.list")["items"]], ["o%d" % i for i in range(10)])
        page = self.broker.get("dependency.list", limit=4)
        rest = self.broker.get("dependency.list", cursor=page["cursor"])
        self.assertEqual([i["name"] for i in page["items"] + rest["items"]], ["d%d" % (9 - i) for i in range(10)])
        self.assertEqual((self.broker.refusal("profile.get", operation="none"), self.broker.refusal("dependency.get", name="none")), ("not_found",) * 2)

    def test_a_dependency_is_known_by_every_field_and_each_change_is_published_once(self):
        subscriber = self.broker.subscribe("dependency.")
        rng, before = random.Random(13), time.time()
        events = [{"operation": "q", "duration": rng.expovariate(10), "dependency": "pg", "error": i % 3 == 0, "message": "e%d" % i,
                   "attempt": 1 + i % 2, "breaker": ("closed", "half_open", "open")[i % 3]} for i in range(250)]
        self.push_requests(events)
        answer, window = self.broker.get("dependency.get", name="pg"), events[-100:]
        failures = sum(e["error"] for e in window)
        self.assertTrue(before <= answer.pop("last_error_at") <= time.time() and before <= answer.pop("since") <= time.time())
        self.assert_near(answer.pop("avg_latency"), statistics.fmean(e["duration"] for e in window), 1e-12, "average")
        self.assertEqual(answer, {"name": "pg", "status": "degraded", "window": 100, "successes": 100 - failures, "failures": failures,
                                  "error_ratio": failures / 100, "p95_latency": quantile([e["duration"] for e in window], .95), "last_error": "e249",
                                  "breaker": "closed", "retries": 125})
        moves = [(p["data"]["from"], p["data"]["to"]) for p in self.broker.get("events.since", family="dependency", seq=0)["items"]]
        status, expected = "unknown", []
        for i in range(4, 250):
            last = [e["error"] for e in events[max(0, i - 99):i + 1]]
            now = "unhealthy" if 2 * sum(last) > len(last) else "degraded" if 10 * sum(last) > len(last) else "healthy"
            if now != status:
                expected.append((status, now))
            status = now
        self.assertEqual(moves, expected)
        first = subscriber.next("dependency.changed")
        self.assertEqual((first["topic"], first["data"]["from"], first["data"]["lasted"]), ("dependency.pg", "unknown", None))

    def test_an_slo_says_which_pairs_it_leaves_out_and_when_its_budget_ends(self):
        put = self.broker.get("slo.put", name="s", target_percent=80, window="1h", period="30d")
        self.assertEqual(put["left_out"], ["14.4x 1h/5m", "6x 6h/30m"])
        self.push_requests([{"operation": "o", "duration": 1, "error": i < 10} for i in range(100)])
        answer, now = self.broker.get("slo.get", name="s"), time.time()
        share, burn = 1 - (10 / 100) / 0.2, (10 / 100) / 0.2
        self.assert_near(answer["error_budget"], share, 1e-12, "budget")
        self.assert_near(answer["budget_minutes_left"], share * 30 * 1440 / burn, 1e-9, "minutes")
        self.assertAlmostEqual(answer["exhausts_at"], now + share * 30 * 86400 / burn, delta=5)
        self.assertEqual([i["name"] for i in self.broker.get("slo.list")["items"]], ["s"])
        for target in (0, 100, -1, 101):
            self.assertEqual(self.broker.refusal("slo.put", name="t", target_percent=target), "bad_request")
        self.broker.get("slo.delete", name="s")
        self.assertEqual(self.broker.refusal("slo.get", name="s"), "not_found")

    def test_an_slo_burns_once_there_are_enough_events(self):
        self.broker.get("slo.put", name="s", target_percent=99, window="3s", min_events=30)
        subscriber = self.broker.subscribe("slo.")
        self.push_requests([{"operation": "o", "duration": 1, "error": True}] * 20)
        subscriber.next("slo.breached")
        wait_for(lambda: self.broker.get("slo.get", name="s")["total"] == 0, "the window to pass")
        self.push_requests([{"operation": "o", "duration": 1}] * 9)  # 29 events in every short window: too few to say
        self.assertEqual(self.broker.get("slo.get", name="s")["status"], "ok")
        self.push_requests([{"operation": "o", "duration": 1}])
        burning = subscriber.next("slo.burning")["data"]
        self.assertEqual((burning["from"], burning["to"], burning["good"], burning["bad"]), ("ok", "burning", 10, 0))
        self.assert_near(burning["burn"]["1h"], 20 / 30 / 0.01, 1e-9, "burn")

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


class AnomalyRules(BrokerTest):
    config = """anomaly:
  - {match: {labels: {env: test}}, watch: false}
  - {match: {name: "cpu*", kind: gauge}, sensitivity: 2.5, severity: high}
  - {match: {kind: counter}, sensitivity: 0.1, min_history: 20, severity: low}
"""

    def watched(self, name, **labels):
        reply = self.broker.ask("anomaly.get", name=name, labels=labels)
        return (reply["result"]["sensitivity"], reply["result"]["severity"]) if reply["ok"] else None

    def test_the_first_rule_that_matches_by_name_kind_and_labels_rules_a_series(self):
        self.broker.push("metrics", [{"name": "cpu_user", "kind": "gauge", "value": 1}, {"name": "cpu_user", "kind": "gauge", "value": 1, "labels": {"env": "test"}},
                                     {"name": "mem", "kind": "gauge", "value": 1}, {"name": "calls", "kind": "counter", "value": 1},
                                     {"name": "cpu_time", "kind": "histogram", "value": 1}])
        self.broker.wait_ingest("metrics", 1)
        self.assertEqual(self.watched("cpu_user"), (2.5, "high"))
        self.assertEqual(self.watched("calls"), (0.1, "low"))
        self.assertEqual([self.watched("cpu_user", env="test"), self.watched("mem"), self.watched("cpu_time")], [None] * 3)

    def test_a_reload_with_a_sensitivity_out_of_range_changes_nothing(self):
        self.broker.push("metrics", {"name": "cpu", "kind": "gauge", "value": 1})
        self.broker.wait_ingest("metrics", 1)
        for wrong in ("0.09", "10.1", "-1", ".nan"):
            self.broker.write_config(self.config.replace("2.5", wrong))
            self.assertEqual(self.broker.refusal("system.reload"), "bad_request")
            self.assertEqual(self.watched("cpu"), (2.5, "high"))
        self.broker.write_config(self.config.replace("2.5", "10"))
        self.broker.get("system.reload")
        self.assertEqual(self.watched("cpu"), (10, "high"))


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
