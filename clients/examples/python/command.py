"""Open an incident exactly once, whatever happens to the broker or the connection meanwhile.

    python3 command.py [--once TEXT] [CONTROL [TITLE]]

The command carries `once`, a text of its own, and is sent again until it is answered: the broker does it the first time
and gives the first answer again afterwards, across its own restarts too.
"""
import argparse
import time
import uuid

import msgpack
import zmq

RESEND_MS = 1000


def command(address, patience, do, **arguments):
    """The result. Ends the program when there is no answer in time, or a refusal."""
    context = zmq.Context()
    message = msgpack.packb(dict(arguments, do=do))
    end = time.monotonic() + patience
    while time.monotonic() < end:
        control = context.socket(zmq.REQ)  # a new one each time: a REQ that got no answer cannot send
        control.setsockopt(zmq.LINGER, 0)
        control.connect(address)
        control.send(message)
        if control.poll(RESEND_MS):
            reply = msgpack.unpackb(control.recv(), strict_map_key=False)
            context.destroy(0)
            if not reply["ok"]:
                raise SystemExit("%s: %s" % (reply["error"]["code"], reply["error"]["message"]))
            return reply["result"]
        control.close()
    raise SystemExit("no answer from %s: is tocsind running?" % address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--once", default=str(uuid.uuid4()))
    parser.add_argument("control", nargs="?", default="tcp://127.0.0.1:7705")
    parser.add_argument("title", nargs="?", default="the disk of db-1 is full")
    options = parser.parse_args()
    incident = command(options.control, 30, "incident.open", title=options.title, severity="high", systems=["db-1"],
                       once=options.once)
    print(incident["incident"], incident["title"])


if __name__ == "__main__":
    main()
