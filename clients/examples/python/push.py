"""Push events: a batch of metrics, a request, and an incident.

    python3 push.py [METRICS [REQUESTS [INCIDENTS]]]        (addresses; Debian: python3-zmq, python3-msgpack)
"""
import sys

import msgpack
import zmq

ADDRESSES = ["tcp://127.0.0.1:7701", "tcp://127.0.0.1:7702", "tcp://127.0.0.1:7703"]


def pusher(context, address):
    socket = context.socket(zmq.PUSH)
    socket.setsockopt(zmq.LINGER, 2000)  # an exiting program loses nothing that it sent
    socket.setsockopt(zmq.SNDTIMEO, 2000)  # and does not wait for ever where nobody takes it
    socket.connect(address)
    return socket


def main():
    addresses = sys.argv[1:] + ADDRESSES[len(sys.argv) - 1:]
    context = zmq.Context()
    metrics, requests, incidents = (pusher(context, address) for address in addresses)

    labels = {"host": "web-1", "language": "python"}
    metrics.send(msgpack.packb([  # an array is a batch: cheaper than event by event
        {"name": "example_orders", "kind": "counter", "value": 3, "labels": labels},
        {"name": "example_queue_depth", "kind": "gauge", "value": 17, "labels": labels},
        {"name": "example_latency", "kind": "histogram", "values": [0.012, 0.034, 0.021], "unit": "seconds", "labels": labels},
    ]))
    requests.send(msgpack.packb({"operation": "POST /example", "duration": 0.031, "dependency": "postgresql",
                                 "error": True, "message": "connection refused"}))
    incidents.send(msgpack.packb({"title": "an example is running", "severity": "low", "key": "example-python"}))
    print("pushed 5 events")
    context.destroy(linger=2000)


if __name__ == "__main__":
    main()
