#!/usr/bin/env python3
"""How fast a backlog of publications goes out over the RELAY bus, beside redis-benchmark, which pipelines XADD of one of the
very entries over one connection to the same server, in the same call. Both take turns; a line of JSON.

    tests/bench/bench_relay.py build/release/bin [--entries N] [--rounds N]
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "end_to_end"))
parser = argparse.ArgumentParser()
parser.add_argument("bin")
parser.add_argument("--entries", type=int, default=30000)
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()
sys.argv[1:] = [options.bin]

import harness
from redis_server import RedisServer

STREAM = "tocsin:incident"
BATCH = 1024  # of the broker's


def broker_round(broker, redis):
    """Entries a second, from the first that is there to the last."""
    redis.start()
    client = redis.client
    harness.wait_for(lambda: client.xlen(STREAM) > 0, "the first entry", 60)
    begin, first = time.perf_counter(), client.xlen(STREAM)
    while client.xlen(STREAM) < options.entries:
        time.sleep(0.001)
    return (options.entries - first) / (time.perf_counter() - begin)


def yardstick_round(redis, entry):
    words = [w for pair in entry.items() for w in pair]
    output = subprocess.run(["redis-benchmark", "-p", str(redis.port), "-c", "1", "-P", str(BATCH), "-n", str(options.entries), "-q",
                             "XADD", "yardstick", "*", *words], capture_output=True, check=True).stdout.decode()
    return float(re.findall(r"([\d.]+) requests per second", output)[-1])


def main():
    redis = RedisServer()
    redis.stop()
    broker = harness.Broker("relay: {url: '%s', out: {families: [incident]}}\n" % redis.url)
    ours, theirs = [], []
    try:
        for begin in range(0, options.entries, 1000):
            broker.push("incidents", [{"title": "incident %d" % i, "severity": "low"} for i in range(begin, min(begin + 1000, options.entries))])
        harness.wait_for(lambda: broker.get("events.heads")["incident"] >= options.entries, "the backlog", 120)
        for _ in range(options.rounds):
            ours.append(broker_round(broker, redis))
            entry = redis.client.xrange(STREAM, count=1)[0][1]
            theirs.append(yardstick_round(redis, entry))
            redis.stop()  # an empty one comes back, so that everything is sent again
    finally:
        broker.close()
        redis.close()
    ratio = [a / b for a, b in zip(ours, theirs)]
    print(json.dumps({"entries": options.entries, "broker_per_s": round(statistics.median(ours)),
                      "redis_benchmark_per_s": round(statistics.median(theirs)), "ratio": round(statistics.median(ratio), 2),
                      "ratios": [round(r, 2) for r in ratio]}))


if __name__ == "__main__":
    main()
