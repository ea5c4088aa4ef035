"""Debian's redis-server on an ephemeral port of loopback, and one that plays dead."""
import os
import signal
import socket
import subprocess
import tempfile

import redis

import harness


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    def __init__(self, port=None, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="tocsin-redis-")
        self.port = port or free_port()
        self.options = options
        self.url = "redis://127.0.0.1:%d/0" % self.port
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder.name, "--save", "",
             "--appendonly", "no", "--logfile", os.path.join(self.folder.name, "log"), *self.options])
        self.client = redis.Redis(port=self.port)
        harness.wait_for(self.is_up, "redis-server to be up")

    def is_up(self):
        try:
            return self.client.ping()
        except redis.exceptions.ConnectionError:
            return False

    def stop(self, sig=signal.SIGTERM):
        if self.process is not None:
            self.client.close()
            self.process.send_signal(sig)
            if sig == signal.SIGKILL or sig == signal.SIGTERM:
                self.process.wait(harness.PATIENCE)
                self.process = None

    def close(self):
        self.stop(signal.SIGKILL)
        self.folder.cleanup()

    def entries(self, stream):
        """[(id, {field: value})], oldest first."""
        try:
            return [(i.decode(), {k.decode(): v for k, v in f.items()}) for i, f in self.client.xrange(stream)]
        except redis.exceptions.ConnectionError:
            return []
