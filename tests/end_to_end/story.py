"""A client that keeps every answer, a model of what the answers must be, and a subscriber that misses nothing.

The commands of one client are carried out in the order in which they were sent. So after any crash, what has no answer yet is a
suffix of what was sent: sent again with the same `once`, it must come out as if nothing had happened.
"""
import collections
import random
import time

import msgpack
import zmq

WINDOW = 32  # commands in flight
PATIENCE = 20.0
FAMILIES = ("alert", "incident")
FORWARD = {"new": 0, "investigating": 1, "resolved": 2, "closed": 3}


class Model:
    """What operations must be after these commands, in plain words."""

    def __init__(self):
        self.incidents, self.alerts, self.policies = {}, {}, set()

    def carry_out(self, command):
        """Answers the expected ("ok", what of the result must be so) or ("error", code)."""
        return getattr(self, command["do"].replace(".", "_"))(command)

    def policy_put(self, command):
        self.policies.add(command["name"])
        return "ok", {"name": command["name"]}

    def incident_open(self, command):
        for name, incident in self.incidents.items():
            if command.get("key") and incident["key"] == command["key"] and incident["status"] != "closed":
                incident["occurrences"] += 1
                return "ok", {"incident": name, "duplicate": True, "occurrences": incident["occurrences"]}
        name = "INC-%d" % (len(self.incidents) + 1)
        self.incidents[name] = {"status": "new", "key": command.get("key"), "occurrences": 1, "notes": [], "title": command["title"]}
        return "ok", {"incident": name, "duplicate": False, "status": "new"}

    def incident_note(self, command):
        self.incidents[command["incident"]]["notes"].append(command["text"])
        return "ok", {"notes_count": len(self.incidents[command["incident"]]["notes"])}

    def move(self, command, status):
        incident = self.incidents[command["incident"]]
        reopens = (incident["status"], status) == ("resolved", "investigating")
        if not reopens and FORWARD[status] <= FORWARD[incident["status"]]:
            return "error", "bad_transition"
        incident["status"] = status
        return "ok", {"status": status}

    def incident_update(self, command):
        return self.move(command, command["status"])

    def incident_resolve(self, command):
        return self.move(command, "resolved")

    def incident_close(self, command):
        return self.move(command, "closed")

    def alert_fire(self, command):
        for name, alert in self.alerts.items():
            if alert["labels"] == command["labels"] and alert["state"] != "resolved":
                alert["occurrences"] += 1
                return "ok", {"fired": True}
        self.alerts["ALT-%d" % (len(self.alerts) + 1)] = {"labels": command["labels"], "state": "firing", "occurrences": 1}
        return "ok", {"fired": True}

    def alert_ack(self, command):
        alert = self.alerts[command["alert"]]
        if alert["state"] != "firing":
            return "error", "bad_transition"
        alert["state"] = "acknowledged"
        return "ok", {"state": "acknowledged"}

    def alert_resolve(self, command):
        alert = self.alerts[command["alert"]]
        if alert["state"] == "resolved":
            return "error", "bad_transition"
        alert["state"] = "resolved"
        return "ok", {"state": "resolved"}


