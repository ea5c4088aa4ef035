"""React to alerts that fire, and tell the broker how that went: both over the bus, without a word to the broker itself.

    python3 relay_responder.py [--redis URL] [--prefix tocsin:] [--into telemetry] [--count N]

The broker's side (Debian: redis-server, and python3-redis for this program):

    relay:
      url: redis://127.0.0.1:6379/0
      in: [{stream: telemetry, kind: requests, format: fields, map: {operation: op, duration: secs, error: failed}}]

Responders that are started twice share the work: each entry of the stream goes to one of the group, and to another if that
one dies before it has acknowledged it. An entry that is sent again, by the broker after a failover or by Redis to another
responder, is recognised by its id.
"""
import argparse
import json
import socket
import time

import redis

GROUP = "relay_responder"
REMEMBERED_S = 3600  # the broker sends again what is ten minutes old at most
IDLE_MS = 30000  # a responder that is silent for so long is dead


class Responder:
    def __init__(self, url, prefix, into):
        self.redis = redis.Redis.from_url(url)
        self.stream, self.into = prefix + "alert", into
        self.name = "%s-%d" % (socket.gethostname(), time.time_ns())

    def join(self):
        try:
            self.redis.xgroup_create(self.stream, GROUP, id="0", mkstream=True)
        except redis.exceptions.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def entries(self):
        """What is new, and now and then what a dead responder left."""
        self.join()
        while True:
            claimed = self.redis.xautoclaim(self.stream, GROUP, self.name, IDLE_MS, count=10)
            new = self.redis.xreadgroup(GROUP, self.name, {self.stream: ">"}, count=10, block=1000)
            for entry, fields in claimed[1] + [e for _, entries in new for e in entries]:
                yield entry, {key.decode(): value.decode() for key, value in fields.items()}
                self.redis.xack(self.stream, GROUP, entry)

    def is_new(self, event):
        """True once for each event, whichever responder gets it."""
        key = "%s:%s:%s" % (GROUP, event["source"], event["id"])
        return self.redis.set(key, 1, nx=True, ex=REMEMBERED_S)

    def respond(self, alert):
        """What is done about it; here, a line for whoever watches."""
        print("responding to", alert["alert"], alert["policy"], alert["severity"], flush=True)

    def report(self, alert, seconds, failed):
        """As a request event: the broker profiles it, and an SLO may count it."""
        self.redis.xadd(self.into, {"op": "respond to " + alert["policy"], "secs": "%.6f" % seconds,
                                    "failed": str(failed).lower(), "labels.severity": alert["severity"]})

    def run(self, count):
        done = 0
        for _, event in self.entries():
            if event["type"] != "alert.firing" or not self.is_new(event):
                continue
            alert, begin, failed = json.loads(event["data"]), time.monotonic(), False
            try:
                self.respond(alert)
            except Exception as error:  # one that fails must not stop the others
                failed = True
                print("failed:", error, flush=True)
            self.report(alert, time.monotonic() - begin, failed)
            done += 1
            if done == count:
                return


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/0")
    parser.add_argument("--prefix", default="tocsin:")
    parser.add_argument("--into", default="telemetry")
    parser.add_argument("--count", type=int, default=0, help="end after so many")
    options = parser.parse_args()
    Responder(options.redis, options.prefix, options.into).run(options.count)


if __name__ == "__main__":
    main()
