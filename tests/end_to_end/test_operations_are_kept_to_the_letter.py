"""Incidents, alerts, policies and runbooks by command, to the letter of the contract; and what survives a kill."""
import random
import signal
import threading
import time

import msgpack
import zmq
from harness import BrokerTest, main, wait_for

POLICY = {"name": "p", "condition": "x > 10", "severity": "high", "channels": []}


class Operations(BrokerTest):
    def open(self, **arguments):
        return self.broker.get("incident.open", **dict({"title": "t", "severity": "low"}, **arguments))

    def test_an_incident_moves_forward_skips_reopens_and_ends(self):
        get, refusal = self.broker.get, self.broker.refusal
        i = self.open(description="d", systems=["db"], labels={"a": "b"}, by="ann")
        self.assertEqual((i["incident"], i["status"], i["occurrences"], i["duplicate"], i["acknowledged_at"]), ("INC-1", "new", 1, False, None))
        i = get("incident.update", incident="INC-1", status="investigating", owner="bob", by="bob")
        self.assertEqual((i["status"], i["owner"]), ("investigating", "bob"))
        acknowledged = i["acknowledged_at"]
        self.assertIsNotNone(acknowledged)
        self.assertEqual(refusal("incident.update", incident="INC-1", status="investigating"), "bad_transition")
        self.assertEqual(refusal("incident.update", incident="INC-1", status="new"), "bad_transition")
        i = get("incident.resolve", incident="INC-1", resolution="r", root_cause="c")
        self.assertEqual((i["status"], i["resolution"], i["root_cause"]), ("resolved", "r", "c"))
        self.assertEqual(refusal("incident.resolve", incident="INC-1"), "bad_transition")
        i = get("incident.update", incident="INC-1", status="investigating")
        self.assertEqual((i["status"], i["acknowledged_at"]), ("investigating", acknowledged))
        i = get("incident.close", incident="INC-1")
        self.assertEqual(i["status"], "closed")
        for status in ("new", "investigating", "resolved", "closed"):
            self.assertEqual(refusal("incident.update", incident="INC-1", status=status), "bad_transition")
        self.assertEqual(refusal("incident.update", incident="INC-1", title="other"), "bad_transition")
        self.assertEqual(refusal("incident.resolve", incident="INC-1"), "bad_transition")
        i = get("incident.note", incident="INC-1", text="after", by="ann")
        self.assertEqual((i["status"], i["notes"][-1]["text"], i["notes_count"]), ("closed", "after", 1))
        i = get("incident.get", incident="INC-1")
        self.assertEqual([m["to"] for m in i["timeline"] if m["to"] in ("investigating", "resolved", "closed")],
                         ["investigating", "resolved", "investigating", "closed"])
        self.assertEqual(self.open()["incident"], "INC-2")

    def test_every_change_is_published_by_its_type_and_in_order(self):
        events = self.broker.subscribe("incident.")
        i = self.open()["incident"]
        for do, arguments in [("incident.note", {"text": "n"}), ("incident.update", {"severity": "critical"}), ("incident.update", {"status": "investigating"}),
                              ("incident.resolve", {}), ("incident.update", {"status": "investigating"}), ("incident.close", {})]:
            self.broker.get(do, incident=i, **arguments)
        events.next("incident.closed")
        seen = [p for _, p in events.seen]
        self.assertEqual([p["type"].split(".")[1] for p in seen], ["opened", "noted", "updated", "updated", "resolved", "reopened", "closed"])
        self.assertEqual([p["seq"] for p in seen], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(seen[0]["topic"], "incident.low.INC-1")
        self.assertEqual(seen[6]["topic"], "incident.critical.INC-1")
        self.assertTrue(all(p["correlation"] == "INC-1" for p in seen))
        self.assertEqual((seen[3]["data"]["from"], seen[3]["data"]["to"]), ("new", "investigating"))
        kept = self.broker.get("events.since", family="incident", seq=2)["items"]
        self.assertEqual(kept, [{k: v for k, v in p.items() if k != "topic"} for p in seen[2:]])

    def test_a_key_names_one_unclosed_incident(self):
        first = self.open(key="k")
        self.broker.get("incident.resolve", incident=first["incident"])
        again = self.open(key="k", title="other")
        self.assertEqual((again["incident"], again["duplicate"], again["occurrences"], again["title"]), ("INC-1", True, 2, "t"))
        self.broker.get("incident.close", incident="INC-1")
        self.assertEqual(self.open(key="k")["incident"], "INC-2")

    def test_lists_are_filtered_and_walked_by_cursor(self):
        for n in range(7):
            self.open(title=str(n), severity="high" if n % 2 else "low", systems=["db"] if n < 3 else ["web"])
        self.broker.get("incident.resolve", incident="INC-1")
        self.broker.get("incident.close", incident="INC-2")
        ids = lambda **a: [i["incident"] for i in self.broker.get("incident.list", **a)["items"]]
        self.assertEqual(sorted(ids(status="open")), ["INC-3", "INC-4", "INC-5", "INC-6", "INC-7"])
        self.assertEqual(sorted(ids(severity="high")), ["INC-2", "INC-4", "INC-6"])
        self.assertEqual(sorted(ids(system="db")), ["INC-1", "INC-2", "INC-3"])
        self.assertEqual(ids(system="nothing"), [])
        self.assertEqual(ids(status="closed"), ["INC-2"])
        page = self.broker.get("incident.list", limit=3)
        rest = self.broker.get("incident.list", limit=10, cursor=page["cursor"])
        self.assertEqual(sorted(i["incident"] for i in page["items"] + rest["items"]), ["INC-%d" % n for n in range(1, 8)])
        self.assertIsNone(rest["cursor"])
        self.assertEqual(self.broker.refusal("incident.list", cursor="nonsense"), "bad_request")

    def test_an_alert_fired_by_hand_is_acknowledged_and_resolved_by_hand(self):
        get, refusal = self.broker.get, self.broker.refusal
        self.assertEqual(refusal("alert.fire", policy="p"), "not_found")
        get("policy.put", **POLICY)
        events = self.broker.subscribe("alert.")
        fired = get("alert.fire", policy="p", message="now", labels={"a": "b"})
        self.assertTrue(fired["fired"])
        alert = fired["alert"]["alert"]
        self.assertEqual((fired["alert"]["state"], fired["alert"]["message"], fired["alert"]["labels"]), ("firing", "now", {"a": "b"}))
        again = get("alert.fire", policy="p", labels={"a": "b"})
        self.assertEqual((again["alert"]["alert"], again["alert"]["occurrences"]), (alert, 2))
        other = get("alert.fire", policy="p", labels={"a": "c"})["alert"]["alert"]
        self.assertNotEqual(other, alert)
        self.assertEqual(get("alert.ack", alert=alert, by="ann", note="mine")["state"], "acknowledged")
        self.assertEqual(refusal("alert.ack", alert=alert), "bad_transition")
        done = get("alert.resolve", alert=alert, by="ann")
        self.assertEqual((done["state"], done["reason"]), ("resolved", "by_hand"))
        self.assertEqual(refusal("alert.resolve", alert=alert), "bad_transition")
        self.assertEqual(refusal("alert.ack", alert="ALT-99"), "not_found")
        self.assertEqual([a["alert"] for a in get("alert.list")["items"]], [other])
        self.assertEqual(get("alert.get", alert=alert)["notes"][0]["text"], "mine")
        events.next("alert.resolved")
        self.assertEqual([p["type"] for _, p in events.seen], ["alert.firing", "alert.firing", "alert.acknowledged", "alert.resolved"])
        metrics = get("ops.metrics")
        self.assertEqual([metrics["alerts_" + k] for k in ("triggered", "acknowledged", "resolved", "active")], [2, 1, 1, 1])

    def test_a_policy_that_is_disabled_changed_or_deleted_resolves_its_alerts(self):
        get = self.broker.get
        reasons = []
        for change in (lambda: get("policy.disable", name="p"), lambda: get("policy.put", **dict(POLICY, severity="low")), lambda: get("policy.delete", name="p")):
            get("policy.put", **POLICY)
            alert = get("alert.fire", policy="p")["alert"]["alert"]
            get("policy.put", **POLICY)  # the same again changes nothing
            self.assertEqual(get("alert.get", alert=alert)["state"], "firing")
            change()
            shown = get("alert.get", alert=alert)
            reasons.append((shown["state"], shown["reason"]))
        self.assertEqual(reasons, [("resolved", "policy_changed")] * 3)
        get("policy.put", **dict(POLICY, enabled=False))
        self.assertEqual(get("alert.fire", policy="p"), {"fired": False, "reason": "disabled"})
        self.assertTrue(get("policy.enable", name="p")["enabled"])
        self.assertEqual(self.broker.refusal("policy.get", name="q"), "not_found")

    def test_for_holds_an_alert_back_and_a_pending_one_that_clears_leaves_no_trace(self):
        get = self.broker.get
        get("policy.put", **dict(POLICY, **{"for": 1}))
        push = lambda v: self.broker.push("metrics", {"name": "x", "kind": "gauge", "value": v})
        push(11)
        pending = wait_for(lambda: get("alert.list")["items"], "the pending alert")[0]
        self.assertEqual(pending["state"], "pending")
        push(1)
        wait_for(lambda: not get("alert.list")["items"], "it to clear")
        self.assertEqual(get("alert.history")["items"], [])
        events = self.broker.subscribe("alert.")
        push(12)
        started = time.monotonic()
        firing = events.next("alert.firing")
        self.assertGreaterEqual(time.monotonic() - started, 0.9)
        self.assertEqual((firing["data"]["value_at_fire"], firing["data"]["from"]), (12, "pending"))

    def test_a_policys_incident_is_joined_resolved_with_the_last_alert_and_reopened(self):
        get = self.broker.get
        get("runbook.put", name="r", description="d", procedures=["a"], steps={"a": ["one", "two"]})
        get("policy.put", **dict(POLICY, open_incident=True, auto_resolve=True, runbook="r"))
        push = lambda **hosts: self.broker.push("metrics", [{"name": "x", "kind": "gauge", "value": v, "labels": {"host": h}} for h, v in hosts.items()])
        incident = lambda: get("incident.get", incident="INC-1")
        push(a=11, b=12)
        wait_for(lambda: len(get("alert.list")["items"]) == 2, "two alerts")
        self.assertEqual((sorted(incident()["alerts"]), incident()["runbook"]), (["ALT-1", "ALT-2"], "r"))
        push(a=1)
        wait_for(lambda: len(get("alert.list")["items"]) == 1, "one alert")
        self.assertEqual(incident()["status"], "new")
        push(b=1)
        wait_for(lambda: incident()["status"] == "resolved", "the incident to resolve")
        push(a=13)
        wait_for(lambda: incident()["status"] == "investigating", "the incident to reopen")
        self.assertEqual(len(get("incident.list")["items"]), 1)
        self.assertEqual(incident()["alerts"], ["ALT-1", "ALT-2", "ALT-3"])

    def test_a_runbook_is_started_and_ticked_on_an_incident(self):
        get, refusal = self.broker.get, self.broker.refusal
        get("runbook.put", name="r", description="d", procedures=["a"], steps={"a": ["one", "two"]})
        self.assertEqual(get("runbook.get", name="r")["steps"], {"a": ["one", "two"]})
        i = self.open()["incident"]
        self.assertEqual(refusal("runbook.start", incident=i, name="none"), "not_found")
        get("runbook.start", incident=i, name="r", by="ann")
        get("runbook.tick", incident=i, procedure="a", step="one", outcome="done", by="ann")
        self.assertNotEqual(refusal("runbook.tick", incident=i, procedure="a", step="none", outcome="done"), "internal")
        timeline = get("incident.get", incident=i)["timeline"]
        self.assertTrue(any("one" in str(m) and m["by"] == "ann" for m in timeline), timeline)
        self.assertEqual([r["name"] for r in get("runbook.list")["items"]], ["r"])
        get("runbook.delete", name="r")
        self.assertEqual(refusal("runbook.get", name="r"), "not_found")

    def test_every_command_refuses_what_is_wrong_with_it(self):
        """Of each command: what must be there, what is not there, and one value of a wrong type and one too long."""
        good = {"incident.update": {"incident": "INC-1", "owner": "o"}, "incident.note": {"incident": "INC-1", "text": "t"},
                "incident.resolve": {"incident": "INC-1"}, "incident.close": {"incident": "INC-1"}, "incident.get": {"incident": "INC-1"},
                "incident.open": {"title": "t", "severity": "low"}, "policy.put": dict(POLICY), "policy.get": {"name": "p"},
                "policy.delete": {"name": "p"}, "policy.enable": {"name": "p"}, "policy.disable": {"name": "p"},
                "alert.fire": {"policy": "p"}, "alert.get": {"alert": "ALT-1"}, "alert.ack": {"alert": "ALT-1"}, "alert.resolve": {"alert": "ALT-1"},
                "runbook.put": {"name": "r", "description": "d", "procedures": ["a"], "steps": {"a": ["one"]}}, "runbook.get": {"name": "r"},
                "runbook.delete": {"name": "r"}, "runbook.start": {"incident": "INC-1", "name": "r"},
                "runbook.tick": {"incident": "INC-1", "procedure": "a", "step": "one", "outcome": "done"},
                "silence.put": {"match": {"a": "b"}, "duration": 60, "by": "ann", "reason": "r"}, "silence.delete": {"silence": "SIL-1"}}
        optional = {"owner", "match", "duration"}
        finds = {d for d in good if not d.endswith((".put", ".open"))}
        refusal = self.broker.refusal
        for do, arguments in good.items():
            if do in finds:
                self.assertEqual(refusal(do, **arguments), "not_found", do)
            for key, value in arguments.items():
                rest = {k: v for k, v in arguments.items() if k != key}
                if key not in optional:
                    self.assertEqual(refusal(do, **rest), "bad_request", (do, key, "missing"))
                    self.assertEqual(refusal(do, **dict(rest, **{key: None})), "bad_request", (do, key, "nil"))
                self.assertEqual(refusal(do, **dict(rest, **{key: [[]]})), "bad_request", (do, key, "wrong type"))
                if isinstance(value, str) and key not in ("incident", "alert", "silence"):  # an id of no form is not found
                    self.assertEqual(refusal(do, **dict(rest, **{key: "x" * 20000})), "bad_request", (do, key, "too long"))
        self.assertEqual(self.broker.get("audit.list")["items"], [], "what is refused changes nothing")

    def test_once_makes_a_resend_harmless_and_keeps_a_failure_too(self):
        first = self.broker.ask("incident.open", title="t", severity="low", once="o1")
        self.assertEqual(self.broker.ask("incident.open", title="other", severity="high", once="o1"), first)
        self.assertEqual(len(self.broker.get("incident.list")["items"]), 1)
        failed = self.broker.ask("incident.close", incident="INC-2", once="o2")
        self.open()
        self.assertEqual(self.broker.ask("incident.close", incident="INC-2", once="o2"), failed)
        self.assertEqual(failed["error"]["code"], "not_found")

    def test_who_did_what_is_written_down(self):
        self.open(by="ann")
        self.broker.get("incident.update", incident="INC-1", status="investigating", by="bob")
        items = self.broker.get("audit.list")["items"]
        self.assertEqual([(a["by"], a["what"], a["subject"]) for a in items[:2]], [("bob", "incident.update", "INC-1"), ("ann", "incident.open", "INC-1")])

    def test_metrics_equal_a_recount_also_after_a_restart(self):
        for n in range(5):
            self.open()
        for n in (1, 2, 3):
            self.broker.get("incident.resolve", incident="INC-%d" % n)
        self.broker.get("incident.update", incident="INC-3", status="investigating")
        self.broker.get("incident.close", incident="INC-2")
        before = self.broker.get("ops.metrics")
        self.assertEqual([before["incidents_" + k] for k in ("created", "resolved", "open")], [5, 2, 3])
        shown = [self.broker.get("incident.get", incident="INC-%d" % n) for n in (1, 2)]
        mean = sum(i["resolved_at"] - i["created_at"] for i in shown) / 2
        self.assertAlmostEqual(before["avg_resolution_time"], mean, places=6)
        self.broker.stop(signal.SIGKILL)
        self.broker.start()
        after = self.broker.get("ops.metrics")
        self.assertAlmostEqual(after.pop("avg_resolution_time"), before.pop("avg_resolution_time"), places=6)
        self.assertEqual({k: v for k, v in after.items() if k not in ("mtta", "mttr")}, {k: v for k, v in before.items() if k not in ("mtta", "mttr")})

    def test_a_kill_in_the_middle_of_commands_loses_nothing_acknowledged_and_doubles_nothing(self):
        acknowledged, rng = {}, random.Random(5)
        for cycle in range(10):
            dealer = self.broker.socket(zmq.DEALER, "control")
            killer = threading.Timer(rng.uniform(0.05, 0.3), self.broker.process.kill)
            killer.start()
            for n in range(400):
                once = "%d-%d" % (cycle, n)
                dealer.send(msgpack.packb({"do": "incident.open", "title": once, "severity": "low", "once": once, "id": once}))
            while dealer.poll(400):
                reply = msgpack.unpackb(dealer.recv())
                self.assertTrue(reply["ok"], reply)
                acknowledged[reply["id"]] = reply["result"]["incident"]
            dealer.close(0)
            killer.join()
            self.broker.process.wait()
            self.broker.forget()
            self.broker.start()
            for once in rng.sample(sorted(acknowledged), min(5, len(acknowledged))):
                again = self.broker.get("incident.open", title=once, severity="low", once=once)
                self.assertEqual(again["incident"], acknowledged[once])
        titles, cursor = {}, None
        while True:
            page = self.broker.get("incident.list", limit=1000, cursor=cursor)
            for item in page["items"]:
                self.assertNotIn(item["title"], titles, "applied twice")
                titles[item["title"]] = item["incident"]
            cursor = page["cursor"]
            if cursor is None:
                break
        self.assertEqual({k: titles.get(k) for k in acknowledged}, acknowledged)
        head = self.broker.get("events.heads")["incident"]
        self.assertEqual(head, len(titles), "one publication an incident, none lost, none doubled")


if __name__ == "__main__":
    main()
