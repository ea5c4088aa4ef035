"""Each verb of the tocsin command as a new user would try it: in a pipe and on a terminal, what is right and what is not."""
import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import zmq

from command_line import CommandTest, Running, TOCSIN, on_a_terminal, tocsin
from harness import main, wait_for

CONFIG = """
policies:
  - {name: high_cpu, condition: "cpu > 80%", severity: critical, channels: [], runbook: cpu, open_incident: true}
channels:
  - {name: hook, type: webhook, url: "http://127.0.0.1:1/", allow_private: true}
"""


class EveryVerb(CommandTest):
    config = CONFIG

    def setUp(self):
        super().setUp()
        broker = self.broker
        broker.push("metrics", [{"name": "cpu", "kind": "gauge", "value": 0.5, "unit": "ratio", "labels": {"host": "web-1"}},
                                {"name": "jobs", "kind": "counter", "value": 3},
                                {"name": "wait", "kind": "histogram", "value": 0.25, "unit": "seconds"}])
        broker.push("requests", [{"operation": "GET /", "duration": 0.02, "dependency": "db"}] * 6)
        broker.wait_ingest("metrics", 1)
        broker.wait_ingest("requests", 1)
        broker.get("slo.put", name="home", target_percent=99.0, match={"operation": "GET /"})
        broker.get("runbook.put", name="cpu", description="busy", procedures=["look"], steps={"look": ["top", "ps"]})
        broker.get("policy.put", name="by_hand", condition="never > 1", severity="low", channels=[])

    # -- what is asked is what the wire answers --

    def same(self, words, do, **arguments):
        self.assertEqual(self.at_rest(self.json(*words)), self.at_rest(self.broker.get(do, **arguments)), words)

    @staticmethod
    def at_rest(value):
        """What moves by itself is not compared: the broker's own series, and what runs out with time."""
        if isinstance(value, list):
            return [EveryVerb.at_rest(item) for item in value
                    if not (isinstance(item, dict) and str(item.get("name")).startswith("tocsin_"))]
        if not isinstance(value, dict):
            return value
        return {k: EveryVerb.at_rest(v) for k, v in value.items() if k not in ("burn", "budget_minutes_left", "exhausts_at")}

    def test_every_question_is_answered_in_the_keys_of_the_wire(self):
        opened = self.json("incident", "open", "disk full", "--severity", "high", "--system", "db-1", "--system", "db-2", "-l", "a=b")
        fired = self.json("alert", "fire", "by_hand", "-m", "look here")
        incident, alert = opened["incident"], fired["alert"]["alert"]
        for words, do, arguments in (
                (("metrics", "list"), "metrics.list", {}),
                (("metrics", "list", "--prefix", "c"), "metrics.list", {"prefix": "c"}),
                (("metrics", "get", "cpu", "--label", "host=web-1"), "metrics.get", {"name": "cpu", "labels": {"host": "web-1"}}),
                (("metrics", "get", "wait"), "metrics.get", {"name": "wait"}),
                (("anomaly", "list"), "anomaly.list", {}),
                (("anomaly", "get", "cpu", "-l", "host=web-1"), "anomaly.get", {"name": "cpu", "labels": {"host": "web-1"}}),
                (("profile", "list"), "profile.list", {}),
                (("profile", "get", "GET /"), "profile.get", {"operation": "GET /"}),
                (("dependency", "list"), "dependency.list", {}),
                (("dependency", "get", "db"), "dependency.get", {"name": "db"}),
                (("slo", "list"), "slo.list", {}),
                (("slo", "get", "home"), "slo.get", {"name": "home"}),
                (("incident", "list"), "incident.list", {}),
                (("incident", "list", "--status", "open", "--severity", "high", "--system", "db-2", "--since", "1h"), "incident.list",
                 {"status": "open"}),
                (("incident", "get", incident), "incident.get", {"incident": incident}),
                (("alert", "list"), "alert.list", {}),
                (("alert", "list", "--state", "firing", "--policy", "by_hand", "--severity", "low"), "alert.list", {"state": "firing"}),
                (("alert", "history"), "alert.history", {}),
                (("alert", "get", alert), "alert.get", {"alert": alert}),
                (("policy", "list"), "policy.list", {}),
                (("policy", "get", "high_cpu"), "policy.get", {"name": "high_cpu"}),
                (("policy", "test", "cpu > 40%"), "policy.test", {"condition": "cpu > 40%"}),
                (("runbook", "list"), "runbook.list", {}),
                (("channel", "list"), "channel.list", {}),
                (("channel", "dead-letters"), "channel.dead_letters", {}),
                (("runbook", "show", "cpu"), "runbook.get", {"name": "cpu"})):
            with self.subTest(words=words):
                self.same(words, do, **arguments)

    def test_every_list_and_every_thing_can_be_a_table_lines_and_csv(self):
        incident = self.json("incident", "open", "disk, full", "--severity", "high")["incident"]
        for words in (("metrics", "list", "--prefix", "cpu"), ("profile", "list"), ("dependency", "list"), ("incident", "list"),
                      ("policy", "list"), ("runbook", "list")):
            with self.subTest(words=words):
                items = self.json(*words)["items"]
                self.assertTrue(items)
                lines = self.run_tocsin(*words, "-o", "jsonl").stdout.splitlines()
                self.assertEqual([json.loads(line) for line in lines], items)
                rows = list(csv.DictReader(io.StringIO(self.run_tocsin(*words, "-o", "csv").stdout)))
                keys = {key for item in items for key in item}
                self.assertEqual(set(rows[0]), keys)
                self.assertEqual(len(rows), len(items))
                table = self.run_tocsin(*words).stdout.splitlines()
                self.assertEqual(len(table), 1 + len(items))
                self.assertRegex(table[0], r"^[A-Z0-9 ]+$")
                status, seen = on_a_terminal(*words, *self.at(), columns=200)
                self.assertEqual((status, len(seen.splitlines())), (0, len(table)))
        rows = list(csv.DictReader(io.StringIO(self.run_tocsin("incident", "get", incident, "-o", "csv").stdout)))
        self.assertEqual(rows[0]["title"], "disk, full")
        self.assertRegex(self.run_tocsin("incident", "get", incident).stdout, r"(?m)^title +disk, full$")

    def test_a_list_that_needs_many_pages_is_whole(self):
        self.broker.push("metrics", [{"name": "many", "kind": "gauge", "value": i, "labels": {"n": str(i)}} for i in range(2500)])
        self.broker.wait_ingest("metrics", 2)
        items = self.json("metrics", "list", "--prefix", "many")["items"]
        self.assertEqual({int(item["labels"]["n"]) for item in items}, set(range(2500)))
        self.assertEqual(len(self.json("metrics", "list", "--prefix", "many", "--limit", "1200")["items"]), 1200)
        self.assertEqual(self.json("metrics", "list", "-n", "0")["items"], [])

    # -- what is told is done --

    def test_an_incident_goes_its_way_by_command(self):
        incident = self.json("incident", "open", "disk full", "--severity", "high", "--key", "disk", "--by", "anna")["incident"]
        again = self.json("incident", "open", "disk full", "--severity", "high", "--key", "disk")
        self.assertEqual((again["incident"], again["duplicate"], again["occurrences"]), (incident, True, 2))
        self.run_tocsin("incident", "update", incident, "--status", "investigating", "--owner", "anna", "--root-cause", "logs",
                        "--by", "anna")
        self.run_tocsin("incident", "note", incident, "it is the logs", "--by", "anna")
        self.run_tocsin("runbook", "start", incident, "cpu", "--by", "anna")
        self.run_tocsin("runbook", "tick", incident, "look", "top", "busy", "--by", "anna")
        self.run_tocsin("incident", "resolve", incident, "--resolution", "deleted")
        row = self.run_tocsin("incident", "close", incident).stdout.splitlines()
        self.assertRegex(row[1], r"^%s +high +closed +disk full" % incident)
        thing = self.json("incident", "get", incident)
        self.assertEqual((thing["status"], thing["owner"], thing["root_cause"], thing["resolution"]),
                         ("closed", "anna", "logs", "deleted"))
        self.assertIn(("anna", "it is the logs"), [(n["by"], n["text"]) for n in thing["notes"]])

    def test_who_acts_is_the_user_unless_another_is_named(self):
        incident = self.json("incident", "open", "x", "--severity", "low")["incident"]
        self.run_tocsin("incident", "note", incident, "hello")
        user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        self.assertEqual(self.json("incident", "get", incident)["notes"][-1]["by"], user)

    def test_an_alert_goes_its_way_by_command(self):
        alert = self.json("alert", "fire", "by_hand", "--message", "look", "-l", "host=a")["alert"]["alert"]
        self.assertEqual(self.json("alert", "list")["items"][0]["labels"], {"host": "a"})
        self.assertEqual(self.json("alert", "ack", alert, "--note", "I look")["state"], "acknowledged")
        self.assertEqual(self.json("alert", "resolve", alert)["state"], "resolved")
        self.assertEqual(self.json("alert", "list")["items"], [])
        self.assertEqual(self.json("alert", "history", "--policy", "by_hand")["items"][0]["alert"], alert)
        self.assertFalse(self.json("policy", "disable", "by_hand")["enabled"])
        self.assertEqual(self.json("alert", "fire", "by_hand")["fired"], False)
        self.assertTrue(self.json("policy", "enable", "by_hand")["enabled"])

    def test_a_file_of_policies_is_held_against_the_metrics_of_a_broker(self):
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
            path = os.path.join(folder, "policies.yaml")
            for condition, complaint in {"cpu > 80%": None, "rate(jobs[5m]) > 1": None, "rate(wait_count[5m]) > 1": None,
                                         "cpuu > 1": "no metric of that name", "cpu > 1": "never true", "jobs_sum > 1": "no metric",
                                         "rate(cpu[5m]) > 1": "gauge"}.items():
                with open(path, "w") as file:
                    file.write("policies:\n  - {name: a, severity: low, channels: [], condition: '%s'}\n" % condition)
                done = tocsin("policy", "check", path, *self.at())
                self.assertEqual((done.returncode, done.stderr), (0 if complaint is None else 65, ""), (condition, done.stdout))
                if complaint is not None:
                    self.assertRegex(done.stdout, r"^%s:2:\d+: condition: .*%s" % (re.escape(path), complaint))

    def test_a_silence_is_put_and_taken_away(self):
        begin = time.time()
        silence = self.json("silence", "put", "policy=by_hand", "host=a", "--duration", "2h", "--reason", "new disk", "--by", "anna")
        self.assertEqual((silence["match"], silence["by"], silence["reason"]), ({"policy": "by_hand", "host": "a"}, "anna", "new disk"))
        self.assertAlmostEqual(silence["until"], begin + 7200, delta=10)
        self.same(("silence", "list"), "silence.list")
        for until, meant in (("resolved", "resolved"), ("2100-01-01", 4102444800)):
            other = self.json("silence", "put", "policy=high_cpu", "--until", until, "--reason", "x")
            self.assertEqual(other["until"], meant)
            self.run_tocsin("silence", "delete", other["silence"])
        self.assertEqual(self.json("alert", "fire", "by_hand", "-l", "host=a")["alert"]["silenced_by"], [silence["silence"]])
        self.run_tocsin("silence", "delete", silence["silence"])
        self.assertEqual(self.json("silence", "list")["items"], [])

    def test_a_channel_is_tried_with_a_drill(self):
        tried = self.json("channel", "test", "hook")
        self.assertEqual((tried["channel"], tried["delivered"]), ("hook", False))
        self.assertRegex(self.run_tocsin("channel", "list").stdout, r"(?m)^hook +webhook ")

    def test_events_are_sent_as_they_are_written(self):
        self.run_tocsin("send", "metric", "temperature", "-4.5", "--kind", "gauge", "--unit", "celsius", "-l", "room=a", "-l", "floor=2")
        got = wait_for(lambda: self.answer("metrics.get", name="temperature", labels={"room": "a", "floor": "2"}), "the metric")
        self.assertEqual((got["value"], got["unit"]), (-4.5, "celsius"))
        self.run_tocsin("send", "request", "backup", "1m30s", "--dependency", "tape", "--error", "--message", "jammed")
        got = wait_for(lambda: self.answer("profile.get", operation="backup"), "the request")
        self.assertEqual((got["max"], got["errors"]), (90, 1))
        self.assertEqual(self.broker.get("dependency.get", name="tape")["last_error"], "jammed")

    def answer(self, do, **arguments):
        reply = self.broker.ask(do, **arguments)
        return reply["result"] if reply["ok"] else None

    # -- on a terminal --

    def test_a_terminal_has_colours_and_an_end_and_a_pipe_has_neither(self):
        self.json("incident", "open", "a title that is much longer than the terminal is wide " * 3, "--severity", "critical")
        status, seen = on_a_terminal("incident", "list", *self.at(), columns=60)
        self.assertEqual(status, 0)
        self.assertIn("\033[1;31mcritical\033[0m", seen)
        for line in re.sub(r"\033\[[0-9;]*m", "", seen).splitlines():
            self.assertLessEqual(len(line), 60)
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            status, seen = on_a_terminal("incident", "list", *self.at(), columns=60, **environment)
            self.assertEqual((status, "\033" in seen), (0, False), environment)
        piped = self.run_tocsin("incident", "list").stdout
        self.assertNotIn("\033", piped)
        self.assertIn("wide a title", piped)
        status, seen = on_a_terminal("incident", "list", "-o", "json", *self.at(), columns=60)
        self.assertNotIn("\033", seen)
        self.assertEqual(len(json.loads(seen)["items"]), 1)

    # -- what goes wrong --

    def test_a_refusal_is_one_line_and_the_status_1(self):
        for words, message in ((("incident", "get", "INC-99"), "not_found"), (("policy", "get", "no"), "not_found"),
                               (("policy", "disable", "high_cpu"), "conflict"), (("policy", "test", "cpu >"), "bad_request")):
            done = self.run_tocsin(*words, status=1)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"^tocsin: .* \(%s\)\n$" % message)

    def test_an_event_that_would_be_refused_is_not_sent(self):
        for words in (("send", "metric", "jobs", "-1", "--kind", "counter"), ("send", "metric", "tocsin_x", "1", "--kind", "gauge"),
                      ("send", "metric", "x", "1", "--kind", "gauge", "-l", "a=1", "-l", "a=2"), ("send", "metric", "", "1", "-k", "gauge"),
                      ("send", "request", "x" * 300, "1")):
            done = self.run_tocsin(*words, status=65)
            self.assertRegex(done.stderr, r"^tocsin: the broker would refuse this event: .*\n$")
        self.assertEqual(self.broker.ingest("metrics")["refused"], {})


