"""Hear every publication once and in order, from a number on, through restarts of either side.

    python3 subscribe.py [--family F] [--since SEQ] [--count N] [EVENTS [CONTROL]]

Numbers count 1, 2, 3 ... within a family. So a hole shows, and `events.since` fills it: what was published before this
program ran, while the connection was away, or faster than it could read. Each heartbeat names the newest number, so that
missing the last one shows too. To resume, keep the last number that was dealt with and give it as --since.
"""
import argparse

import msgpack
import zmq


class Subscriber:
    def __init__(self, events, control, family, since):
        self.context = zmq.Context()
        self.address, self.family, self.last = control, family, since
        self.events = self.context.socket(zmq.SUB)
        # no ZMQ heartbeats here: they abort a connecting reader (libzmq issue 3937)
        self.events.setsockopt_string(zmq.SUBSCRIBE, family + ".")
        self.events.setsockopt_string(zmq.SUBSCRIBE, "heartbeat")
        self.events.connect(events)

    def ask(self, do, **arguments):
        """The result; None when nobody answers in time."""
        control = self.context.socket(zmq.REQ)
        control.setsockopt(zmq.LINGER, 0)
        control.connect(self.address)
        try:
            control.send(msgpack.packb(dict(arguments, do=do)))
            if not control.poll(2000):
                return None
            reply = msgpack.unpackb(control.recv(), strict_map_key=False)
        finally:
            control.close()
        if not reply["ok"]:
            raise SystemExit("%s: %s" % (reply["error"]["code"], reply["error"]["message"]))
        return reply["result"]

    def missed(self, head):
        """What was published after the last one, up to `head`."""
        while self.last < head:
            page = self.ask("events.since", family=self.family, seq=self.last)
            if page is None:
                return  # the broker is away: the next heartbeat shows the hole again
            for publication in page["items"]:
                self.last = publication["seq"]
                yield publication
            lost = page.get("lost")
            if not page["items"] and lost and lost[0] <= self.last + 1:
                self.last = lost[1]  # a crash took these numbers: nobody holds them
            elif not page["items"]:
                return  # on its way to the store

    def publications(self):
        while True:
            topic, body = self.events.recv_multipart()
            publication = msgpack.unpackb(body, strict_map_key=False)
            if publication["family"] == "heartbeat":
                yield from self.missed(publication["data"]["heads"][self.family])
            elif publication["seq"] == self.last + 1:
                self.last += 1
                yield publication
            else:
                yield from self.missed(publication["seq"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--family", default="incident")
    parser.add_argument("--since", type=int, default=0)
    parser.add_argument("--count", type=int, default=0, help="end after so many")
    parser.add_argument("events", nargs="?", default="tcp://127.0.0.1:7704")
    parser.add_argument("control", nargs="?", default="tcp://127.0.0.1:7705")
    options = parser.parse_args()
    subscriber = Subscriber(options.events, options.control, options.family, options.since)
    for number, publication in enumerate(subscriber.publications(), 1):
        print(publication["seq"], publication["type"], publication["subject"], flush=True)
        if number == options.count:
            break
    subscriber.context.destroy(0)


if __name__ == "__main__":
    main()
