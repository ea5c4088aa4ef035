"""Hold msgpack for Python against the golden messages of proto/vectors.

    python3 vectors.py [FOLDER [REQUESTS]]

Every frame that the broker takes whole is decoded here too and must mean what its line says; what it means is encoded
again and must mean the same. With the address of a broker's requests socket, the requests are pushed there as well.
"""
import json
import os
import re
import sys

import msgpack
import zmq

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../proto/vectors")
UNITS = {"y": 31536000, "w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}


def decode(frame):
    """A frame as Python has it: timestamps as seconds, maps with what keys they have."""
    return msgpack.unpackb(frame, timestamp=1, strict_map_key=False, unicode_errors="surrogateescape",
                           object_pairs_hook=lambda pairs: {k: v for k, v in pairs if isinstance(k, str)})


def seconds(duration):
    if isinstance(duration, str):
        return sum(int(n) * UNITS[u] for n, u in re.findall(r"(\d+)(ms|[ywdhms])", duration))
    return duration


def labels(event):
    return {name: value for name, value in sorted((event.get("labels") or {}).items()) if value != ""}


def metric(event, values):
    return {"name": event["name"], "kind": event["kind"], "values": values, "labels": labels(event),
            "unit": event.get("unit") or None, "time": event.get("time")}


def metrics(frame):
    if isinstance(frame, dict) and "samples" in frame and "series" in frame:  # a compact frame
        samples = iter(frame["samples"])
        return [metric(dict(frame["series"][int(index)], time=None), [value]) for index, value in zip(samples, samples)]
    events = frame if isinstance(frame, list) else [frame]
    return [metric(event, [event["value"]] if event.get("value") is not None else event["values"]) for event in events]


def requests(frame):
    events = frame if isinstance(frame, list) else [frame]
    return [{"operation": event["operation"], "duration": seconds(event["duration"]), "error": event.get("error") or False,
             "dependency": event.get("dependency") or None, "message": event.get("message"), "labels": labels(event),
             "attempt": event.get("attempt") or 1, "breaker": event.get("breaker"), "time": event.get("time")}
            for event in events]


def check(path, meaning):
    """The events of all vectors of a file, each checked."""
    events = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            vector = json.loads(line)
            if vector["whole"] != "ok" or vector["refused"]:
                continue  # what the broker refuses is its own to judge
            found = meaning(decode(bytes.fromhex(vector["frame"])))
            again = meaning(decode(msgpack.packb(vector["events"])))
            for what in (found, again):
                if what != vector["events"]:
                    raise SystemExit("%s: %s: %r, expected %r" % (path, vector["name"], what, vector["events"]))
            events += vector["events"]
    return events


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else FOLDER
    checked = check(os.path.join(folder, "metrics.jsonl"), metrics)
    pushed = check(os.path.join(folder, "requests.jsonl"), requests)
    print("%d metric events and %d request events are understood" % (len(checked), len(pushed)))
    if len(sys.argv) > 2:
        context = zmq.Context()
        socket = context.socket(zmq.PUSH)
        socket.connect(sys.argv[2])
        socket.send(msgpack.packb(pushed))
        context.destroy(linger=2000)


if __name__ == "__main__":
    main()
