#!/usr/bin/env python3
"""Notifications from a firing alert to a receiver, and what happens when the receiver is not a good one."""
import hashlib
import hmac
import os
import signal
import subprocess
import time

import harness
import receivers
from receivers import ChannelTest


class Webhook(ChannelTest):
    def test_an_alert_is_told_when_it_fires_and_when_it_ends(self):
        ops, text = self.webhook()
        self.begin({"ops": text})
        alert = self.fire("ops", host="a")
        body = ops.next().json
        self.assertEqual((body["version"], body["status"], body["receiver"]), ("4", "firing", "ops"))
        self.assertEqual(body["notification_reason"], "first notification")
        self.assertEqual(body["commonLabels"], {"alertname": "ops", "severity": "critical", "host": "a"})
        self.assertEqual(body["groupLabels"], {"alertname": "ops"})
        self.assertEqual(body["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z")
        self.assertRegex(body["alerts"][0]["fingerprint"], "^[0-9a-f]{16}$")
        self.broker.get("alert.resolve", alert=alert)
        body = ops.next().json
        self.assertEqual((body["status"], body["notification_reason"]), ("resolved", "all alerts resolved"))
        self.assertEqual(body["alerts"][0]["annotations"]["alert"], alert)
        self.assertNotEqual(body["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z")
        state = harness.wait_for(lambda: (lambda c: c if c["delivered"] == 2 else None)(self.channel("ops")), "two deliveries")
        self.assertEqual((state["failing"], state["waiting"], state["last_status"]), (False, 0, 200))

    def test_what_is_sent_is_signed(self):
        key = self.file("s3cret-key\n")
        ops, text = self.webhook(more=", secret_file: '%s'" % key)
        self.begin({"ops": text})
        self.fire("ops")
        request = ops.next()
        stamp = request.headers["X-Tocsin-Timestamp"]
        self.assertLess(abs(int(stamp) - time.time()), 60)
        wanted = hmac.new(b"s3cret-key", stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
        self.assertEqual(request.headers["X-Tocsin-Signature"], "sha256=" + wanted)
        self.assertEqual(request.headers["Content-Type"], "application/json")

    def test_alerts_of_a_policy_are_told_together(self):
        ops, text = self.webhook(more=", group_wait: 300ms")
        self.begin({"ops": text})
        for host in ("a", "b", "c"):
            self.fire("ops", host=host)
        self.assertEqual([a["labels"]["host"] for a in ops.next().json["alerts"]], ["a", "b", "c"])

    def test_only_its_severities_are_told(self):
        ops, text = self.webhook(more=", severities: [critical]")
        self.begin({"ops": text}, [("bad", "critical", "ops"), ("meh", "low", "ops")])
        self.fire("meh")
        self.fire("bad")
        self.assertEqual(ops.next().json["commonLabels"]["alertname"], "bad")
        self.broker.stop()
        self.assertEqual(len(ops.requests), 1)


class Silence(ChannelTest):
    def test_what_is_silenced_is_told_when_it_is_no_more(self):
        ops, text = self.webhook()
        self.begin({"ops": text})
        silence = self.broker.get("silence.put", match={"host": "a"}, duration=600, by="me", reason="test")["silence"]
        self.fire("ops", host="a")
        self.fire("ops", host="b")
        self.assertEqual([a["labels"]["host"] for a in ops.next().json["alerts"]], ["b"])
        self.broker.get("silence.delete", silence=silence)
        self.assertEqual(sorted(a["labels"]["host"] for a in ops.next().json["alerts"]), ["a", "b"])

    def test_who_heard_it_fire_hears_its_end_though_silenced(self):
        ops, text = self.webhook()
        self.begin({"ops": text})
        alert = self.fire("ops", host="a")
        ops.next()
        self.broker.get("silence.put", match={"host": "a"}, duration=600, by="me", reason="test")
        self.broker.get("alert.resolve", alert=alert)
        self.assertEqual(ops.next().json["status"], "resolved")


class Trouble(ChannelTest):
    def test_what_may_work_later_is_tried_again_under_the_same_key(self):
        cases = {"five": receivers.after(500, 503), "half": receivers.half, "busy": receivers.after(429), "late": receivers.after(408)}
        hooks = {name: self.webhook(answer) for name, answer in cases.items()}
        self.begin({name: text for name, (_, text) in hooks.items()})
        for name in hooks:
            self.fire(name)
        for name, (receiver, _) in hooks.items():
            harness.wait_for(lambda: self.channel(name)["delivered"] == 1, name + " to be told")
            self.assertEqual(len(receiver.requests), 3 if name == "five" else 2, name)
            self.assertEqual(len({r.key for r in receiver.requests}), 1, name)
            self.assertEqual(len({r.body for r in receiver.requests}), 1, name)

    def test_retry_after_is_honoured(self):
        ops, text = self.webhook(receivers.retry_after(2))
        self.begin({"ops": text})
        self.fire("ops")
        first, second = ops.next(), ops.next()
        self.assertGreaterEqual(second.time - first.time, 1.9)

    def test_a_refusal_is_a_dead_letter_that_can_be_sent_again(self):
        hooks = {"h%d" % status: self.webhook(status) for status in (301, 400, 401, 404, 410)}
        self.begin({name: text for name, (_, text) in hooks.items()}, [(n, "low", n) for n in hooks])
        for name in hooks:
            self.fire(name)
        letters = [l for l in self.wait_letters(5) if l["channel"] in hooks]
        self.assertEqual(sorted(l["channel"] for l in letters), sorted(hooks))
        for receiver, _ in hooks.values():
            self.assertEqual(len([r for r in receiver.requests if r.json["commonLabels"]["alertname"] in hooks]), 1)
        receiver = hooks["h404"][0]
        receiver.answer = 200
        letter = [l for l in letters if l["channel"] == "h404"][0]
        self.assertEqual(self.broker.get("channel.resend", letter=letter["letter"]), {"resent": 1})
        harness.wait_for(lambda: not [l for l in self.broker.get("channel.dead_letters", name="h404")["items"]
                                      if l["letter"] == letter["letter"]], "the letter to be gone")
        self.assertEqual(self.broker.refusal("channel.resend", letter=letter["letter"]), "not_found")
        self.assertEqual(self.broker.refusal("channel.resend"), "bad_request")

    def test_a_redirect_is_not_followed(self):
        elsewhere = self.receiver()

        def redirect(handler, number):
            handler.send_response(307)
            handler.send_header("Location", elsewhere.url)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        _, text = self.webhook(redirect)
        self.begin({"ops": text})
        self.fire("ops")
        self.wait_letters(1)
        self.assertEqual(elsewhere.requests, [])

    def test_the_slow_and_the_silent_delay_nobody(self):
        slow, slow_text = self.webhook()
        slow.answer = receivers.one_byte_a_second(slow)
        mute, mute_text = self.webhook()
        mute.answer = receivers.nothing(mute)
        good, good_text = self.webhook()
        self.begin({"slow": slow_text, "mute": mute_text, "good": good_text}, [("all", "low", "slow, mute, good")])
        begin = time.monotonic()
        alert = self.fire("all")
        good.next()
        slow.next()
        mute.next()
        self.assertLess(time.monotonic() - begin, 5)
        self.broker.get("alert.resolve", alert=alert)
        self.assertEqual(good.next().json["status"], "resolved")
        self.assertLess(time.monotonic() - begin, 8)
        for receiver in (slow, mute):  # after ten seconds: what is, not what was
            request = receiver.next(20)
            self.assertEqual(request.json["status"], "resolved")
        self.assertLess(time.monotonic() - begin, 16)

    def test_an_answer_without_end_is_not_read_to_its_end(self):
        ops, text = self.webhook(receivers.endless)
        self.begin({"ops": text})
        self.fire("ops")
        harness.wait_for(lambda: self.channel("ops")["delivered"] == 1, "the delivery")
        self.assertEqual(len(ops.requests), 1)

    def test_nobody_there_is_no_reason_to_forget(self):
        ops, text = self.webhook()
        ops.close()
        self.begin({"ops": text})
        came_and_went = self.fire("ops", host="gone")
        self.fire("ops", host="stays")
        harness.wait_for(lambda: self.channel("ops")["failures"] >= 2, "two failures")
        self.broker.get("alert.resolve", alert=came_and_went)
        # what nobody heard of need not end
        harness.wait_for(lambda: self.channel("ops")["waiting"] == 1, "the other to be forgotten")
        back = receivers.Receiver(port=ops.port)
        self.addCleanup(back.close)
        self.assertEqual([a["labels"]["host"] for a in back.next().json["alerts"]], ["stays"])

    def test_an_address_inside_the_house_is_refused(self):
        ops = self.receiver()
        self.begin({"ops": "type: webhook, url: '%s'" % ops.url,
                    "hex": "type: webhook, url: 'http://0x7f.1:%d/'" % ops.port,
                    "name": "type: webhook, url: 'http://localhost:%d/'" % ops.port})
        for name in ("ops", "hex", "name"):
            self.assertFalse(self.broker.get("channel.test", name=name)["delivered"])
        self.assertEqual(ops.requests, [])
        self.assertIn("not public", self.channel("ops")["last_answer"] or self.broker.get("channel.test", name="ops")["answer"])

    def test_a_channel_that_fails_is_told_to_the_others(self):
        bad, bad_text = self.webhook(404)
        good, good_text = self.webhook()
        self.begin({"bad": bad_text, "good": good_text})
        self.fire("bad")
        body = good.next().json
        self.assertEqual(body["commonLabels"]["alertname"], "tocsin_channel_failing")
        self.assertEqual(body["commonLabels"]["channel"], "bad")
        bad.answer = 200
        self.fire("bad", again="yes")
        self.assertEqual(good.next().json["status"], "resolved")
        self.assertEqual({r.json["commonLabels"]["alertname"] for r in bad.requests}, {"bad"})


class Settings(ChannelTest):
    def test_a_new_configuration_changes_where_alerts_go(self):
        first, text = self.webhook()
        second, _ = self.webhook()
        self.begin({"ops": text})
        alert = self.fire("ops")
        first.next()
        with open(self.broker.config) as file:
            before = file.read()
        self.broker.write_config(before.replace(first.url, second.url))
        self.broker.get("system.reload")
        self.broker.get("alert.resolve", alert=alert)
        self.assertEqual(second.next().json["status"], "resolved")
        self.assertEqual(len(first.requests), 1)

    def test_a_channel_that_cannot_work_is_refused_with_its_place(self):
        wrong = {"url": "{name: a, type: webhook}", "command": "{name: a, type: exec, command: [sh]}",
                 "severities": "{name: a, type: slack, url: 'http://x/', severities: [worse]}",
                 "routing_key_file": "{name: a, type: pagerduty}", "to": "{name: a, type: email, url: 'smtp://x', from: a@b}",
                 "quiet_from": "{name: a, type: slack, url: 'http://x/', quiet_from: '25:00', quiet_to: '07:00'}"}
        path = os.path.join(self.folder, "wrong.yaml")
        for key, channel in wrong.items():
            with open(path, "w") as file:
                file.write("channels:\n  - %s\n" % channel)
            done = subprocess.run([os.path.join(harness.BIN, "tocsind"), "--check-config", "--config", path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 78, key)
            self.assertRegex(done.stderr, r"^%s:2:\d+: %s: " % (path, key))

    def test_what_is_in_force_is_shown_without_secrets_and_read_back(self):
        path = os.path.join(self.folder, "good.yaml")
        with open(path, "w") as file:
            file.write("channels:\n  - {name: a, type: slack, url: 'https://hooks.example.org/T0P/S3CRET'}\n")
        command = [os.path.join(harness.BIN, "tocsind"), "--print-config", "--config"]
        shown = subprocess.run(command + [path], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("S3CRET", shown)
        with open(path, "w") as file:
            file.write(shown)
        self.assertEqual(subprocess.run(command + [path], capture_output=True, text=True, check=True).stdout, shown)


class Drill(ChannelTest):
    def test_a_drill_is_marked_and_its_end_reported(self):
        good, good_text = self.webhook()
        bad, bad_text = self.webhook(500)
        self.begin({"good": good_text, "bad": bad_text})
        report = self.broker.get("channel.test", name="good")
        self.assertEqual((report["channel"], report["delivered"], report["status"], report["answer"]), ("good", True, 200, "ok"))
        body = good.next().json
        self.assertEqual(body["notification_reason"], "drill")
        self.assertEqual(body["commonLabels"]["drill"], "true")
        report = self.broker.get("channel.test", name="bad")
        self.assertEqual((report["delivered"], report["status"]), (False, 500))
        self.assertEqual(self.broker.refusal("channel.test", name="nobody"), "not_found")
        self.assertEqual(self.broker.get("alert.history")["items"], [])


class Services(ChannelTest):
    def test_slack_and_pagerduty(self):
        slack, pager = self.receiver(), self.receiver(202)
        url, key = self.file(slack.url), self.file("R0UTING-KEY")
        self.begin({"slack": "type: slack, url_file: '%s', allow_private: true, title: '${alertname} on ${labels.host}'" % url,
                    "pager": "type: pagerduty, url: '%s', routing_key_file: '%s', allow_private: true" % (pager.url, key)},
                   [("p", "high", "slack, pager")])
        alert = self.fire("p", host="a")
        self.assertEqual(slack.next().json["text"], "p on a")
        body = pager.next().json
        self.assertEqual((body["routing_key"], body["event_action"], body["payload"]["severity"]), ("R0UTING-KEY", "trigger", "error"))
        self.broker.get("alert.ack", alert=alert)
        self.assertEqual(pager.next().json["event_action"], "acknowledge")
        self.broker.get("alert.resolve", alert=alert)
        again = pager.next().json
        self.assertEqual((again["event_action"], again["dedup_key"]), ("resolve", body["dedup_key"]))
        self.assertEqual(slack.next().json["attachments"][0]["color"], "good")
        self.assertTrue(self.broker.get("channel.test", name="pager")["delivered"])
        drill, end = pager.next().json, pager.next().json  # who was called out is let go again
        self.assertEqual([drill["event_action"], end["event_action"]], ["trigger", "resolve"])
        self.assertEqual(drill["dedup_key"], end["dedup_key"])
        shown = repr(self.broker.get("channel.list")) + self.broker.read_log()
        for secret in ("R0UTING-KEY", "/hook"):
            self.assertNotIn(secret, shown)

    def test_a_command_gets_the_notification_on_its_input(self):
        out = os.path.join(self.folder, "out")
        script = self.file("#!/bin/sh\ncat > '%s.new' && mv '%s.new' '%s'\n" % (out, out, out), 0o700)
        slow = self.file("#!/bin/sh\nsleep 60\n", 0o700)
        self.begin({"run": "type: exec, command: ['%s', '$HOME; rm -rf /']" % script,
                    "no": "type: exec, command: [/nowhere/at/all]", "bad": "type: exec, command: [/bin/false]",
                    "slow": "type: exec, command: ['%s']" % slow}, [("p", "low", "run")])
        self.fire("p")
        harness.wait_for(lambda: os.path.exists(out), "the command's output")
        with open(out) as file:
            self.assertIn('"version":"4"', file.read())
        self.assertFalse(self.broker.get("channel.test", name="no")["delivered"])
        report = self.broker.get("channel.test", name="bad")
        self.assertEqual((report["delivered"], report["answer"]), (False, "exit status 1"))
        report = self.broker.get("channel.test", name="slow")
        self.assertFalse(report["delivered"])
        self.assertTrue(9 < report["seconds"] < 13, report)


class Restart(ChannelTest):
    def test_who_heard_it_fire_hears_its_end_after_a_crash(self):
        ops, text = self.webhook()
        self.begin({"ops": text})
        alert = self.fire("ops")
        ops.next()
        harness.wait_for(lambda: self.channel("ops")["delivered"] == 1, "the delivery")
        self.broker.get("alert.get", alert=alert)  # answered after what was noted before it is on disk
        self.broker.stop(signal.SIGKILL)
        self.broker.start()
        self.broker.get("alert.resolve", alert=alert)
        self.assertEqual(ops.next().json["status"], "resolved")
        self.broker.stop()
        self.assertEqual(len(ops.requests), 2)

    def test_what_could_not_be_told_is_told_after_a_restart(self):
        ops, text = self.webhook(500)
        self.begin({"ops": text})
        self.fire("ops")
        key = ops.next().key
        self.broker.stop(signal.SIGKILL)
        ops.answer = 200
        self.broker.start()
        harness.wait_for(lambda: self.channel("ops")["delivered"] == 1, "the delivery")
        self.assertEqual({r.key for r in ops.requests}, {key})


if __name__ == "__main__":
    harness.main()