class Story:
    """Commands by a seed, sent and sent again until each has the answer that the model expects."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed, self.count, self.acknowledged, self.refused = seed, 0, 0, 0
        self.model = Model()
        self.waiting = collections.deque()  # (command, expected), in order
        self.touched = set()
        self.invent({"do": "policy.put", "name": "p", "condition": "x > 1", "severity": "low", "channels": []})

    def invent(self, command=None):
        command = command or self.choose()
        self.count += 1
        command = dict(command, once="%d-%d" % (self.seed, self.count), id=self.count, by="ann")
        self.waiting.append((command, self.model.carry_out(command)))
        self.touched.add(command.get("incident"))
        return command

    def choose(self):
        chance, incidents, alerts = self.random.random(), self.model.incidents, self.model.alerts
        if chance < 0.3 or not incidents:
            key = {"key": "k%d" % self.random.randrange(5)} if self.random.random() < 0.3 else {}
            return dict({"do": "incident.open", "title": "t%d" % self.count, "severity": "high"}, **key)
        if chance < 0.5 or not alerts:
            return {"do": "alert.fire", "policy": "p", "labels": {"n": str(self.random.randrange(8))}}
        if chance < 0.6:
            return {"do": self.random.choice(["alert.ack", "alert.resolve"]), "alert": self.recent(alerts)}
        incident = self.recent(incidents)
        if chance < 0.8:
            return {"do": "incident.note", "incident": incident, "text": "note %d" % self.count}
        if chance < 0.9:
            return {"do": "incident.update", "incident": incident, "status": self.random.choice(["investigating", "resolved"])}
        return {"do": self.random.choice(["incident.resolve", "incident.close"]), "incident": incident}

    def recent(self, things):
        return self.random.choice(list(things)[-12:])

    def run(self, broker, more, until=lambda: False, window=WINDOW):
        """Send what waits, then `more` new commands; ends when all are answered, `until` holds or the broker is gone. What is
        refused because the disk is full is sent again; with a window of one, that keeps the order."""
        dealer = broker.socket(zmq.DEALER, "control")
        unsent = collections.deque(command for command, _ in self.waiting)
        in_flight, end = 0, time.monotonic() + PATIENCE
        while (unsent or in_flight or more > 0) and not until() and broker.process.poll() is None:
            while in_flight < window and (unsent or more > 0):
                if not unsent:
                    unsent.append(self.invent())
                    more -= 1
                dealer.send(msgpack.packb(unsent.popleft()))
                in_flight += 1
            try:
                in_flight -= self.take_answers(dealer, 5)
            except Refused:
                assert window == 1
                self.refused += 1
                dealer.send(msgpack.packb(self.waiting[0][0]))
            assert time.monotonic() < end, "no answer to %r" % (self.waiting[0],)
        if until() or broker.process.poll() is not None:
            broker.kill()
        while self.take_answers(dealer, 5):
            pass  # what was on its way when the broker ended was acknowledged too
        dealer.close(0)

    def take_answers(self, dealer, patience_ms):
        count = 0
        while dealer.poll(0 if count else patience_ms):
            reply = msgpack.unpackb(dealer.recv(), strict_map_key=False)
            command, expected = self.waiting[0]
            assert reply["id"] == command["id"], "an answer to %r came before that to %r" % (reply, command)
            if not reply["ok"] and reply["error"]["code"] == "unavailable":
                raise Refused(command)
            self.check(command, reply, expected)
            self.waiting.popleft()
            self.acknowledged += 1
            count += 1
        return count

    @staticmethod
    def check(command, reply, expected):
        kind, what = expected
        if kind == "error":
            assert not reply["ok"] and reply["error"]["code"] == what, (command, reply, expected)
        else:
            assert reply["ok"], (command, reply, expected)
            for key, value in what.items():
                assert reply["result"][key] == value, (command, reply, expected)

    # -- what must be there, when nothing waits any more --

    def verify_incident(self, broker, name):
        incident, expected = broker.get("incident.get", incident=name), self.model.incidents[name]
        assert incident["status"] == expected["status"], (incident, expected)
        assert incident["occurrences"] == expected["occurrences"], (incident, expected)
        assert [note["text"] for note in incident["notes"]] == expected["notes"], (incident, expected)
        assert incident["notes_count"] == len(expected["notes"]), (incident, expected)
        assert len(incident["timeline"]) == incident["timeline_count"], incident

    def verify_touched(self, broker, most=5):
        for name in sorted(self.touched - {None})[:most]:
            self.verify_incident(broker, name)
        self.touched.clear()

    def verify_all(self, broker):
        """Everything, and the counts equal a recount."""
        for name in self.model.incidents:
            self.verify_incident(broker, name)
        assert broker.refusal("incident.get", incident="INC-%d" % (len(self.model.incidents) + 1)) == "not_found"
        for name, expected in self.model.alerts.items():
            alert = broker.get("alert.get", alert=name)
            assert (alert["state"], alert["occurrences"], alert["labels"]) == (expected["state"], expected["occurrences"], expected["labels"]), alert
        metrics = broker.get("ops.metrics")
        over = [i for i in self.model.incidents.values() if i["status"] in ("resolved", "closed")]
        resolved = [a for a in self.model.alerts.values() if a["state"] == "resolved"]
        assert metrics["incidents_created"] == len(self.model.incidents), metrics
        assert metrics["incidents_open"] == len(self.model.incidents) - len(over), metrics
        assert metrics["alerts_triggered"] == len(self.model.alerts), metrics
        assert metrics["alerts_resolved"] == len(resolved), metrics
        assert metrics["alerts_active"] == len(self.model.alerts) - len(resolved), metrics


class Refused(Exception):
    """The broker takes no changes now."""


class Follower:
    """A subscriber as the wire contract describes it: it hears what is sent, sees holes, and asks for what it missed."""

    def __init__(self, broker):
        self.broker = broker
        self.last = {family: 0 for family in FAMILIES}
        self.heard, self.kept = {}, {}  # (family, seq): what was sent, and what was answered
        self.opened = collections.Counter()
        self.noted = collections.Counter()
        self.socket = broker.context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 5)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        for family in FAMILIES:
            self.socket.setsockopt_string(zmq.SUBSCRIBE, family + ".")
        self.socket.connect(broker.addresses["events"])

    def listen(self):
        while self.socket.poll(0):
            publication = msgpack.unpackb(self.socket.recv_multipart()[1], strict_map_key=False)
            at = publication["family"], publication["seq"]
            assert at not in self.heard, "number %r was sent twice" % (at,)
            self.heard[at] = publication
            if at in self.kept:  # it was asked for before it was heard
                self.compare(at)

    def compare(self, at):
        assert self.heard[at] == self.kept[at], "%r was sent as\n%r\nand kept as\n%r" % (at, self.heard[at], self.kept[at])

    def catch_up(self):
        """Ask for everything after the last; what was heard must be the very same, and no number may be missing."""
        self.listen()
        heads = self.broker.get("events.heads")
        for family in FAMILIES:
            while self.last[family] < heads[family]:
                answer = self.broker.get("events.since", family=family, seq=self.last[family], limit=1000)
                assert "lost" not in answer, answer["lost"]
                for publication in answer["items"]:
                    self.take(family, publication)
        self.listen()
        unknown = [at for at in self.heard if at not in self.kept and at[1] <= heads[at[0]]]
        assert not unknown, "sent and not kept: %r" % unknown

    def take(self, family, publication):
        at = family, publication["seq"]
        assert publication["seq"] == self.last[family] + 1, (publication["seq"], self.last)
        self.kept[at] = publication
        if at in self.heard:
            self.compare(at)
        self.last[family] = publication["seq"]
        if publication["type"] == "incident.opened":
            self.opened[publication["subject"]] += 1
        elif publication["type"] == "incident.noted":
            self.noted[publication["subject"]] += 1

    def verify(self, story):
        assert self.opened == {name: 1 for name in story.model.incidents}, self.opened
        assert self.noted == {n: len(i["notes"]) for n, i in story.model.incidents.items() if i["notes"]}, self.noted


def kill_at(seconds):
    """A condition that holds from then on."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end

