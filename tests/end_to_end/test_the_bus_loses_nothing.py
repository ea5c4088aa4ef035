#!/usr/bin/env python3
"""Publications over the RELAY bus while its Redis is stopped, killed, stands still, fails over or is cut off (FAULTS R1-R4):
a consumer that reads what is there, and takes each id once, has everything at the end.

    TOCSIN_PUBLICATIONS=100000 tests/end_to_end/test_the_bus_loses_nothing.py BIN
"""
import os
import random
import selectors
import signal
import socket
import threading
import time

import redis

import harness
from redis_server import RedisServer

PUBLICATIONS = int(os.environ.get("TOCSIN_PUBLICATIONS", "3000"))
SEED = int(os.environ.get("TOCSIN_SEED", str(int(time.time()))))
STREAM = "tocsin:incident"


class Proxy:
    """A TCP proxy whose target can be changed and whose connections can be cut or left hanging."""

    def __init__(self, port):
        self.target, self.hanging = port, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.pairs, self.closing = [], False
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while not self.closing:
            try:
                inner, _ = self.listener.accept()
            except OSError:
                return
            try:
                outer = socket.create_connection(("127.0.0.1", self.target), 1)
            except OSError:
                inner.close()
                continue
            self.pairs.append((inner, outer))
            threading.Thread(target=self.pump, args=(inner, outer), daemon=True).start()

    def pump(self, inner, outer):
        selector = selectors.DefaultSelector()
        selector.register(inner, selectors.EVENT_READ, outer)
        selector.register(outer, selectors.EVENT_READ, inner)
        try:
            while True:
                for key, _ in selector.select():
                    data = key.fileobj.recv(65536)
                    while self.hanging:  # neither answered nor closed
                        time.sleep(0.01)
                    if not data:
                        return
                    key.data.sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            inner.close()
            outer.close()

    def switch(self, port):
        self.target, self.hanging = port, False
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.pairs = []

    def close(self):
        self.closing = True
        self.listener.close()
        self.switch(0)


class Consumer:
    """Reads whatever the present server has, from its beginning whenever that may have changed."""

    def __init__(self):
        self.seen, self.again, self.place = {}, 0, "0"

    def read(self, client):
        try:
            for _, entries in client.xread({STREAM: self.place}, count=1000):
                for entry, fields in entries:
                    self.place = entry
                    key = fields[b"id"]
                    self.again += key in self.seen
                    self.seen.setdefault(key, fields[b"data"])
                return True
        except redis.exceptions.RedisError:
            pass
        return False

    def rewind(self):
        self.place = "0"


class Loss(harness.unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)
        self.consumer = Consumer()

    def serve(self, *options):
        server = RedisServer(None, *options)
        self.addCleanup(server.close)
        return server

    def begin(self, port, more=""):
        self.broker = harness.Broker("relay: {url: 'redis://127.0.0.1:%d', out: {families: [incident]%s}}" % (port, more))
        self.addCleanup(self.broker.close)
        self.published = 0

    def publish(self, count):
        self.broker.push("incidents", [{"title": "i%d" % i, "severity": "low"} for i in range(self.published, self.published + count)])
        self.published += count

    def finish(self, client):
        wanted = {b"incident-%d" % i for i in range(1, self.published + 1)}

        def look():
            self.consumer.read(client)
            return wanted <= set(self.consumer.seen)
        harness.wait_for(look, "everything to arrive, seed %d" % SEED, 60 + self.published / 1000)
        self.assertEqual(set(self.consumer.seen), wanted)
        print("%d publications, 0 lost, %d again, seed %d" % (self.published, self.consumer.again, SEED))

    def test_a_redis_that_comes_and_goes(self):
        server = self.serve()
        self.begin(server.port)
        step = max(1, PUBLICATIONS // 12)
        while self.published < PUBLICATIONS:
            self.publish(min(step, PUBLICATIONS - self.published))
            harness.wait_for(lambda: self.consumer.read(server.client), "something on the bus", 30)
            end = time.monotonic() + self.random.uniform(0, 0.4)
            while time.monotonic() < end:
                self.consumer.read(server.client)
            what = self.random.choice(("kill", "stop", "stand", "nothing"))
            if what == "stand":
                server.process.send_signal(signal.SIGSTOP)
                time.sleep(self.random.uniform(0, 1.5))
                server.process.send_signal(signal.SIGCONT)
            elif what != "nothing":
                server.stop(signal.SIGKILL if what == "kill" else signal.SIGTERM)
                self.publish(10)
                server.start()
                self.consumer.rewind()
        self.finish(server.client)

    def test_a_failover_to_a_replica_that_lags(self):
        primary = self.serve()
        replica = self.serve("--replicaof", "127.0.0.1 %d" % primary.port)
        harness.wait_for(lambda: replica.client.info()["master_link_status"] == "up", "the replica to follow")
        proxy = Proxy(primary.port)
        self.addCleanup(proxy.close)
        self.begin(proxy.port)
        self.publish(300)
        harness.wait_for(lambda: replica.client.exists(STREAM) and replica.client.xlen(STREAM) == 300, "the replica to have them")
        replica.process.send_signal(signal.SIGSTOP)  # it lags
        self.publish(300)
        harness.wait_for(lambda: primary.client.xlen(STREAM) == 600, "the primary to confirm them")
        primary.stop(signal.SIGKILL)
        replica.process.send_signal(signal.SIGCONT)
        replica.client.replicaof("NO", "ONE")
        proxy.switch(replica.port)
        self.publish(300)
        self.finish(replica.client)

    def test_a_bus_that_is_cut_off_without_a_word(self):
        server = self.serve()
        proxy = Proxy(server.port)
        self.addCleanup(proxy.close)
        self.begin(proxy.port)
        self.publish(100)
        harness.wait_for(lambda: server.client.xlen(STREAM) == 100, "the first")
        proxy.hanging = True
        self.publish(100)
        harness.wait_for(lambda: not self.broker.get("relay.status")["out"]["connected"], "the cut to be noticed")
        proxy.switch(server.port)
        self.publish(100)
        self.finish(server.client)

    def test_a_replica_that_is_demanded_keeps_what_was_confirmed(self):
        primary = self.serve()
        replica = self.serve("--replicaof", "127.0.0.1 %d" % primary.port)
        harness.wait_for(lambda: replica.client.info()["master_link_status"] == "up", "the replica to follow")
        proxy = Proxy(primary.port)
        self.addCleanup(proxy.close)
        self.begin(proxy.port, ", replicas: 1")
        self.publish(500)
        harness.wait_for(lambda: self.broker.get("relay.status")["out"]["families"]["incident"] >= 100, "a part of them")
        confirmed = self.broker.get("relay.status")["out"]["families"]["incident"]
        primary.stop(signal.SIGKILL)
        have = {f["id"] for _, f in replica.entries(STREAM)}
        self.assertTrue({b"incident-%d" % i for i in range(1, confirmed + 1)} <= have)
        replica.client.replicaof("NO", "ONE")
        other = self.serve("--replicaof", "127.0.0.1 %d" % replica.port)
        self.assertTrue(other.is_up())
        proxy.switch(replica.port)
        self.finish(replica.client)


if __name__ == "__main__":
    harness.main()
