"""What README.md tells a reader to do, done as written; only the ports are those of the broker under test."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from harness import BrokerTest, main, wait_for

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def blocks(language):
    with open(os.path.join(ROOT, "README.md")) as file:
        return re.findall("```%s\n(.*?)```" % language, file.read(), re.S)


class TheReadme(BrokerTest):
    config = blocks("yaml")[0]

    def start(self, program):
        for port, name in ((7701, "metrics"), (7704, "events")):
            program = program.replace("tcp://127.0.0.1:%d" % port, self.broker.addresses[name])
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close()))
        return process

    def test_the_event_of_the_first_program_is_the_alert_of_the_second(self):
        push, listen = blocks("python")
        listener = self.start(listen)
        lines = []
        threading.Thread(target=lambda: lines.extend(iter(listener.stdout.readline, "")), daemon=True).start()
        self.broker.subscribe("")  # time for the listener to be connected as well
        end = time.monotonic() + 20
        while not lines and time.monotonic() < end:
            self.assertEqual(self.start(push).wait(10), 0)
            time.sleep(0.5)
        self.assertRegex(lines[0], r"^alert\.firing ALT-\d+ critical high_cpu: cpu > 80%$")

    def test_the_program_in_c_is_built_without_a_warning_and_runs(self):
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
            source, program = os.path.join(folder, "program.c"), os.path.join(folder, "program")
            text = blocks("c")[0].replace("tocsin_emitter_new(NULL)", "tocsin_emitter_new(&(tocsin_emitter_options_t){%s})" % ", ".join(
                '.%s = "%s"' % (name, self.broker.addresses[name]) for name in ("metrics", "requests", "incidents")))
            with open(source, "w") as file:
                file.write(text)
            library = os.path.join(ROOT, "build", "release", "clients")
            subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source, "-o", program,
                            "-I" + os.path.join(ROOT, "clients", "libtocsin", "include"), "-L" + library, "-ltocsin"], check=True)
            subprocess.run([program], check=True, timeout=20, env=dict(os.environ, LD_LIBRARY_PATH=library))
        wait_for(lambda: all(self.broker.ingest(name)["accepted"] == 1 for name in ("metrics", "requests", "incidents")), "the events")

    def test_every_file_and_function_it_names_is_there(self):
        with open(os.path.join(ROOT, "README.md")) as file:
            text = file.read()
        for path, function in re.findall(r"`([a-z_/]+\.c)(?:: ([a-z_]+))?`", text):
            with open(os.path.join(ROOT, path)) as source:
                self.assertRegex(source.read(), r"\b%s\(" % (function or ""))


class TheTwoCommands(unittest.TestCase):
    def test_broker_run_starts_the_broker_and_the_collector_and_stops_both(self):
        with tempfile.TemporaryDirectory(prefix="tocsin-test-") as folder:
            flags = ["--store", os.path.join(folder, "store")]
            for name in ("metrics", "requests", "incidents", "events", "control"):
                flags += ["--endpoint", name + "=tcp://127.0.0.1:0"]
            output = open(os.path.join(folder, "output"), "w+")
            process = subprocess.Popen([os.path.join(ROOT, "broker", "run"), *flags], stdout=output, stderr=subprocess.STDOUT,
                                       start_new_session=True)
            try:
                def text():
                    with open(output.name) as file:
                        return file.read()
                wait_for(lambda: "tocsind is ready" in text(), "the broker to be ready", 120)
                control = re.search(r"^control +(\S+)", text(), re.M).group(1)
                command = os.path.join(ROOT, "build", "release", "bin", "tocsin")

                def collected():
                    done = subprocess.run([command, "status", "-o", "json", "--endpoint", "control=" + control],
                                          capture_output=True, text=True, timeout=20)
                    return done.returncode == 0 and json.loads(done.stdout)["ingest"]["metrics"]["accepted"] > 0
                wait_for(collected, "the collector's numbers", 30)
                os.killpg(process.pid, signal.SIGINT)
                self.assertEqual(process.wait(15), 0, text())
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                output.close()
            left = subprocess.run(["pgrep", "-f", folder], capture_output=True, text=True).stdout
            self.assertEqual(left, "", "processes that were left behind")


if __name__ == "__main__":
    main()
