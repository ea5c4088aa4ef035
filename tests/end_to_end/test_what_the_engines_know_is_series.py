"""What the engines and the broker know appears under the names of the contract: in questions, lists and conditions."""
from harness import BrokerTest, main, wait_for


class Series(BrokerTest):
    config = "slos: [{name: s, target_percent: 90, window: 1h}]\n"

    def push(self, endpoint, *events):
        before = self.broker.ingest(endpoint)["frames"]
        self.broker.push(endpoint, list(events))
        self.broker.wait_ingest(endpoint, before + 1)

    def requests(self, good, bad, **fields):
        self.push("requests", *[dict({"operation": "o", "duration": 0.5, "dependency": "pg", "error": i >= good}, **fields)
                                for i in range(good + bad)])

    def series(self, metric, **labels):
        """Its answer, or None."""
        reply = self.broker.ask("metrics.get", name=metric, labels=labels)
        return reply["result"] if reply["ok"] else None

    def wait_value(self, value, metric, **labels):
        def there():
            answer = self.series(metric, **labels)
            return answer if answer is not None and answer["value"] == value else None
        return wait_for(there, "%s%r = %r, not %r" % (metric, labels, value, self.series(metric, **labels)))

    def wait_gone(self, metric, **labels):
        wait_for(lambda: self.series(metric, **labels) is None, "the end of %s%r" % (metric, labels))

    def listed(self, prefix):
        return {(i["name"], tuple(sorted(i["labels"].items()))) for i in self.broker.get("metrics.list", prefix=prefix, limit=1000)["items"]}

    def test_a_profile(self):
        self.requests(3, 1, attempt=2)
        self.wait_value(1, "tocsin_profile_errors_total", operation="o")
        self.assertEqual(self.series("tocsin_profile_retries_total", operation="o")["value"], 4)
        durations = self.series("tocsin_profile_duration_seconds", operation="o")
        self.assertEqual((durations["kind"], durations["unit"], durations["count"], durations["sum"], durations["max"]), ("histogram", "seconds", 4, 2, 0.5))
        self.assertEqual(self.listed("tocsin_profile_"), {(name, (("operation", "o"),)) for name in (
            "tocsin_profile_duration_seconds", "tocsin_profile_errors_total", "tocsin_profile_retries_total")})

    def test_a_dependency(self):
        self.requests(8, 2, attempt=2, breaker="half_open")
        self.wait_value(0.2, "tocsin_dependency_error_ratio", dependency="pg")
        for state, value in (("unknown", 0), ("healthy", 0), ("degraded", 1), ("unhealthy", 0)):
            self.wait_value(value, "tocsin_dependency_state", dependency="pg", state=state)
        for state, value in (("closed", 0), ("half_open", 1), ("open", 0)):
            self.wait_value(value, "tocsin_dependency_breaker_state", dependency="pg", state=state)
        self.wait_value(10, "tocsin_dependency_retries_total", dependency="pg")

    def test_an_slo(self):
        self.assertIsNone(self.series("tocsin_slo_compliance_ratio", slo="s"))  # without data there is none
        self.requests(19, 1)
        self.wait_value(0.95, "tocsin_slo_compliance_ratio", slo="s")
        self.wait_value(0.5, "tocsin_slo_error_budget_ratio", slo="s")
        for window in ("5m", "30m", "1h", "2h", "6h", "24h", "3d"):
            self.wait_value(0.5, "tocsin_slo_burn_rate", slo="s", window=window)
        self.broker.get("slo.put", name="t", target_percent=50)
        self.requests(1, 1)
        self.wait_value(0, "tocsin_slo_error_budget_ratio", slo="t")
        self.broker.get("slo.delete", name="t")
        self.wait_gone("tocsin_slo_error_budget_ratio", slo="t")
        self.assertEqual({labels for name, labels in self.listed("tocsin_slo_burn_rate")},
                         {(("slo", "s"), ("window", w)) for w in ("5m", "30m", "1h", "2h", "6h", "24h", "3d")})

    def test_an_anomaly(self):
        self.push("metrics", *[{"name": "cpu", "kind": "gauge", "value": i % 2, "labels": {"host": "a"}} for i in range(50)])
        score = self.broker.get("anomaly.get", name="cpu", labels={"host": "a"})["score"]
        self.wait_value(score, "tocsin_anomaly_score", name="cpu", host="a")

    def test_the_broker_itself(self):
        self.push("metrics", {"name": "g", "kind": "gauge", "value": 1}, {"name": "g", "kind": "counter", "value": 1}, 5)
        self.broker.push("incidents", {"title": "t", "severity": "low"}, {"title": "t"})
        self.wait_value(1, "tocsin_ingest_accepted_total", endpoint="metrics")
        self.wait_value(1, "tocsin_ingest_refused_total", endpoint="metrics", reason="kind_mismatch")
        self.wait_value(1, "tocsin_ingest_refused_total", endpoint="metrics", reason="not_a_map")
        self.wait_value(0, "tocsin_ingest_accepted_total", endpoint="requests")
        self.wait_value(1, "tocsin_ingest_accepted_total", endpoint="incidents")
        self.wait_value(1, "tocsin_ingest_refused_total", endpoint="incidents", reason="missing_field")
        self.wait_value(1, "tocsin_publications_total", family="incident")
        for family in ("anomaly", "slo", "dependency", "alert"):
            self.wait_value(0, "tocsin_publications_total", family=family)
        version = self.broker.get("system.status")["version"]
        self.wait_value(1, "tocsin_build_info", version=version)
        self.wait_value(1, "tocsin_series")
        self.requests(5, 0)
        self.wait_value(1, "tocsin_publications_total", family="dependency")

    def test_operations(self):
        self.broker.get("policy.put", name="p", condition="cpu > 5", severity="high", channels=[])
        self.push("metrics", {"name": "cpu", "kind": "gauge", "value": 6})
        self.wait_value(1, "ALERTS", alertname="p", alertstate="firing", severity="high")
        self.wait_value(1, "tocsin_ops_alerts_active")
        alert = self.broker.get("alert.list")["items"][0]["alert"]
        self.broker.get("alert.ack", alert=alert)
        self.wait_value(1, "ALERTS", alertname="p", alertstate="acknowledged", severity="high")
        self.wait_gone("ALERTS", alertname="p", alertstate="firing", severity="high")
        self.push("metrics", {"name": "cpu", "kind": "gauge", "value": 1})
        self.wait_gone("ALERTS", alertname="p", alertstate="acknowledged", severity="high")
        self.wait_value(1, "tocsin_ops_alerts_triggered")
        self.wait_value(1, "tocsin_ops_alerts_resolved")
        self.assertEqual(self.listed("ALERTS"), set())
        self.broker.get("incident.open", title="t", severity="low")
        self.wait_value(1, "tocsin_ops_incidents_open")

    def test_conditions_read_them(self):
        conditions = {
            "errors": 'tocsin_profile_errors_total{operation="o"} >= 4',
            "requests": "tocsin_profile_duration_seconds_count > 9",
            "ratio": 'tocsin_dependency_error_ratio{dependency="pg"} > 30%',
            "state": 'tocsin_dependency_state{state="degraded"} == 1',
            "breaker": 'tocsin_dependency_breaker_state{state="open"} == 1',
            "burn": 'tocsin_slo_burn_rate{slo="s",window="5m"} > 1',
            "compliance": 'tocsin_slo_compliance_ratio{slo="s"} < 90%',
            "score": 'tocsin_anomaly_score{name="cpu"} > 10',
            "refused": 'tocsin_ingest_refused_total{endpoint="metrics",reason="kind_mismatch"} > 0',
            "alerts": 'ALERTS{alertname="ratio",alertstate="firing"} == 1',
            "ops": "tocsin_ops_alerts_active > 1",
        }
        subscriber = self.broker.subscribe("alert.")
        for name, condition in conditions.items():
            self.broker.get("policy.put", name=name, condition=condition, severity="high", channels=[])
        self.requests(6, 4, breaker="open")
        self.push("metrics", *[{"name": "cpu", "kind": "gauge", "value": v} for v in [1, 2] * 20 + [500]])
        self.push("metrics", {"name": "cpu", "kind": "counter", "value": 1})
        wait_for(lambda: {a["policy"] for a in self.broker.get("alert.list")["items"] if a["state"] == "firing"} == set(conditions),
                 "all of them to fire: %r" % [a["policy"] for a in self.broker.get("alert.list")["items"]])
        fired = [subscriber.next("alert.firing")["data"] for _ in conditions]
        self.assertEqual({a["policy"] for a in fired}, set(conditions))
        self.assertEqual([a["labels"] for a in fired if a["policy"] == "ratio"], [{"dependency": "pg"}])


if __name__ == "__main__":
    main()
