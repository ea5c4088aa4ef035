#!/usr/bin/env python3
"""A primary and a replica on hosts of their own (network namespaces), an address that moves from one to the other, and a
partition between: what the old primary confirmed and nobody else has is sent again (FAULTS R2, R3).

    TOCSIN_FAILOVERS=200 tests/end_to_end/test_the_bus_fails_over_between_hosts.py BIN
"""
import os
import subprocess
import sys

ROUNDS = int(os.environ.get("TOCSIN_FAILOVERS", "3"))
INSIDE = "TOCSIN_TEST_INSIDE"
MAY = subprocess.run(["unshare", "-Urnm", "true"], stderr=subprocess.DEVNULL).returncode == 0

if MAY and INSIDE not in os.environ:  # once more, as root of namespaces of our own
    os.execvpe("unshare", ["unshare", "-Urnm", sys.executable, *sys.argv], dict(os.environ, **{INSIDE: "1"}))

import redis

import harness
from test_the_bus_loses_nothing import Consumer, STREAM

SERVICE = "10.9.9.9"  # where the bus is, whoever serves it


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Host:
    """A namespace with an address of its own, the service's address, and a Redis."""

    def __init__(self, name, number):
        self.name, self.address, self.gate = name, "10.9.%d.2" % number, "10.9.%d.1" % number
        ip("netns", "add", name)
        ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("addr", "add", self.gate + "/24", "dev", name)
        ip("link", "set", name, "up")
        for words in (("addr", "add", self.address + "/24", "dev", "eth0"), ("addr", "add", SERVICE + "/32", "dev", "eth0"),
                      ("link", "set", "lo", "up"), ("link", "set", "eth0", "up"), ("route", "add", "default", "via", self.gate)):
            ip("-n", name, *words)
        self.process = None

    def start(self, *options):
        self.stop()
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, "redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--save", "",
             "--dir", "/tmp", "--repl-timeout", "3", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0",
             "--repl-diskless-load", "swapdb", *options], stdout=subprocess.DEVNULL)
        self.client = redis.Redis(self.address, socket_timeout=2)
        harness.wait_for(self.is_up, self.name + " to be up")

    def is_up(self):
        try:
            return self.client.ping()
        except redis.exceptions.RedisError:
            return False

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def serve(self):
        ip("route", "replace", SERVICE + "/32", "via", self.address)

    def cut(self):
        ip("link", "set", self.name, "down")

    def mend(self):
        ip("link", "set", self.name, "up")


@harness.unittest.skipUnless(MAY, "namespaces may not be made here")
class FailOver(harness.unittest.TestCase):
    def test_nothing_is_lost_when_the_primary_is_cut_off(self):
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
        ip("link", "set", "lo", "up")
        with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
            file.write("1")
        hosts = [Host("one", 1), Host("two", 2)]
        for host in hosts:
            self.addCleanup(host.stop)
        broker = harness.Broker("relay: {url: 'redis://%s', allow_remote: true, out: {families: [incident]}}" % SERVICE)
        self.addCleanup(broker.close)
        consumer, published = Consumer(), 0
        for number in range(ROUNDS):
            primary, replica = hosts[number % 2], hosts[1 - number % 2]
            if number == 0:
                primary.start()
                primary.serve()
            replica.start("--replicaof", primary.address, "6379")
            harness.wait_for(lambda: replica.client.info()["master_link_status"] == "up", "the replica to follow")
            for size, cut in ((100, False), (100, True)):
                if cut:
                    replica.cut()  # what is confirmed from here on, nobody else has
                broker.push("incidents", [{"title": "x", "severity": "low"}] * size)
                published += size
                harness.wait_for(lambda: broker.get("relay.status")["out"]["families"]["incident"] >= published, "the bus to have it", 40)
            primary.cut()
            replica.mend()
            replica.client.replicaof("NO", "ONE")
            replica.serve()
            broker.push("incidents", [{"title": "x", "severity": "low"}] * 100)
            published += 100
            wanted = {b"incident-%d" % i for i in range(1, published + 1)}
            consumer.rewind()

            def everything():
                consumer.read(replica.client)
                return wanted <= set(consumer.seen)
            harness.wait_for(everything, "everything to be with the new primary", 60)
            primary.stop()
            primary.mend()
        print("%d failovers, %d publications, 0 lost" % (ROUNDS, published))
        self.assertTrue(hosts[ROUNDS % 2].client.exists(STREAM))


if __name__ == "__main__":
    harness.main()
