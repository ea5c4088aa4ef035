"""The programs of clients/examples, each in its language, as a reader would run them, against the real broker.

Python runs with Debian's packages, Node with what `npm ci` installs from the lock file, C against the library as it is
installed. What each says, and what the broker knows afterwards, is compared.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import Broker, main, wait_for

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
EXAMPLES = os.path.join(ROOT, "clients", "examples")
VECTORS = os.path.join(ROOT, "proto", "vectors")


def run(command, patience=120, **options):
    """What it printed; it must end well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience, **options)
    if done.returncode != 0:
        raise AssertionError("%s: exit status %d\n%s%s" % (" ".join(command), done.returncode, done.stdout, done.stderr))
    return done.stdout


class Examples:
    """What is asked of the examples of every language; a language says how its programs are run."""
    folder = None

    @classmethod
    def tearDownClass(cls):
        if cls.folder:
            shutil.rmtree(cls.folder)

    def setUp(self):
        self.broker = Broker(ipc=True)
        self.addCleanup(self.broker.close)
        self.at = self.broker.addresses

    def test_what_is_pushed_arrives(self):
        printed = run(self.program("push") + [self.at["metrics"], self.at["requests"], self.at["incidents"]])
        self.assertRegex(printed, r"^pushed \d events$")
        labels = {"language": self.language} if self.language == "c" else {"language": self.language, "host": "web-1"}
        wait_for(lambda: self.broker.ingest("incidents")["accepted"] == 1 and self.broker.ingest("requests")["accepted"] == 1
                 and self.broker.ask("metrics.get", name="example_orders", labels=labels)["ok"]
                 and self.broker.ask("metrics.get", name="example_queue_depth", labels=labels)["ok"], "the events")
        orders = self.broker.get("metrics.get", name="example_orders", labels=labels)
        self.assertEqual(orders["value"], 1000000 if self.language == "c" else 3)
        self.assertEqual(self.broker.get("metrics.get", name="example_queue_depth", labels=labels)["value"], 17)
        self.assertEqual(self.broker.get("dependency.get", name="postgresql")["last_error"], "connection refused")
        self.assertEqual([i["title"] for i in self.broker.get("incident.list")["items"]], ["an example is running"])

    def test_a_command_has_one_effect_however_often_it_is_sent(self):
        expected = "INC-1 the disk of db-1 is full\n"
        self.assertEqual(run(self.command("mine")), expected)
        self.broker.stop()
        self.broker.start()
        self.assertEqual(run(self.command("mine")), expected)
        self.assertEqual(len(self.broker.get("incident.list")["items"]), 1)

    def test_a_command_waits_for_a_broker_that_is_away(self):
        self.broker.stop()
        printed = []
        command = threading.Thread(target=lambda: printed.append(run(self.command("late"))))
        command.start()
        self.broker.start()
        command.join(60)
        self.assertEqual(printed, ["INC-1 the disk of db-1 is full\n"])
        self.assertEqual(len(self.broker.get("incident.list")["items"]), 1)

    def test_a_subscriber_catches_up_and_goes_on_through_a_restart(self):
        for title in ("one", "two", "three"):
            self.broker.get("incident.open", title=title, severity="low")
        program = subprocess.Popen(self.subscribe(1, 5), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        patience = threading.Timer(60, program.kill)  # a line that never comes is then an empty one
        patience.start()
        self.addCleanup(lambda: (patience.cancel(), program.kill(), program.communicate()))
        self.assertEqual([program.stdout.readline() for _ in range(2)],
                         ["2 incident.opened INC-2\n", "3 incident.opened INC-3\n"])
        self.broker.get("incident.open", title="four", severity="low")
        self.assertEqual(program.stdout.readline(), "4 incident.opened INC-4\n")
        self.broker.stop(signal.SIGKILL)
        self.broker.start()
        self.broker.get("incident.open", title="five", severity="low")
        self.broker.get("incident.close", incident="INC-1")
        self.assertEqual([program.stdout.readline() for _ in range(2)],
                         ["5 incident.opened INC-5\n", "6 incident.closed INC-1\n"])
        self.assertEqual(program.wait(30), 0)

    def test_the_golden_messages_are_understood_and_those_sent_are_accepted(self):
        printed = run(self.program("vectors") + [VECTORS, self.at["requests"]])
        metrics, requests = (int(words.split()[0]) for words in printed.split(" and "))
        self.assertGreater(metrics, 100)
        self.assertEqual(requests, 100)
        tally = wait_for(lambda: (lambda t: t if t["accepted"] >= requests else None)(self.broker.ingest("requests")),
                         "the requests")
        self.assertEqual((tally["accepted"], tally["refused"]), (requests, {}))


class Python(Examples, unittest.TestCase):
    language = "python"

    def program(self, name):
        return [sys.executable, os.path.join(EXAMPLES, "python", name + ".py")]

    def command(self, once):
        return self.program("command") + ["--once", once, self.at["control"]]

    def subscribe(self, since, count):
        return self.program("subscribe") + ["--since", str(since), "--count", str(count), self.at["events"], self.at["control"]]


class Node(Examples, unittest.TestCase):
    language = "node"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tocsin-test-")
        for name in os.listdir(os.path.join(EXAMPLES, "node")):
            if name != "node_modules":
                shutil.copy(os.path.join(EXAMPLES, "node", name), cls.folder)
        try:
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=cls.folder, patience=300)
        except Exception:
            shutil.rmtree(cls.folder)
            raise

    def program(self, name):
        return ["node", os.path.join(self.folder, name + ".js")]

    command = Python.command
    subscribe = Python.subscribe


class C(Examples, unittest.TestCase):
    language = "c"

    @classmethod
    def setUpClass(cls):
        """Installed, found by CMake, built with no warning."""
        cls.folder = tempfile.mkdtemp(prefix="tocsin-test-")
        prefix, build = os.path.join(cls.folder, "prefix"), os.path.join(cls.folder, "build")
        try:
            run(["cmake", "--install", os.path.join(ROOT, "build", "release"), "--prefix", prefix])
            run(["cmake", "-S", os.path.join(EXAMPLES, "c"), "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix,
                 "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror"])
            run(["cmake", "--build", build])
        except Exception:
            shutil.rmtree(cls.folder)
            raise

    def program(self, name):
        return [os.path.join(self.folder, "build", name)]

    def command(self, once):
        return self.program("command") + [once, self.at["control"]]

    def subscribe(self, since, count):
        return self.program("subscribe") + [str(since), str(count), self.at["events"], self.at["control"]]


if __name__ == "__main__":
    main()
