"""Bad input of every kind: refused alone, counted by reason, and nothing else stops."""
import os
import subprocess
import time
import unittest

import msgpack
import zmq
from harness import BIN, Broker, BrokerTest, main, wait_for

GOOD = {"name": "m", "kind": "counter", "value": 1}


class RefusedAndCounted(BrokerTest):
    def refused(self, endpoint, *frames):
        before = self.broker.ingest(endpoint)
        self.broker.push(endpoint, *frames)
        after = self.broker.wait_ingest(endpoint, before["frames"] + len(frames))
        return {reason: count - before["refused"].get(reason, 0) for reason, count in after["refused"].items()
                if count != before["refused"].get(reason, 0)}

    def test_each_frame_that_breaks_a_rule_is_refused_whole_by_its_reason(self):
        self.assertEqual(self.refused("metrics", b""), {"malformed": 1})
        self.assertEqual(self.refused("metrics", b"\xc1"), {"malformed": 1})
        self.assertEqual(self.refused("metrics", msgpack.packb(GOOD) + b"\x00"), {"malformed": 1})
        self.assertEqual(self.refused("metrics", bytes.fromhex("ddffffffff")), {"malformed": 1})
        self.assertEqual(self.refused("metrics", b"\x91" * 9 + b"\x80"), {"too_deep": 1})
        self.assertEqual(self.refused("metrics", b"\x00" * (4 * 1024 * 1024 + 1)), {"too_large": 1})
        self.assertEqual(self.refused("metrics", msgpack.packb([1] * 65537)), {"batch_too_long": 1})

    def test_one_bad_event_of_a_batch_is_refused_alone(self):
        batch = [GOOD] * 50 + [dict(GOOD, value=-1)] + [GOOD] * 49
        self.assertEqual(self.refused("metrics", batch), {"bad_value": 1})
        self.assertEqual(self.broker.ingest("metrics")["accepted"], 99)
        self.assertEqual(self.broker.get("metrics.get", name="m")["value"], 99)

    def test_each_event_that_breaks_a_rule_is_refused_by_its_reason(self):
        self.broker.push("metrics", GOOD)
        self.broker.wait_ingest("metrics", 1)
        for event, reason in [
            (1, "not_a_map"),
            ({"kind": "gauge", "value": 1}, "missing_field"),
            (dict(GOOD, value="1"), "wrong_type"),
            (dict(GOOD, name="a\x00b"), "bad_text"),
            (dict(GOOD, name="n" * 201), "too_long"),
            (dict(GOOD, labels={"l%d" % i: "v" for i in range(33)}), "too_many_labels"),
            (dict(GOOD, value=float("nan")), "bad_value"),
            (dict(GOOD, name="tocsin_x"), "bad_value"),
            (dict(GOOD, labels={"__x": "y"}), "bad_value"),
            (dict(GOOD, kind="summary"), "unknown_kind"),
            (dict(GOOD, kind="gauge"), "kind_mismatch"),
        ]:
            self.assertEqual(self.refused("metrics", event), {reason: 1}, event)
        twice = b"\x84" + b"".join(msgpack.packb(x) for x in ("name", "m", "name", "m", "kind", "counter", "value", 1))
        self.assertEqual(self.refused("metrics", twice), {"duplicate_key": 1})

    def test_requests_and_incidents_count_their_own(self):
        self.assertEqual(self.refused("requests", {"operation": "a"}), {"missing_field": 1})
        self.assertEqual(self.refused("requests", {"operation": "a", "duration": -1}), {"bad_value": 1})
        self.assertEqual(self.refused("incidents", {"title": "a"}), {"missing_field": 1})
        self.assertEqual(self.refused("incidents", {"do": "no.such"}), {"unknown_command": 1})
        self.broker.push("incidents", {"do": "incident.close", "incident": "INC-77"})
        dropped = wait_for(lambda: self.broker.ingest("incidents")["dropped"], "the drop")
        self.assertEqual(dropped, {"not_found": 1})

    def test_commands_that_are_wrong_are_answered_with_a_code_and_words(self):
        refusal = self.broker.refusal
        self.assertEqual(refusal("no.such"), "unknown_command")
        self.assertEqual(refusal("incident.open"), "bad_request")
        self.assertEqual(refusal("incident.open", title="", severity="low"), "bad_request")
        self.assertEqual(refusal("incident.open", title="a", severity="bad"), "bad_request")
        self.assertEqual(refusal("incident.get", incident="INC-1"), "not_found")
        self.assertEqual(refusal("metrics.get", name="none"), "not_found")
        self.assertEqual(refusal("metrics.list", limit=1001), "bad_request")
        self.assertEqual(refusal("slo.put", name="s", target_percent=100), "bad_request")
        self.assertEqual(refusal("policy.put", name="p", condition="cpu >", severity="low", channels=[]), "bad_request")
        self.assertEqual(refusal("policy.put", name="p", condition="cpu > 1", severity="low", channels=["nobody"]), "bad_request")
        incident = self.broker.get("incident.open", title="a", severity="low")["incident"]
        self.broker.get("incident.close", incident=incident)
        self.assertEqual(refusal("incident.update", incident=incident, status="investigating"), "bad_transition")

    def test_garbage_on_control_is_answered_and_the_next_question_too(self):
        dealer = self.broker.socket(zmq.DEALER, "control")
        for garbage in (b"", b"\xc1", msgpack.packb([1, 2]), b"\x91" * 100):
            dealer.send(garbage)
            self.assertTrue(dealer.poll(5000), garbage)
            reply = msgpack.unpackb(dealer.recv())
            self.assertEqual((reply["ok"], reply["error"]["code"], reply["id"]), (False, "bad_request", None))
        dealer.close(0)
        self.assertEqual(self.broker.get("system.ping"), "pong")

    def test_a_million_events_in_batches_of_a_hundred_are_all_accounted_for(self):
        socket = self.broker.socket(zmq.PUSH, "metrics")
        frame = msgpack.packb([{"name": "hits", "kind": "counter", "value": 1, "labels": {"path": "/%d" % (i % 50)}} for i in range(99)]
                              + [{"name": "hits", "kind": "counter", "value": "x"}])
        for _ in range(10000):
            socket.send(frame)
        socket.close()
        tally = wait_for(lambda: (lambda t: t if t["frames"] == 10000 else None)(self.broker.ingest("metrics")), "all frames", 120)
        self.assertEqual((tally["accepted"], tally["refused"]), (990000, {"wrong_type": 10000}))
        total = sum(item["value"] for item in self.broker.get("metrics.list", prefix="hits", limit=1000)["items"])
        self.assertEqual(total, 990000)


