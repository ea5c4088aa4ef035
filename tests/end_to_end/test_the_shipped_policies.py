"""The policies of broker/policies: each file is a good configuration, and what it watches for makes it fire."""
import glob
import os
import subprocess
import unittest

import harness
from harness import BrokerTest, main, wait_for

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "broker", "policies")


def shipped(name):
    with open(os.path.join(FOLDER, name)) as file:
        return file.read()


class EachFile(unittest.TestCase):
    def test_is_a_good_configuration(self):
        files = glob.glob(os.path.join(FOLDER, "*.yaml"))
        self.assertGreaterEqual(len(files), 2)
        for file in files:
            done = subprocess.run([os.path.join(harness.BIN, "tocsind"), "--check-config", "--config", file], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), file)


class Shipped(BrokerTest):
    def push(self, endpoint, *events):
        self.broker.push(endpoint, list(events))

    def firing(self):
        return {(a["policy"], a["state"]): a for a in self.broker.get("alert.list")["items"] if a["state"] != "pending"}

    def wait_firing(self, *policies):
        wait_for(lambda: set(self.firing()) == set(policies), "%r; there are %r" % (policies, set(self.firing())))
        return self.firing()


class Scanner(Shipped):
    labels = {"scanner": "trivy", "target": "orders:1.4"}

    def verdict(self, value):
        self.push("metrics", {"name": "security_verdict", "kind": "gauge", "value": value, "labels": self.labels})

    def findings(self, severity, value):
        self.push("metrics", {"name": "security_findings", "kind": "gauge", "value": value, "labels": dict(self.labels, severity=severity)})


class Security(Scanner):
    config = shipped("security.yaml")

    def test_a_verdict_that_does_not_pass_opens_an_incident_and_one_that_does_resolves_it(self):
        self.verdict(1)
        self.findings("critical", 0)
        self.wait_firing()
        self.verdict(0)
        alert = self.wait_firing(("security_verdict_failed", "firing"))["security_verdict_failed", "firing"]
        self.assertEqual((alert["labels"], alert["severity"], alert["runbook"]), (self.labels, "high", "security_finding"))
        self.assertIsNotNone(alert["incident"])
        self.verdict(1)
        self.wait_firing()
        self.assertEqual(self.broker.get("incident.get", incident=alert["incident"])["status"], "resolved")

    def test_a_critical_finding_fires_and_a_high_one_waits(self):
        self.findings("critical", 2)
        self.findings("high", 5)
        alert = self.wait_firing(("security_critical_findings", "firing"))["security_critical_findings", "firing"]
        self.assertEqual((alert["value"], alert["labels"]["target"]), (2, "orders:1.4"))
        self.assertEqual([a["policy"] for a in self.broker.get("alert.list", state="pending")["items"]], ["security_high_findings"])

    def test_a_finding_as_an_incident_is_one_however_often_it_is_reported(self):
        event = {"title": "CVE-2026-0001 in openssl 3.0", "severity": "critical", "systems": ["orders"],
                 "key": "security/trivy/orders:1.4/CVE-2026-0001", "labels": dict(self.labels, category="security"), "runbook": "security_finding"}
        for _ in range(3):
            self.push("incidents", event)
        incident = wait_for(lambda: [i for i in self.broker.get("incident.list")["items"] if i["occurrences"] == 3], "the incident")[0]
        self.assertEqual((incident["title"], incident["labels"]["category"]), (event["title"], "security"))
        self.assertEqual(len(self.broker.get("incident.list")["items"]), 1)


class ASilentScanner(Scanner):
    config = shipped("security.yaml") + "limits: {series_ttl: 1s}\n"

    def test_a_scanner_that_falls_silent_is_noticed(self):
        self.verdict(1)
        wait_for(lambda: ("security_scanner_silent", "no_data") in self.firing(), "no_data", 20)


class Resilience(Shipped):
    config = shipped("resilience.yaml").replace("for: 30s", "for: 1s")

    def requests(self, count, **fields):
        self.push("requests", *[dict({"operation": "pay", "duration": 0.1, "dependency": "bank"}, **fields)] * count)

    def test_a_dependency_that_fails_and_its_open_breaker(self):
        self.requests(10, error=True, attempt=2, breaker="closed")
        fired = self.wait_firing(("dependency_unhealthy", "firing"))
        self.assertEqual(fired["dependency_unhealthy", "firing"]["labels"], {"dependency": "bank", "state": "unhealthy"})
        self.requests(1, error=True, breaker="open")
        alert = self.wait_firing(("dependency_unhealthy", "firing"), ("breaker_open", "firing"))["breaker_open", "firing"]
        self.assertEqual(alert["inhibited_by"], [fired["dependency_unhealthy", "firing"]["alert"]])
        self.requests(100, breaker="closed")
        self.wait_firing()

    def test_a_spent_error_budget(self):
        self.broker.get("slo.put", name="pay", target_percent=90)
        self.requests(20)
        self.requests(4, error=True)
        wait_for(lambda: ("error_budget_spent", "firing") in self.firing(), "the alert")
        self.assertEqual(self.firing()["error_budget_spent", "firing"]["labels"], {"slo": "pay"})


if __name__ == "__main__":
    main()
