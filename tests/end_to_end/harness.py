"""A real tocsind on ephemeral ports with a store of its own, and the few words a test needs to talk to it.

Written from the wire contract alone: nothing here knows the broker's code.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import msgpack
import zmq

BIN = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]) else "build/asan/bin"
PATIENCE = 15.0  # the longest any wait lasts, seconds
ENDPOINTS = ("metrics", "requests", "incidents", "events", "control")


def wait_for(condition, what, patience=PATIENCE):
    """Poll until condition() is true; its value is answered."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("waited %.0f s in vain for %s" % (patience, what))


class Broker:
    def __init__(self, config=None, store=None, flags=(), environment=None, wrapper=(), ipc=False):
        """With ipc it listens in its folder, and is found at the same addresses when it is started again."""
        self.ipc = ipc
        self.folder = tempfile.mkdtemp(prefix="tocsin-test-")
        self.store = store or os.path.join(self.folder, "store")
        self.config = None
        if config is not None:
            self.config = os.path.join(self.folder, "tocsin.yaml")
            self.write_config(config)
        self.flags = list(flags)
        self.wrapper = list(wrapper)
        self.environment = dict(os.environ, **(environment or {}))
        self.context = zmq.Context()
        self.process = self.control = None
        try:
            self.start()
        except AssertionError:
            self.close()
            raise

    def write_config(self, text):
        with open(self.config, "w") as file:
            file.write(text)

    def launch(self):
        command = [os.path.join(BIN, "tocsind"), "--store", self.store]
        for name in ENDPOINTS:
            command += ["--endpoint", "%s=%s" % (name, "ipc://%s/%s" % (self.folder, name) if self.ipc else "tcp://127.0.0.1:0")]
        if self.config:
            command += ["--config", self.config]
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(self.wrapper + command + self.flags, stdout=subprocess.PIPE, stderr=self.log, env=self.environment)
        self.control = None

    def start(self):
        self.launch()
        self.addresses = {}
        for line in self.process.stdout:
            words = line.decode().split()
            if words == ["ready"]:
                break
            self.addresses[words[0]] = words[1]
        else:
            raise AssertionError("tocsind did not start: " + self.read_log())

    def start_and_kill_after(self, seconds):
        """Kill it at that moment of its start."""
        self.launch()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def read_log(self):
        with open(os.path.join(self.folder, "log")) as file:
            return file.read()

    def socket(self, kind, endpoint):
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 2000)
        socket.connect(self.addresses[endpoint])
        return socket

    def push(self, endpoint, *frames):
        """Each frame is an object to pack, or bytes as they are."""
        socket = self.socket(zmq.PUSH, endpoint)
        for frame in frames:
            socket.send(frame if isinstance(frame, bytes) else msgpack.packb(frame))
        socket.close()

    def ask(self, do, **arguments):
        """The whole reply."""
        if self.control is None:
            self.control = self.socket(zmq.REQ, "control")
        self.control.send(msgpack.packb(dict(arguments, do=do, id=do)))
        if not self.control.poll(PATIENCE * 1000):
            raise AssertionError("no answer to " + do)
        reply = msgpack.unpackb(self.control.recv(), strict_map_key=False)
        assert reply["id"] == do, reply
        return reply

    def get(self, do, **arguments):
        """The result of a command that succeeds."""
        reply = self.ask(do, **arguments)
        assert reply["ok"], reply
        return reply["result"]

    def refusal(self, do, **arguments):
        """The code of a command that is refused."""
        reply = self.ask(do, **arguments)
        assert not reply["ok"], reply
        assert reply["error"]["message"], reply
        return reply["error"]["code"]

    def ingest(self, endpoint):
        return self.get("system.status")["ingest"][endpoint]

    def wait_ingest(self, endpoint, frames):
        return wait_for(lambda: (lambda t: t if t["frames"] >= frames else None)(self.ingest(endpoint)),
                        "%d frames on %s" % (frames, endpoint))

    def subscribe(self, *topics):
        """A subscriber that is known to be connected: it has seen a heartbeat."""
        subscriber = Subscriber(self.socket(zmq.SUB, "events"), topics)
        subscriber.next("heartbeat")
        subscriber.seen.clear()
        return subscriber

    def pid(self):
        """Of tocsind itself, also under a wrapper, which ends with it."""
        if not self.wrapper:
            return self.process.pid
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
            children = file.read().split()
        return int(children[0]) if children else self.process.pid  # it has ended, and the wrapper is about to

    def stop(self, sig=signal.SIGTERM):
        """Answers the exit status."""
        if self.process is None:
            return None
        os.kill(self.pid(), sig)
        status = self.process.wait(PATIENCE)
        self.forget()
        return status

    def kill(self):
        """As a crash would end it. What has ended already is left alone: its number may be another process's by now."""
        if self.process.poll() is None:
            try:
                os.kill(self.pid(), signal.SIGKILL)
            except (IndexError, FileNotFoundError, ProcessLookupError):
                pass  # it has ended, and its wrapper is about to
        self.process.wait(PATIENCE)
        self.forget()

    def forget(self):
        self.process.stdout.close()
        self.log.close()
        self.process = None
        if self.control is not None:
            self.control.close(0)
            self.control = None

    def close(self):
        if self.context.closed:
            return
        if self.process is not None:
            self.kill()
        self.context.destroy(0)
        log = self.read_log()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert "Sanitizer" not in log and "runtime error" not in log and "a bug of ours" not in log, log


class Subscriber:
    def __init__(self, socket, topics):
        self.socket = socket
        self.seen = []
        for topic in topics or ("",):
            socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        socket.setsockopt_string(zmq.SUBSCRIBE, "heartbeat")

    def next(self, type, patience=PATIENCE, **data):
        """The next publication of that type whose data has these values; the others before it are kept in `seen`."""
        end = time.monotonic() + patience
        while True:
            left = end - time.monotonic()
            if left <= 0 or not self.socket.poll(left * 1000):
                raise AssertionError("no %s %r within %.0f s; seen: %r" % (type, data, patience, [p["type"] for _, p in self.seen]))
            topic, body = self.socket.recv_multipart()
            publication = msgpack.unpackb(body, strict_map_key=False)
            publication["topic"] = topic.decode()
            if publication["type"] != "heartbeat" or type == "heartbeat":
                self.seen.append((publication["topic"], publication))
            if publication["type"] == type and all(publication["data"].get(k) == v for k, v in data.items()):
                return publication


class BrokerTest(unittest.TestCase):
    """A test with a broker of its own."""
    config = None

    def setUp(self):
        self.broker = Broker(self.config)
        self.addCleanup(self.broker.close)


def main():
    unittest.main(verbosity=2)