class Starting(unittest.TestCase):
    """What a person does wrong at the start: one clear line and the right exit status."""

    def run_tocsind(self, *arguments, **environment):
        done = subprocess.run([os.path.join(BIN, "tocsind"), *arguments], capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, **environment))
        return done.returncode, done.stdout, done.stderr

    def setUp(self):
        self.broker = Broker()
        self.addCleanup(self.broker.close)
        self.folder = self.broker.folder

    def config(self, text):
        path = os.path.join(self.folder, "wrong.yaml")
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_an_unknown_flag_is_a_usage_error(self):
        status, _, errors = self.run_tocsind("--no-such-flag")
        self.assertEqual(status, 64)
        self.assertIn("--no-such-flag", errors)

    def test_a_taken_port_is_named(self):
        status, _, errors = self.run_tocsind("--store", os.path.join(self.folder, "other"),
                                             "--endpoint", "metrics=" + self.broker.addresses["metrics"])
        self.assertEqual(status, 69)
        self.assertIn(self.broker.addresses["metrics"], errors)

    def test_a_store_in_use_names_its_holder(self):
        status, _, errors = self.run_tocsind("--store", self.broker.store)
        self.assertEqual(status, 73)
        self.assertIn(str(self.broker.process.pid), errors)

    def test_a_store_that_cannot_be_made_is_named(self):
        status, _, errors = self.run_tocsind("--store", "/proc/nowhere")
        self.assertEqual(status, 73)
        self.assertIn("/proc/nowhere", errors)

    def test_an_address_for_everyone_is_refused(self):
        status, _, errors = self.run_tocsind("--store", os.path.join(self.folder, "other"), "--endpoint", "metrics=tcp://0.0.0.0:0")
        self.assertEqual(status, 77)
        self.assertIn("loopback", errors)

    def test_every_error_of_a_configuration_is_shown_at_its_place(self):
        path = self.config("policies:\n  - {name: a, condition: 'cpu >', severity: nope, channels: []}\nlimits: {frame: 1}\nextra: 1\n")
        status, _, errors = self.run_tocsind("--check-config", "--config", path)
        self.assertEqual(status, 78)
        self.assertIn(path + ":2:", errors)
        self.assertIn("severity", errors)
        self.assertIn(path + ":3:17: limits.frame:", errors)
        self.assertIn(path + ":4:1:", errors)
        self.assertIn("extra", errors)

    def test_a_condition_that_cannot_be_read_is_shown_at_its_place(self):
        path = self.config("policies:\n  - name: a\n    condition: 'cpu >'\n    severity: low\n    channels: []\n")
        status, _, errors = self.run_tocsind("--check-config", "--config", path)
        self.assertEqual(status, 78)
        self.assertIn(path + ":3:16: condition: line 1, column", errors)

    def test_what_is_printed_as_in_force_can_be_read_again(self):
        path = self.config("limits: {frame: 1MiB, series_ttl: 10m}\nslos:\n  - {name: s, target_percent: 99.5, latency: 300ms}\n")
        status, printed, _ = self.run_tocsind("--print-config", "--config", path, TOCSIN_LIMITS_SERIES="1234")
        self.assertEqual(status, 0)
        self.assertIn("1048576", printed)
        self.assertIn("1234", printed)
        status, again, errors = self.run_tocsind("--print-config", "--config", self.config(printed))
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(again, printed)

    def test_a_reload_takes_all_or_nothing(self):
        good = "policies:\n  - {name: a, condition: 'x > 1', severity: low, channels: []}\n"
        broker = Broker(good)
        self.addCleanup(broker.close)
        broker.write_config("policies: 7\n")
        self.assertEqual(broker.refusal("system.reload"), "bad_request")
        self.assertEqual([p["name"] for p in broker.get("policy.list")["items"]], ["a"])
        self.assertEqual(broker.refusal("policy.delete", name="a"), "conflict")
        broker.write_config(good.replace("name: a", "name: b"))
        self.assertTrue(broker.get("system.reload"))
        self.assertEqual([p["name"] for p in broker.get("policy.list")["items"]], ["b"])


if __name__ == "__main__":
    main()
