"""Timing of alerts and who is told of them: hysteresis, missing data, silence, inhibition, restarts."""
import signal

from harness import BrokerTest, main, wait_for

POLICY = {"name": "p", "condition": "x > 10", "severity": "high", "channels": [], "window": 0.2}


class PoliciesThatPeopleCanTrust(BrokerTest):
    def push(self, value, name="x", **labels):
        self.broker.push("metrics", {"name": name, "kind": "gauge", "value": value, "labels": labels})

    def alert(self, number):
        return self.broker.get("alert.get", alert="ALT-%d" % number)

    def test_with_a_resolve_condition_it_fires_at_one_level_and_recovers_at_another(self):
        self.broker.get("policy.put", **dict(POLICY, resolve_condition="x < 5"))
        events = self.broker.subscribe("alert.")
        for value in (11, 8, 12, 7, 4):
            self.push(value)
        self.assertEqual(events.next("alert.firing")["data"]["value_at_fire"], 11)
        self.assertEqual(events.next("alert.resolved")["data"]["reason"], "recovered")
        self.assertEqual([p["type"] for _, p in events.seen], ["alert.firing", "alert.resolved"])

    def test_missing_data_stands_in_a_state_of_its_own_until_data_is_back(self):
        self.broker.get("policy.put", **dict(POLICY, no_data="fire", lookback=1))
        events = self.broker.subscribe("alert.")
        self.push(1, host="a")
        missing = events.next("alert.no_data")
        self.assertEqual((missing["data"]["state"], missing["data"]["labels"], missing["data"]["fired_at"]), ("no_data", {"host": "a"}, None))
        self.push(1, host="a")
        self.assertEqual(events.next("alert.resolved")["data"]["from"], "no_data")
        self.assertEqual(self.broker.get("ops.metrics")["alerts_triggered"], 0)

    def test_a_silence_is_listed_covers_what_it_matches_and_survives_a_kill(self):
        get, refusal = self.broker.get, self.broker.refusal
        get("policy.put", **POLICY)
        by = {"by": "ann", "reason": "new disk"}
        first = get("silence.put", match={"host": "a", "severity": "high"}, duration="1h", **by)
        self.assertEqual((first["silence"], first["match"], first["by"], first["reason"]), ("SIL-1", {"host": "a", "severity": "high"}, "ann", "new disk"))
        get("silence.put", matchers=["policy=\"p\"", "host=~\"[bc]\""], until="resolved", **by)
        self.assertEqual(refusal("silence.put", match={"host": "a"}, **by), "bad_request")
        self.assertEqual(refusal("silence.put", match={"host": "a"}, duration=5, every={"days": ["mon"]}, **by), "bad_request")
        self.assertEqual(refusal("silence.put", matchers=["host=~\"(\""], duration=5, **by), "bad_request")
        self.assertEqual(refusal("silence.put", match={"host": "a"}, duration=5, reason="r"), "bad_request")
        events = self.broker.subscribe("alert.")
        self.push(11, host="a")
        self.assertEqual(events.next("alert.firing")["data"]["silenced_by"], ["SIL-1"])
        self.push(11, host="b")
        self.assertEqual(events.next("alert.firing")["data"]["silenced_by"], ["SIL-2"])
        self.broker.stop(signal.SIGKILL)
        self.broker.start()
        self.assertEqual([(s["silence"], s["until"] == "resolved") for s in get("silence.list")["items"]], [("SIL-1", False), ("SIL-2", True)])
        self.assertEqual([a["silenced_by"] for a in get("alert.list")["items"]], [["SIL-2"], ["SIL-1"]])
        get("alert.resolve", alert="ALT-2")
        self.assertEqual([s["silence"] for s in get("silence.list")["items"]], ["SIL-1"])
        self.assertEqual(get("silence.delete", silence="SIL-1", by="bob")["reason"], "new disk")
        self.assertEqual((self.alert(1)["silenced_by"], self.alert(1)["state"]), ([], "firing"))
        self.assertEqual(refusal("silence.delete", silence="SIL-1"), "not_found")
        audited = [(a["by"], a["what"], a["subject"]) for a in get("audit.list")["items"] if a["what"].startswith("silence")]
        self.assertEqual(audited, [("bob", "silence.delete", "SIL-1"), (None, "silence.delete", "SIL-2"), ("ann", "silence.put", "SIL-2"), ("ann", "silence.put", "SIL-1")])

    def test_what_a_cause_brings_about_is_inhibited_while_the_cause_fires(self):
        get = self.broker.get
        get("policy.put", **dict(POLICY, name="consequence", condition="slow > 1", inhibited_by=["cause"]))
        get("policy.put", **dict(POLICY, name="cause", condition="down > 0"))
        self.assertEqual(self.broker.refusal("policy.put", **dict(POLICY, name="cause", inhibited_by=["consequence"])), "bad_request")
        events = self.broker.subscribe("alert.")
        self.push(1, name="down")
        cause = events.next("alert.firing")["data"]["alert"]
        self.push(2, name="slow")
        told = events.next("alert.firing")["data"]
        self.assertEqual((told["policy"], told["inhibited_by"]), ("consequence", [cause]))
        self.push(0, name="down")
        events.next("alert.resolved")
        wait_for(lambda: get("alert.get", alert=told["alert"])["inhibited_by"] == [], "it to be inhibited no more")

    def test_a_policy_that_cannot_be_evaluated_says_so_and_stops_no_other(self):
        get = self.broker.get
        for name in ("x", "y"):
            for i in "12":
                self.push(1, name=name, host="a", i=i)
        self.broker.wait_ingest("metrics", 4)
        events = self.broker.subscribe("alert.")
        get("policy.put", **dict(POLICY, condition="x * on (host) y > 0"))
        get("policy.put", **dict(POLICY, name="q", condition="x + 0 > 0"))
        failed = events.next("alert.no_data")["data"]
        self.assertEqual((failed["policy"], failed["labels"], failed["fired_at"]), ("p", {}, None))
        events.next("alert.firing")
        self.assertIn(get("policy.get", name="p")["error"], failed["message"])
        self.assertIsNone(get("policy.get", name="q")["error"])
        get("policy.put", **dict(POLICY, condition="x > 100"))
        self.assertEqual(events.next("alert.resolved", policy="p")["data"]["reason"], "policy_changed")
        self.assertIsNone(get("policy.get", name="p")["error"])

    def test_a_restart_is_a_pause_and_what_fires_goes_on_firing(self):
        get = self.broker.get
        get("policy.put", **dict(POLICY, **{"for": 600}))
        get("policy.put", **dict(POLICY, name="q"))
        self.push(11, host="a")
        wait_for(lambda: len(get("alert.list")["items"]) == 2, "both alerts")
        self.broker.stop(signal.SIGKILL)
        self.broker.start()
        events = self.broker.subscribe("alert.")
        self.assertEqual({a["policy"]: a["state"] for a in get("alert.list")["items"]}, {"p": "pending", "q": "firing"})
        self.push(3, host="a")
        self.assertEqual(events.next("alert.resolved")["data"]["policy"], "q")
        wait_for(lambda: get("alert.list")["items"] == [], "the pending one to be forgotten")
        self.assertEqual([a["policy"] for a in get("alert.history")["items"]], ["q"])


if __name__ == "__main__":
    main()
