"""The main job: what is pushed in at one end comes out as anomalies, alerts, incidents at the other."""
import signal

import msgpack
import zmq
from harness import BrokerTest, main, wait_for

POLICY = """
policies:
  - {name: high_cpu, condition: "cpu > 80%", severity: critical, window: 1s, channels: [], runbook: cpu,
     open_incident: true, auto_resolve: true, labels: {team: core}, summary: the cpu is busy}
runbooks:
  - {name: cpu, description: what to do when a host is busy, procedures: [look], steps: {look: [top]}}
slos:
  - {name: checkout, target_percent: 99, window: 3s, match: {operation: "POST /orders"}}
"""


class AnEventBecomesAnAlert(BrokerTest):
    config = POLICY

    def cpu(self, *values):
        self.broker.push("metrics", [{"name": "cpu", "kind": "gauge", "value": v, "labels": {"host": "a"}} for v in values])

    def test_a_threshold_that_is_crossed_fires_and_opens_an_incident_and_both_recover(self):
        events = self.broker.subscribe("")
        self.cpu(20, 93)
        firing = events.next("alert.firing")
        self.assertEqual(firing["topic"], "alert.critical.high_cpu")
        self.assertEqual(firing["family"], "alert")
        self.assertEqual(firing["data"]["value"], 93)
        self.assertEqual(firing["data"]["labels"], {"host": "a", "team": "core"})
        self.assertEqual(firing["data"]["message"], "the cpu is busy")
        incident = firing["data"]["incident"]
        self.assertTrue(incident.startswith("INC-"))
        self.assertEqual(firing["correlation"], incident)
        self.assertIn("incident.opened", [p["type"] for _, p in events.seen] + [events.next("incident.opened")["type"]]
                      if not any(p["type"] == "incident.opened" for _, p in events.seen) else ["incident.opened"])
        shown = self.broker.get("incident.get", incident=incident)
        self.assertEqual(shown["alerts"], [firing["data"]["alert"]])
        self.assertEqual(shown["runbook"], "cpu")
        self.assertEqual(shown["severity"], "critical")

        self.cpu(10)
        resolved = events.next("alert.resolved")
        self.assertEqual(resolved["data"]["reason"], "recovered")
        self.assertEqual(resolved["data"]["value"], 10)
        self.assertEqual((resolved["data"]["value_at_fire"], resolved["data"]["peak"]), (93, 93))
        self.assertEqual((resolved["data"]["from"], resolved["data"]["to"]), ("firing", "resolved"))
        wait_for(lambda: self.broker.get("incident.get", incident=incident)["status"] == "resolved", "the incident to resolve")
        self.assertEqual(self.broker.get("alert.list")["items"], [])
        self.assertEqual(len(self.broker.get("alert.history")["items"]), 1)

    def test_an_outlier_is_published_as_an_anomaly_and_clears(self):
        events = self.broker.subscribe("anomaly.queue")
        values = [10, 11, 9, 10, 12, 10, 9, 11, 10, 10, 11]
        self.broker.push("metrics", [{"name": "queue", "kind": "gauge", "value": v} for v in values + [50, 10]])
        detected = events.next("anomaly.detected")
        self.assertEqual((detected["seq"], detected["topic"], detected["subject"]), (1, "anomaly.queue", "queue"))
        self.assertEqual(detected["data"]["last_value"], 50)
        self.assertGreater(detected["data"]["score"], 3)
        self.assertEqual(events.next("anomaly.cleared")["seq"], 2)

    def test_requests_change_a_dependency_and_break_an_slo_which_recover(self):
        events = self.broker.subscribe("dependency.", "slo.")
        request = {"operation": "POST /orders", "duration": 0.02, "dependency": "postgresql"}
        self.broker.push("requests", [request] * 10)
        self.assertEqual(events.next("dependency.changed")["data"]["to"], "healthy")
        self.broker.push("requests", [dict(request, error=True, message="connection refused")] * 12)
        worse = events.next("dependency.changed", to="unhealthy")
        self.assertEqual(worse["data"]["last_error"], "connection refused")
        breached = events.next("slo.breached") if not any(p["type"] == "slo.breached" for _, p in events.seen) else \
            [p for _, p in events.seen if p["type"] == "slo.breached"][0]
        self.assertEqual((breached["topic"], breached["data"]["to"]), ("slo.checkout", "breached"))
        events.next("slo.recovered", patience=20)

    def test_an_incident_pushed_without_an_answer_is_opened(self):
        events = self.broker.subscribe("incident.high.")
        self.broker.push("incidents", {"title": "disk full", "severity": "high", "systems": ["db"], "key": "disk"})
        opened = events.next("incident.opened")
        self.assertEqual((opened["subject"], opened["data"]["status"]), ("INC-1", "new"))
        again = self.broker.get("incident.open", title="disk full", severity="high", key="disk")
        self.assertEqual((again["incident"], again["duplicate"], again["occurrences"]), ("INC-1", True, 2))
        self.assertEqual(events.next("incident.updated")["data"]["occurrences"], 2)

    def test_heartbeats_carry_the_head_of_every_family(self):
        events = self.broker.subscribe("heartbeat")
        self.broker.get("incident.open", title="a", severity="low")
        beat = wait_for(lambda: (lambda b: b if b["data"]["heads"]["incident"] == 1 else None)(events.next("heartbeat")), "the head")
        self.assertEqual(set(beat["data"]["heads"]), {"anomaly", "slo", "dependency", "alert", "incident"})
        self.assertEqual(self.broker.get("events.heads")["incident"], 1)
        since = self.broker.get("events.since", family="incident", seq=0)
        self.assertEqual([i["type"] for i in since["items"]], ["incident.opened"])
        self.assertEqual(self.broker.get("events.since", family="incident", seq=1)["items"], [])

    def test_everything_acknowledged_survives_a_kill_and_numbers_go_on(self):
        events = self.broker.subscribe("")
        self.cpu(99)
        alert = events.next("alert.firing")["data"]["alert"]
        incident = self.broker.get("incident.open", title="by hand", severity="low", once="one")
        self.broker.get("incident.note", incident=incident["incident"], text="seen\nby me", by="ann")
        self.broker.get("slo.put", name="all", target_percent=99.9)
        heads = self.broker.get("events.heads")
        self.broker.stop(signal.SIGKILL)
        self.broker.start()
        shown = self.broker.get("incident.get", incident=incident["incident"])
        self.assertEqual([(n["by"], n["text"]) for n in shown["notes"]], [("ann", "seen\nby me")])
        again = self.broker.get("incident.open", title="by hand", severity="low", once="one")
        self.assertEqual(again, incident)
        self.assertEqual([a["alert"] for a in self.broker.get("alert.list")["items"]], [alert])
        self.assertIn("all", [s["name"] for s in self.broker.get("slo.list")["items"]])
        later = self.broker.get("events.heads")
        self.assertEqual((later["alert"], later["incident"]), (heads["alert"], heads["incident"]))
        events = self.broker.subscribe("alert.")
        self.cpu(5)
        self.assertEqual(events.next("alert.resolved")["data"]["alert"], alert)
        self.broker.get("incident.open", title="next", severity="low")
        self.assertEqual(self.broker.get("events.heads")["incident"], self.broker.get("events.since", family="incident", seq=heads["incident"])["items"][-1]["seq"])

    def test_a_stop_by_signal_is_clean(self):
        self.broker.get("incident.open", title="a", severity="low")
        self.assertEqual(self.broker.stop(signal.SIGTERM), 0)
        self.broker.start()
        self.assertEqual(len(self.broker.get("incident.list")["items"]), 1)
        self.assertEqual(self.broker.stop(signal.SIGINT), 0)

    def test_every_client_socket_that_can_ask_is_answered_with_its_envelope(self):
        dealer = self.broker.socket(zmq.DEALER, "control")
        dealer.send_multipart([b"hop", b"", msgpack.packb({"do": "system.ping", "id": [1, {"a": None}]})])
        self.assertTrue(dealer.poll(5000))
        frames = dealer.recv_multipart()
        self.assertEqual(frames[:2], [b"hop", b""])
        self.assertEqual(msgpack.unpackb(frames[2]), {"id": [1, {"a": None}], "ok": True, "result": "pong"})
        dealer.close(0)


if __name__ == "__main__":
    main()
