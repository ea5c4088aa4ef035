"""SLO windows, profiles and anomaly windows go on after a kill (to the last writing) and after a stop (all of them)."""
import os

from harness import BrokerTest, main, wait_for


class Counted(BrokerTest):
    def push(self, endpoint, events):
        before = self.broker.ingest(endpoint)["frames"]
        self.broker.push(endpoint, events)
        self.broker.wait_ingest(endpoint, before + 1)

    def requests(self, good, bad):
        self.push("requests", [{"operation": "o", "duration": 0.25, "error": i >= good, "attempt": 1 + (i < 3)} for i in range(good + bad)])

    def gauges(self, *values):
        self.push("metrics", [{"name": "g", "kind": "gauge", "value": v, "labels": {"host": "a"}} for v in values])

    def knowledge(self):
        slo, profile = self.broker.get("slo.get", name="s"), self.broker.get("profile.get", operation="o")
        return {key: slo[key] for key in ("total", "good", "bad", "burn", "status", "since", "error_budget", "compliance_percent")}, profile

    def windows_file(self):
        return os.path.join(self.broker.store, "windows")

    def written_anew(self):
        """Wait for a file that was begun after now: the second from here."""
        for _ in range(2):
            before = os.stat(self.windows_file()).st_ino if os.path.exists(self.windows_file()) else None
            wait_for(lambda: os.path.exists(self.windows_file()) and os.stat(self.windows_file()).st_ino != before, "the file of windows")


class EverySecond(Counted):
    config = "store: {windows_interval: 1s}\n"

    def test_a_kill_loses_nothing_that_was_written(self):
        self.broker.get("slo.put", name="s", target_percent=90, window="1h")
        self.requests(100, 20)
        self.gauges(*range(50))
        known = self.knowledge()
        self.assertEqual((known[0]["total"], known[0]["bad"]), (120, 20))
        self.assertAlmostEqual(known[0]["burn"]["3d"], 20 / 120 / 0.1)
        self.written_anew()
        self.broker.stop(9)
        self.broker.start()
        self.assertEqual(self.knowledge(), known)
        self.requests(5, 0)
        self.assertEqual(self.broker.get("slo.get", name="s")["good"], 105)
        self.assertEqual(self.broker.get("profile.get", operation="o")["count"], 125)
        self.gauges(7)  # the windows of watched series are written at a stop only
        self.assertEqual(self.broker.get("anomaly.get", name="g", labels={"host": "a"})["history"], 1)

    def test_a_disk_that_takes_no_windows_is_told_once_and_stops_nothing(self):
        os.mkdir(self.windows_file() + ".new")
        wait_for(lambda: "the windows cannot be kept" in self.broker.read_log(), "the complaint")
        self.broker.get("slo.put", name="s", target_percent=90)
        self.requests(1, 0)
        os.rmdir(self.windows_file() + ".new")
        wait_for(lambda: "the windows are kept again" in self.broker.read_log(), "the end of it")
        self.assertEqual(self.broker.read_log().count("the windows cannot be kept"), 1)
        self.assertEqual(self.broker.stop(), 0)


class AtAStop(Counted):
    config = "store: {windows_interval: 1h}\nslos: [{name: s, target_percent: 90, window: 1h}]\n"

    def test_a_stop_keeps_everything_and_an_episode_under_way_ends_after_it(self):
        self.requests(30, 6)
        self.gauges(*[1, 2] * 60, 500)
        known, before = self.knowledge(), self.broker.get("anomaly.get", name="g", labels={"host": "a"})
        self.assertTrue(before["anomalous"])
        self.assertEqual(self.broker.stop(), 0)
        self.broker.start()
        self.assertEqual(self.knowledge(), known)
        subscriber = self.broker.subscribe("anomaly.")
        self.gauges(2)
        cleared = subscriber.next("anomaly.cleared")
        self.assertEqual(cleared["data"]["history"], 100)
        self.assertAlmostEqual(cleared["data"]["expected_mean"], before["mean"])
        self.assertAlmostEqual(cleared["data"]["expected_stddev"], before["stddev"])

    def test_an_slo_that_was_defined_anew_or_deleted_begins_anew(self):
        self.broker.get("slo.put", name="t", target_percent=90)
        self.broker.get("slo.put", name="u", target_percent=90)
        self.requests(3, 0)
        self.broker.get("slo.delete", name="t")
        self.broker.stop()
        self.broker.write_config(self.config.replace("target_percent: 90", "target_percent: 95"))
        self.broker.start()
        self.assertEqual(self.broker.get("slo.get", name="s")["total"], 0)
        self.assertEqual(self.broker.get("slo.get", name="u")["total"], 3)
        self.assertEqual(self.broker.refusal("slo.get", name="t"), "not_found")
        self.broker.get("slo.put", name="t", target_percent=90)
        self.assertEqual(self.broker.get("slo.get", name="t")["total"], 0)

    def assert_refused(self, reason):
        self.broker.start()
        self.assertIn("windows begin anew", self.broker.read_log())
        self.assertIn(reason, self.broker.read_log())
        self.assertEqual(self.broker.get("slo.get", name="s")["total"], 0)
        self.assertEqual(self.broker.get("profile.list")["items"], [])

    def stopped_file(self):
        self.requests(10, 0)
        self.broker.stop()
        with open(self.windows_file(), "rb") as file:
            return file.read()

    def write_file(self, content):
        with open(self.windows_file(), "wb") as file:
            file.write(content)

    def test_a_torn_file_is_refused_and_the_broker_starts(self):
        self.write_file(self.stopped_file()[:-20])
        self.assert_refused("torn or damaged")

    def test_a_file_of_another_version_is_refused_and_the_broker_starts(self):
        content = self.stopped_file()
        self.write_file(content[:7] + b"\x63" + content[8:])
        self.assert_refused("of another version")

    def test_a_foreign_file_is_refused_and_the_broker_starts(self):
        self.stopped_file()
        self.write_file(b"SQLite format 3\0" * 100)
        self.assert_refused("not a file of windows")


class AShortWindow(Counted):
    config = "store: {windows_interval: 1h}\nslos: [{name: s, target_percent: 90, window: 1s}]\n"

    def test_an_outage_is_a_gap(self):
        subscriber = self.broker.subscribe("slo.")
        self.requests(0, 12)
        subscriber.next("slo.breached")
        self.broker.stop()
        self.broker.start()
        wait_for(lambda: self.broker.get("slo.get", name="s")["total"] == 0, "the window to pass")
        slo = self.broker.get("slo.get", name="s")
        self.assertEqual((slo["status"], slo["compliance_percent"], slo["good"]), ("insufficient_data", None, 0))
        self.assertEqual((slo["burn"]["5m"], slo["burn"]["3d"]), (10, 10))  # of what was seen, all was bad
        recovered = wait_for(lambda: [p for p in self.broker.get("events.since", family="slo", seq=0)["items"]
                                      if p["type"] == "slo.recovered"], "the recovery")
        self.assertEqual((recovered[0]["data"]["from"], recovered[0]["data"]["to"]), ("breached", "insufficient_data"))


if __name__ == "__main__":
    main()
