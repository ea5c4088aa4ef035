"""The verbs of the tocsin command that run until they are told to end: events tail, collect, demo. A broker that goes away and
comes back, Ctrl-C, and what is left behind."""
import csv
import io
import json
import re
import signal
import socket
import subprocess
import threading
import time

from command_line import CommandTest, Running, TOCSIN, plain_environment
from harness import main, wait_for


class Tail(CommandTest):
    def open_incident(self, title):
        return self.broker.get("incident.open", title=title, severity="low")["incident"]

    def test_it_catches_up_and_goes_on(self):
        first = self.open_incident("first")
        tail = self.running("events", "tail", "--since", "0", "-o", "jsonl", "--family", "incident")
        wait_for(lambda: len(tail.out) >= 1, "what was there")
        second = self.open_incident("second")
        wait_for(lambda: len(tail.out) >= 2, "what came")
        self.assertEqual(tail.end(signal.SIGINT), 130)
        seen = [json.loads(line) for line in tail.out]
        self.assertEqual([(p["seq"], p["subject"]) for p in seen], [(1, first), (2, second)])
        self.assertEqual(seen, self.broker.get("events.since", family="incident", seq=0)["items"])

    def test_it_stops_after_as_many_as_it_was_told(self):
        for n in range(5):
            self.open_incident("n%d" % n)
        tail = self.running("events", "tail", "--since", "1", "--count", "3", "-o", "csv")
        self.assertEqual(tail.end(None), 0)
        rows = list(csv.DictReader(io.StringIO("\n".join(tail.out))))
        self.assertEqual([row["seq"] for row in rows], ["2", "3", "4"])
        self.assertEqual(json.loads(rows[0]["data"])["title"], "n1")

    def test_it_shows_what_was_asked_for_and_nothing_else(self):
        self.broker.get("policy.put", name="by_hand", condition="never > 1", severity="high", channels=[])
        self.open_incident("x")
        self.broker.get("alert.fire", policy="by_hand", message="look here")
        tail = self.running("events", "tail", "--since", "0", "--topic", "alert.high.")
        wait_for(lambda: tail.out, "the alert")
        self.assertEqual(tail.end(signal.SIGTERM), 0)
        self.assertEqual(len(tail.out), 1)
        self.assertRegex(tail.out[0], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  alert.firing +\S+  .*high  look here")

    def test_it_survives_restarts_of_the_broker_and_misses_nothing(self):
        broker = self.broker
        broker.stop()
        ports = []  # the same ones each time, so that everybody finds the broker again
        for name in ("metrics", "requests", "incidents", "events", "control"):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                ports += ["--endpoint", "%s=tcp://127.0.0.1:%d" % (name, free.getsockname()[1])]
        broker.flags += ports
        broker.start()
        tail = self.running("events", "tail", "--since", "0", "-o", "jsonl", "--family", "incident")
        for n in range(3):
            self.open_incident("n%d" % n)
            wait_for(lambda n=n: len(tail.out) == n + 1, "incident %d" % n)
            broker.stop(signal.SIGKILL)
            broker.start()
        self.open_incident("last")
        wait_for(lambda: len(tail.out) == 4, "the last incident", 30)
        self.assertEqual(tail.end(), 130)
        self.assertEqual([json.loads(line) for line in tail.out], broker.get("events.since", family="incident", seq=0)["items"])

    def test_a_full_disk_ends_it(self):
        self.open_incident("x")
        with open("/dev/full", "w") as full:
            done = subprocess.run([TOCSIN, "events", "tail", "--since", "0", *self.at()], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=60, env=plain_environment())
        self.assertEqual(done.returncode, 74)

    def test_a_reader_that_goes_away_ends_it_quietly(self):
        for n in range(2000):
            self.open_incident("n%d" % n)
        done = subprocess.run(["bash", "-c", '"$@" | head -1', "-", TOCSIN, "events", "tail", "--since", "0", "-o", "jsonl", *self.at()],
                              capture_output=True, text=True, timeout=60, env=plain_environment())
        self.assertEqual((done.stderr, len(done.stdout.splitlines())), ("", 1))


class Collect(CommandTest):
    def test_it_pushes_the_numbers_of_this_host_each_second(self):
        collect = self.running("collect")
        host = socket.gethostname()
        names = ("node_cpu_seconds_total", "node_cpu_usage_ratio", "node_load1", "node_memory_MemAvailable_bytes",
                 "node_memory_usage_ratio", "node_network_receive_bytes_total", "node_context_switches_total")

        def there():
            listed = {}
            for item in self.broker.get("metrics.list", prefix="node_", limit=1000)["items"]:
                self.assertEqual(item["labels"]["instance"], host)
                listed[item["name"]] = item
            return listed if all(name in listed for name in names) else None
        listed = wait_for(there, "the numbers of this host")
        with open("/proc/meminfo") as file:
            total = int(re.search(r"MemTotal: +(\d+)", file.read()).group(1)) * 1024
        self.assertEqual(self.broker.get("metrics.get", name="node_memory_MemTotal_bytes", labels={"instance": host})["value"], total)
        for name, kind, unit in (("node_cpu_seconds_total", "counter", "seconds"), ("node_cpu_usage_ratio", "gauge", "ratio"),
                                 ("node_memory_MemAvailable_bytes", "gauge", "bytes")):
            self.assertEqual((listed[name]["kind"], listed[name]["unit"]), (kind, unit))
        self.assertTrue(0 <= listed["node_cpu_usage_ratio"]["value"] <= 1)
        self.assertEqual(self.broker.ingest("metrics")["refused"], {})
        self.assertEqual(collect.end(), 130)
        self.assertEqual(len(collect.err), 1, collect.err)

    def test_it_asks_after_the_dependencies_it_is_given(self):
        with socket.socket() as there, socket.socket() as gone:
            there.bind(("127.0.0.1", 0))
            there.listen()
            gone.bind(("127.0.0.1", 0))  # bound, not listening: refused
            web = self.web(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
            broken = self.web(b"HTTP/1.0 503 Busy\r\nContent-Length: 0\r\n\r\n")
            probes = {"db": "tcp://127.0.0.1:%d" % there.getsockname()[1], "cache": "tcp://127.0.0.1:%d" % gone.getsockname()[1],
                      "site": "http://127.0.0.1:%d/health" % web, "shop": "http://127.0.0.1:%d/" % broken}
            collect = self.running("collect", *[word for name, url in probes.items() for word in ("--probe", name + "=" + url)])

            def asked():
                items = {item["name"]: item for item in self.broker.get("dependency.list")["items"]}
                return items if set(items) == set(probes) and all(i["successes"] + i["failures"] >= 2 for i in items.values()) else None
            items = wait_for(asked, "the probes")
            self.assertEqual({name: item["failures"] > 0 for name, item in items.items()},
                             {"db": False, "site": False, "cache": True, "shop": True})
            self.assertIn("503", items["shop"]["last_error"])
            self.assertLess(items["db"]["avg_latency"], 1)
            self.assertGreater(items["site"]["avg_latency"], 0)
            self.assertEqual(collect.end(signal.SIGTERM), 0)

    def web(self, answer):
        """A server that says one thing; its port."""
        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve():
            while True:
                try:
                    with server.accept()[0] as client:
                        client.recv(4096)
                        client.sendall(answer)
                except OSError:
                    return
        threading.Thread(target=serve, daemon=True).start()
        self.addCleanup(lambda: (server.shutdown(socket.SHUT_RDWR), server.close()))
        return server.getsockname()[1]

    def test_it_waits_for_a_broker_that_is_away_and_says_so_once(self):
        broker = self.broker
        broker.stop()
        at = []
        for name in ("metrics", "requests", "control"):
            at += ["--endpoint", name + "=" + broker.addresses[name]]
        collect = Running("collect", *at)
        self.addCleanup(collect.close)
        wait_for(lambda: len(collect.err) == 2, "the line that says that nobody takes the numbers")
        self.assertRegex(collect.err[1], re.escape(broker.addresses["metrics"]))
        broker.flags += at + ["--endpoint", "incidents=tcp://127.0.0.1:0", "--endpoint", "events=tcp://127.0.0.1:0"]
        broker.start()
        wait_for(lambda: broker.ingest("metrics")["accepted"] > 0, "the numbers that waited")
        wait_for(lambda: len(collect.err) == 3, "the line that says that they are taken again")
        self.assertEqual(collect.end(), 130)
        self.assertEqual(len(collect.err), 3, collect.err)


class Demo(CommandTest):
    EXPECTED = ("anomaly.detected", "anomaly.cleared", "dependency.changed", "slo.breached", "slo.recovered", "alert.firing",
                "alert.resolved", "incident.opened", "incident.resolved")

    def nothing_is_left(self):
        self.assertEqual(self.broker.get("slo.list")["items"], [])
        self.assertEqual(self.broker.get("policy.list")["items"], [])
        self.assertEqual(self.broker.get("runbook.list")["items"], [])
        self.assertEqual(self.broker.get("alert.list")["items"], [])
        self.assertEqual(self.broker.get("incident.list", status="open")["items"], [])

    def test_within_twenty_seconds_everything_goes_wrong_and_is_well_again(self):
        begin = time.monotonic()
        demo = self.running("demo")
        status = demo.end(None, 30)
        text = "\n".join(demo.out + demo.err)
        self.assertLess(time.monotonic() - begin, 21)
        self.assertEqual(status, 0, text)
        for type in self.EXPECTED:
            self.assertRegex(text, r"(?m)^ *[0-9.]+ s +%s " % re.escape(type))
        self.assertRegex(text, r"demo-postgresql  healthy -> degraded")
        self.assertRegex(text, r"demo-postgresql  degraded -> healthy")
        self.assertNotIn("Not seen", text)
        incident = re.search(r"tocsin incident get (INC-\d+)", text).group(1)
        self.assertEqual(self.broker.get("incident.get", incident=incident)["status"], "resolved")
        published = {item["type"] for family in ("anomaly", "slo", "dependency", "alert", "incident")
                     for item in self.broker.get("events.since", family=family, seq=0, limit=1000)["items"]}
        self.assertTrue(published.issuperset(self.EXPECTED), published)
        self.nothing_is_left()

    def play_until_the_alert(self):
        demo = self.running("demo")
        wait_for(lambda: any("incident.opened" in line for line in demo.out), "the incident", 30)
        return demo

    def test_ctrl_c_in_the_middle_leaves_nothing(self):
        demo = self.play_until_the_alert()
        self.assertEqual(demo.end(signal.SIGINT), 130)
        self.nothing_is_left()

    def test_what_a_killed_one_has_left_is_taken_away_by_the_next(self):
        demo = self.play_until_the_alert()
        demo.end(signal.SIGKILL)
        self.assertEqual([item["name"] for item in self.broker.get("policy.list")["items"]], ["demo-orders-fail"])
        demo = self.running("demo")
        wait_for(lambda: demo.out, "the play to begin")
        self.assertEqual(self.broker.get("incident.list", status="open")["items"], [])
        self.assertEqual(demo.end(signal.SIGINT), 130)
        self.nothing_is_left()


if __name__ == "__main__":
    main()