class WithoutABroker(unittest.TestCase):
    def test_every_command_that_needs_one_says_so_within_a_second(self):
        with socket.socket() as taken:  # bound and not listening: nobody can be there
            taken.bind(("127.0.0.1", 0))
            address = "tcp://127.0.0.1:%d" % taken.getsockname()[1]
            every = [flag for name in ("control", "metrics", "requests", "events") for flag in ("-e", name + "=" + address)]
            for words in (("status",), ("incident", "list"), ("incident", "open", "x", "--severity", "low"), ("events", "tail"), ("demo",),
                          ("send", "metric", "x", "1", "-k", "gauge"), ("send", "request", "x", "1"), ("status", "--timeout", "30")):
                begin = time.monotonic()
                done = tocsin(*words, *every)
                self.assertLess(time.monotonic() - begin, 1.5, words)
                self.assertEqual((done.returncode, done.stdout), (69, ""), words)
                self.assertIn(address, done.stderr)
                self.assertIn("tocsind", done.stderr)

    def test_a_wrong_command_line_is_64_and_one_line(self):
        for words in ((), ("stats",), ("incident",), ("incident", "opne"), ("status", "--nonsense"), ("status", "-o", "xml"),
                      ("metrics", "get"), ("status", "-e", "control"), ("status", "-e", "nowhere=tcp://127.0.0.1:1"),
                      ("status", "-e", "control=nonsense"), ("collect", "--probe", "x=ftp://127.0.0.1"), ("collect", "--probe", "x=tcp://127.0.0.1"),
                      ("send", "metric", "x", "much", "-k", "gauge"), ("completion", "csh")):
            done = tocsin(*words)
            self.assertEqual((done.returncode, done.stdout), (64, ""), words)
            self.assertRegex(done.stderr, r"^tocsin: [^\n]+\n$")

    def test_help_and_version_go_to_stdout(self):
        for words in (("--help",), ("incident", "open", "--help"), ("-h", "incident"), ("--version",)):
            done = tocsin(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertTrue(done.stdout)

    def test_a_noun_alone_is_explained_by_its_verbs(self):
        lines = tocsin("alert", "--help").stdout.splitlines()
        self.assertEqual(lines[0], "Usage: tocsin alert VERB [OPTION]...")
        self.assertEqual({line.split()[0] for line in lines if line.startswith("  alert ")}, {"alert"})
        self.assertNotIn("  incident list", tocsin("alert", "--help").stdout)

    def test_what_cannot_be_written_is_said(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([TOCSIN, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
        self.assertEqual(done.returncode, 74)
        self.assertIn("No space left", done.stderr)

    def test_ctrl_c_while_waiting_is_130(self):
        silent = zmq.Context().socket(zmq.ROUTER)  # there, but never answers
        port = silent.bind_to_random_port("tcp://127.0.0.1")
        running = Running("status", "-e", "control=tcp://127.0.0.1:%d" % port, "--timeout", "30")
        try:
            self.assertTrue(silent.poll(10000))
            self.assertEqual(running.end(signal.SIGINT, 5), 130)
            self.assertEqual(running.out, [])
        finally:
            running.close()
            silent.context.destroy(0)

    def test_a_broker_that_takes_too_long_is_named(self):
        silent = zmq.Context().socket(zmq.ROUTER)
        port = silent.bind_to_random_port("tcp://127.0.0.1")
        try:
            done = tocsin("status", "-e", "control=tcp://127.0.0.1:%d" % port, "--timeout", "1.5")
            self.assertEqual(done.returncode, 69)
            self.assertRegex(done.stderr, r"^tocsin: tocsind at tcp://127.0.0.1:%d does not answer" % port)
        finally:
            silent.context.destroy(0)

    def test_the_environment_says_where_the_broker_is_and_a_flag_stands_above_it(self):
        done = tocsin("status", TOCSIN_ENDPOINTS_CONTROL="tcp://127.0.0.1:1")
        self.assertIn("tcp://127.0.0.1:1\n", done.stderr)
        done = tocsin("status", "-e", "control=tcp://127.0.0.1:2", TOCSIN_ENDPOINTS_CONTROL="tcp://127.0.0.1:1")
        self.assertIn("tcp://127.0.0.1:2\n", done.stderr)

    def test_a_file_of_policies_is_checked_without_one(self):
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
            path = os.path.join(folder, "policies.yaml")
            with open(path, "w") as file:
                file.write('policies:\n  - {name: a, condition: "cpu > 80%", severity: low, channels: []}\n')
            done = tocsin("policy", "check", path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            with open(path, "w") as file:
                file.write('policies:\n  - {name: a, condition: "cpu >", severity: dire, channels: []}\n')
            done = tocsin("policy", "check", path)
            self.assertEqual(done.returncode, 65)
            self.assertRegex(done.stdout, r"(?m)^%s:2:\d+: .*severity: expected one of critical" % re.escape(path))
            found = json.loads(tocsin("policy", "check", path, "-o", "json").stdout)["items"]
            self.assertEqual((found[0]["file"], found[0]["line"]), (path, 2))
            self.assertEqual(tocsin("policy", "check", path + ".not").returncode, 65)

    def test_a_condition_that_nobody_means_is_pointed_at(self):
        conditions = {"cpu > 80%": None, "cpu_usage_ratio > 0.8": None, "rate(jobs_total[5m]) > 1": None, "disk_bytes > 1e9": None,
                      "cpu_usage_ratio > 1": "never true", "tocsin_dependency_error_ratio >= 0": "always true",
                      "disk_bytes > 80%": "percent",
                      'tocsin_slo_burn_rate{slo="api",window="1h"} > 14.4': "never true"}
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
            path = os.path.join(folder, "policies.yaml")
            for condition, complaint in conditions.items():
                with open(path, "w") as file:
                    file.write("slos: [{name: api, target_percent: 90}]\n"
                               "policies:\n  - {name: a, severity: low, channels: [], condition: '%s'}\n" % condition)
                done = tocsin("policy", "check", path)
                self.assertEqual((done.returncode, done.stderr), (0 if complaint is None else 65, ""), (condition, done.stdout))
                if complaint is not None:
                    self.assertRegex(done.stdout, r"^%s:3:\d+: condition: line 1, column \d+: [^\n]*%s[^\n]*\n$" % (re.escape(path), complaint))

    def test_names_that_nothing_in_a_file_of_policies_has_are_pointed_at(self):
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
            path = os.path.join(folder, "policies.yaml")
            with open(path, "w") as file:
                file.write('runbooks:\n  - {name: cpu_busy, description: x, procedures: [], steps: {}}\n'
                           'policies:\n  - {name: a, condition: "cpu > 80%", severity: low, channels: [], runbook: cpu_bsuy}\n'
                           '  - name: b\n    condition: mem > 1\n    severity: low\n    channels: []\n    inhibited_by: [gone]\n')
            done = tocsin("policy", "check", path)
            self.assertEqual(done.returncode, 65)
            self.assertEqual(done.stdout, path + ":4:77: runbook: there is no runbook cpu_bsuy; did you mean cpu_busy?\n" +
                             path + ":9:19: inhibited_by: there is no policy gone\n")

    OFFERS = (("tocsin inc", ["incident"]), ("tocsin incident op", ["open"]), ("tocsin incident open --sev", ["--severity"]),
              ("tocsin incident open --severity cr", ["critical"]), ("tocsin -o js", ["json", "jsonl"]),
              ("tocsin -o json incident l", ["list"]), ("tocsin completion z", ["zsh"]), ("tocsin --by inc", []))

    def offered(self, shell, script, typed):
        """What that shell offers after these words, of which the last is under way."""
        done = subprocess.run([shell, *script, TOCSIN, *typed.split(" ")], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.stderr, "", (shell, typed))
        return done.stdout.split()

    BASH = 'source <("$0" completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tocsin; echo "${COMPREPLY[@]}"'

    def test_bash_offers_files_where_one_is_wanted(self):
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
            path = os.path.join(folder, "policies.yaml")
            open(path, "w").close()
            self.assertEqual(self.offered("bash", ["-c", self.BASH], "tocsin policy check " + folder + "/pol"), [path])
            self.assertEqual(self.offered("bash", ["-c", self.BASH], "tocsin policy get " + folder + "/pol"), [])

    def test_bash_offers_what_may_follow(self):
        for typed, offers in self.OFFERS:
            self.assertEqual(self.offered("bash", ["-c", self.BASH], typed), offers, typed)

    def test_zsh_offers_what_may_follow(self):
        """compadd itself works in the line editor only; it leaves out what does not begin as the word does."""
        script = ('compdef() {}; compadd() { shift; for w in "$@"; do [[ $w == ${words[CURRENT]}* ]] && print -r -- $w; done; true }; '
                  'source <("$0" completion zsh); words=("$@"); CURRENT=$#; _tocsin')
        for typed, offers in self.OFFERS:
            self.assertEqual(self.offered("zsh", ["-fc", script], typed), offers, typed)

    def test_fish_offers_what_may_follow(self):
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as home:
            script = os.path.join(home, "completions.fish")
            with open(script, "w") as file:
                file.write(tocsin("completion", "fish").stdout)
            for typed, offers in self.OFFERS:
                if offers:  # without one of ours it offers files
                    done = subprocess.run(["fish", "--no-config", "-c", "source %s; complete -C '%s'" % (script, typed)],
                                          capture_output=True, text=True, timeout=20, env=dict(os.environ, HOME=home))
                    self.assertEqual(done.stderr, "", typed)
                    self.assertEqual([line.split("\t")[0] for line in done.stdout.splitlines()], offers, typed)


if __name__ == "__main__":
    main()
