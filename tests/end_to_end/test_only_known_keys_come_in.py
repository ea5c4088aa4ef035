"""Access: who may connect, who may do what, and how soon a right that was taken away is gone."""
import os
import subprocess
import time
import unittest

import msgpack
import zmq
from guarded import GuardedBroker, keygen
from harness import BIN, PATIENCE, Broker, Subscriber, main, wait_for

SOON = 1.0  # within this a change of the keys has reached open connections, seconds


def gauge(name, value, **labels):
    return {"name": name, "kind": "gauge", "value": value, "labels": labels}


class Guarded(unittest.TestCase):
    config = ""
    keys = (("orders", "producer", "--write", "orders_", "--write", "GET /orders"),
            ("payments", "producer", "--write", "payments_"),
            ("screen", "subscriber", "--read", "anomaly.orders_", "--read", "dependency."),
            ("desk", "operator"))

    def setUp(self):
        self.broker = GuardedBroker(self.config, self.keys)
        self.addCleanup(self.broker.close)

    def push(self, identity, endpoint, *frames):
        socket = self.broker.socket(zmq.PUSH, endpoint, identity)
        for frame in frames:
            socket.send(msgpack.packb(frame))
        socket.close()

    def comes_in(self, identity="admin"):
        """A new connection: True, or None."""
        socket = self.broker.socket(zmq.DEALER, "control", identity)
        socket.linger = 0
        socket.send(msgpack.packb({"do": "system.ping"}))
        answered = socket.poll(300)
        socket.close(0)
        return True if answered else None

    def change(self, name, kind="anomaly", by="orders"):
        """Have one publication made: an anomaly of that metric."""
        self.push(by, "metrics", *[gauge(name, 1) for _ in range(12)], gauge(name, 999), gauge(name, 1))


class Connections(Guarded):
    def refused(self):
        return self.broker.get("system.status")["access"]["refused"]

    def assert_cut_off(self, socket):
        """Nothing is answered, while a good key is."""
        socket.send(msgpack.packb({"do": "system.ping", "id": 1}), zmq.DONTWAIT) if socket.poll(300, zmq.POLLOUT) else None
        self.assertEqual(socket.poll(300), 0)
        self.assertEqual(self.broker.get("system.ping"), "pong")

    def test_a_stranger_with_a_good_pair_of_keys_does_not_come_in(self):
        self.broker.pairs["stranger"] = zmq.curve_keypair()
        self.assert_cut_off(self.broker.socket(zmq.DEALER, "control", "stranger"))
        self.assertGreater(self.refused()["unknown_key"], 0)

    def test_clients_without_keys_do_not_come_in(self):
        plain = self.broker.context.socket(zmq.DEALER)
        plain.plain_username, plain.plain_password = b"admin", b"admin"
        null = self.broker.context.socket(zmq.DEALER)
        for socket in (plain, null):
            socket.linger = 0
            socket.connect(self.broker.addresses["control"])
            self.assert_cut_off(socket)

    def test_a_client_that_expects_another_server_does_not_come_in(self):
        self.broker.server, _ = zmq.curve_keypair()
        socket = self.broker.context.socket(zmq.DEALER)
        socket.linger = 0
        self.broker.arm(socket, "admin")
        socket.connect(self.broker.addresses["control"])
        self.assertEqual(socket.poll(300, zmq.POLLIN), 0)

    def test_every_endpoint_is_guarded(self):
        for endpoint, kind in (("metrics", zmq.PUSH), ("requests", zmq.PUSH), ("incidents", zmq.PUSH)):
            socket = self.broker.context.socket(kind)
            socket.linger = 0
            socket.connect(self.broker.addresses[endpoint])
            socket.send(msgpack.packb(gauge("orders_x", 1)))
        listener = self.broker.context.socket(zmq.SUB)
        listener.subscribe("")
        listener.connect(self.broker.addresses["events"])
        self.assertEqual(listener.poll(1500), 0)  # longer than a heartbeat takes
        self.assertEqual([t["frames"] for t in self.broker.get("system.status")["ingest"].values()], [0, 0, 0])

    def test_no_rules_let_nobody_in_and_a_denied_address_neither(self):
        for allow, deny in (("[]", "[]"), ("[127.0.0.0/8]", "[127.0.0.1]"), ("[10.0.0.0/8]", "[]")):
            self.broker.write_config("access: {keys: %s, server_key: %s, allow: %s, deny: %s}\n"
                                     % (self.broker.keys, self.broker.secret, allow, deny))
            self.assertTrue(self.broker.get("system.reload"))
            wait_for(lambda: not self.comes_in(), "the rules to hold")
            self.broker.write_config("access: {keys: %s, server_key: %s, allow: [127.0.0.1]}\n" % (self.broker.keys, self.broker.secret))
            self.assertTrue(self.broker.get("system.reload"))  # on the connection from before
            wait_for(self.comes_in, "the old rules to hold again")

    def test_nobody_can_take_the_name_of_another_connection(self):
        first = self.broker.context.socket(zmq.DEALER)
        second = self.broker.context.socket(zmq.DEALER)
        for socket in (first, second):
            socket.linger = 0
            socket.setsockopt(zmq.ROUTING_ID, b"me")
            self.broker.arm(socket, "desk")
            socket.connect(self.broker.addresses["control"])
            socket.send(msgpack.packb({"do": "system.ping", "id": 1}))
            self.assertEqual(socket.poll(PATIENCE * 1000 if socket is first else 500), zmq.POLLIN if socket is first else 0)
        first.recv()
        first.send(msgpack.packb({"do": "system.ping", "id": 2}))
        self.assertTrue(first.poll(PATIENCE * 1000))


class Rights(Guarded):
    def test_a_producer_writes_its_own_names_and_nothing_else(self):
        self.push("orders", "metrics", [gauge("orders_a", 1), gauge("payments_a", 1), gauge("orders_b", 1)])
        self.push("orders", "requests", {"operation": "GET /orders/7", "duration": 1}, {"operation": "POST /orders", "duration": 1})
        metrics = self.broker.wait_ingest("metrics", 1)
        self.assertEqual((metrics["accepted"], metrics["refused"]), (2, {"forbidden": 1}))
        requests = self.broker.wait_ingest("requests", 2)
        self.assertEqual((requests["accepted"], requests["refused"]), (1, {"forbidden": 1}))

    def test_only_producers_push(self):
        for identity in ("screen", "desk", "admin"):
            self.push(identity, "metrics", gauge("orders_a", 1))
        metrics = self.broker.wait_ingest("metrics", 3)
        self.assertEqual((metrics["accepted"], metrics["refused"]), (0, {"forbidden": 3}))

    def test_a_producer_asks_nothing(self):
        self.broker.speak_as("orders")
        self.assertEqual(self.broker.get("system.ping"), "pong")
        for command in ("system.status", "events.heads", "metrics.list", "policy.list", "system.reload"):
            self.assertEqual(self.broker.refusal(command), "forbidden", command)

    def test_a_reader_asks_within_its_prefixes_and_changes_nothing(self):
        self.broker.speak_as("screen")
        self.broker.get("dependency.list")
        self.broker.get("events.heads")
        self.assertEqual(self.broker.refusal("anomaly.get", name="orders_a"), "not_found")
        for command, arguments in (("anomaly.get", {"name": "payments_a"}), ("anomaly.list", {}), ("metrics.list", {}),
                                   ("events.since", {"family": "anomaly", "seq": 0}), ("slo.put", {"name": "s", "target_percent": 99}),
                                   ("system.snapshot", {}), ("system.status", {})):
            self.assertEqual(self.broker.refusal(command, **arguments), "forbidden", command)

    def test_what_a_message_says_about_its_sender_is_ignored(self):
        self.broker.speak_as("screen")
        self.assertEqual(self.broker.refusal("system.reload", role="admin", user="admin", key=self.broker.pairs["admin"][0]), "forbidden")

    def test_the_intersection_of_a_wish_and_the_prefixes_is_heard(self):
        everything = self.broker.listen_as("admin", "")
        screen = self.broker.listen_as("screen", "")
        other = self.broker.listen_as("screen", "anomaly.payments_")
        self.change("payments_x", by="payments")
        self.change("orders_x")
        screen.next("anomaly.detected", name="orders_x")
        self.assertEqual({everything.next("anomaly.detected")["subject"] for _ in range(2)}, {"payments_x", "orders_x"})
        self.assertEqual({p["subject"] for _, p in screen.seen}, {"orders_x"})
        other.next("heartbeat")
        self.assertEqual(other.seen[:-1], [])
        self.assertGreater(self.broker.get("system.status")["subscriptions_refused"], 0)

    def test_a_subscriber_that_sends_messages_gains_nothing(self):
        """libzmq serves a wish to whoever it thinks sent it; a message in between must not confuse it."""
        liar = self.broker.socket(zmq.XSUB, "events", "screen")
        victim = self.broker.listen_as("admin", "incident.")
        liar.send(b"\x01dependency.")
        for _ in range(20):
            liar.send(b"no subscription")
            victim.socket.subscribe("anomaly.")
            liar.send(b"\x01dependency.x")
            victim.socket.unsubscribe("anomaly.")
        victim.socket.subscribe("anomaly.")
        wait_for(lambda: self.hears(victim), "the victim to hear")
        while liar.poll(200):
            topic = liar.recv_multipart()[0]
            self.assertFalse(topic.startswith(b"anomaly.payments_"), topic)

    def hears(self, subscriber):
        self.change("payments_%d" % time.monotonic_ns(), by="payments")
        while subscriber.socket.poll(300):
            if subscriber.socket.recv_multipart()[0].startswith(b"anomaly."):
                return True
        return None


class Revocation(Guarded):
    def test_a_revoked_producer_is_unheard_on_its_open_connection(self):
        socket = self.broker.socket(zmq.PUSH, "metrics", "orders")
        socket.send(msgpack.packb(gauge("orders_a", 1)))
        self.broker.wait_ingest("metrics", 1)
        self.broker.revoke("orders")
        time.sleep(SOON)
        socket.send(msgpack.packb(gauge("orders_a", 2)))
        metrics = self.broker.wait_ingest("metrics", 2)
        self.assertEqual((metrics["accepted"], metrics["refused"]), (1, {"forbidden": 1}))

    def test_a_revoked_key_gives_no_more_commands_on_its_open_connection(self):
        self.broker.speak_as("desk")
        self.broker.get("system.status")
        self.broker.revoke("desk")
        time.sleep(SOON)
        self.assertEqual(self.broker.refusal("system.status"), "forbidden")

    def test_a_revoked_subscriber_hears_nothing_and_the_others_miss_nothing(self):
        revoked = self.broker.listen_as("screen", "anomaly.")
        stays = self.broker.listen_as("admin", "anomaly.")
        self.change("orders_a")
        revoked.next("anomaly.cleared")
        stays.next("anomaly.cleared")
        self.broker.revoke("screen")
        time.sleep(SOON)
        self.change("orders_b")
        stays.next("anomaly.cleared", name="orders_b")
        self.assertEqual(revoked.socket.poll(1200), 0)
        self.assertEqual([p["seq"] for _, p in stays.seen if p["family"] == "anomaly"], [1, 2, 3, 4])

    def test_a_key_that_ends_by_itself_is_gone_on_open_connections(self):
        self.broker.add_key("guest", "operator", "--expires-in", "2")
        self.broker.speak_as("guest")
        wait_for(lambda: self.comes_in("guest"), "the key to be in force")
        self.broker.get("system.status")
        listener = self.broker.listen_as("guest", "")
        ended = wait_for(lambda: self.broker.ask("system.status").get("error"), "the end")
        self.assertEqual(ended["code"], "forbidden")
        time.sleep(SOON)
        while listener.socket.poll(0):
            listener.socket.recv_multipart()
        self.assertEqual(listener.socket.poll(1500), 0)

    def test_less_rights_hold_for_the_next_message(self):
        socket = self.broker.socket(zmq.PUSH, "metrics", "orders")
        socket.send(msgpack.packb(gauge("orders_a", 1)))
        self.broker.wait_ingest("metrics", 1)
        with open(self.broker.path("orders")) as file:
            text = file.read()
        with open(self.broker.path("orders"), "w") as file:
            file.write(text.replace("orders_", "others_"))
        time.sleep(SOON)
        socket.send(msgpack.packb([gauge("orders_a", 2), gauge("others_a", 2)]))
        metrics = self.broker.wait_ingest("metrics", 2)
        self.assertEqual((metrics["accepted"], metrics["refused"]), (2, {"forbidden": 1}))

    def test_a_directory_that_is_gone_lets_nobody_do_anything(self):
        self.broker.get("system.status")
        os.rename(self.broker.keys, self.broker.keys + ".gone")
        wait_for(lambda: not self.broker.ask("system.status")["ok"], "nobody to be known")
        os.rename(self.broker.keys + ".gone", self.broker.keys)
        wait_for(lambda: self.broker.ask("system.status")["ok"], "everybody to be known again")


class Rotation(Guarded):
    def test_a_clients_key_is_replaced_without_the_loss_of_an_event(self):
        """Both keys are one principal until the old one is taken away."""
        sent = 0
        old = self.broker.socket(zmq.PUSH, "metrics", "orders")
        for _ in range(50):
            old.send(msgpack.packb({"name": "orders_n", "kind": "counter", "value": 1}))
            sent += 1
        self.broker.add_key("orders-2", "producer", "--write", "orders_")
        wait_for(lambda: self.comes_in("orders-2"), "the new key to be in force")  # libzmq does not try again after a refusal
        new = self.broker.socket(zmq.PUSH, "metrics", "orders-2")
        for _ in range(50):
            for socket in (old, new):
                socket.send(msgpack.packb({"name": "orders_n", "kind": "counter", "value": 1}))
                sent += 1
        self.broker.wait_ingest("metrics", sent)
        old.close()
        self.broker.revoke("orders")
        for _ in range(50):
            new.send(msgpack.packb({"name": "orders_n", "kind": "counter", "value": 1}))
            sent += 1
        self.broker.wait_ingest("metrics", sent)
        self.assertEqual(self.broker.get("metrics.get", name="orders_n")["value"], sent)

    def test_the_brokers_key_is_replaced_without_the_loss_of_an_answer(self):
        """Clients know both keys; the broker changes over in a restart; what was acknowledged is there."""
        for i in range(5):
            self.broker.get("slo.put", name="before-%d" % i, target_percent=99)
        next_key, _ = keygen(self.broker.places, "server-2", "server")
        self.broker.stop()
        self.broker.write_config("access: {keys: %s, server_key: %s, allow: [127.0.0.0/8]}\n"
                                 % (self.broker.keys, os.path.join(self.broker.places, "server-2.secret")))
        self.broker.start()
        for server in (self.broker.server, next_key):
            self.broker.server = server
            socket = self.broker.socket(zmq.DEALER, "control")
            socket.linger = 0
            socket.send(msgpack.packb({"do": "slo.list", "id": 1}))
            answered = socket.poll(1000 if server != next_key else PATIENCE * 1000)
            self.assertEqual(bool(answered), server == next_key)
        items = msgpack.unpackb(socket.recv())["result"]["items"]
        self.assertEqual([item["name"] for item in items], ["before-%d" % i for i in range(5)])


class Programs(Guarded):
    def run_tocsin(self, identity, *words):
        flags = []
        for name, address in self.broker.addresses.items():
            flags += ["--endpoint", name + "=" + address]
        return subprocess.run([os.path.join(BIN, "tocsin"), *flags, *words], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, TOCSIN_KEY=os.path.join(self.broker.places, identity + ".secret"),
                                       TOCSIN_SERVER_KEY=self.broker.server.decode()))

    def test_the_command_line_speaks_with_the_key_of_its_environment(self):
        sent = self.run_tocsin("orders", "send", "metric", "orders_a", "7", "--kind", "gauge")
        self.assertEqual((sent.returncode, sent.stderr), (0, ""))
        self.broker.wait_ingest("metrics", 1)
        asked = self.run_tocsin("admin", "metrics", "get", "orders_a", "-o", "json")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertIn("orders_a", asked.stdout)
        refused = self.run_tocsin("orders", "metrics", "get", "orders_a")
        self.assertEqual(refused.returncode, 1)

    def test_a_secret_that_others_may_read_is_not_used(self):
        os.chmod(os.path.join(self.broker.places, "admin.secret"), 0o644)
        self.assertNotEqual(self.run_tocsin("admin", "status").returncode, 0)

    def test_secrets_are_told_to_nobody(self):
        canaries = [secret.decode() for _, secret in self.broker.pairs.values()]
        with open(self.broker.secret) as file:
            canaries.append(file.read().split('secret_key: "')[1].split('"')[0])
        self.broker.add_key("late", "admin")
        with open(self.broker.path("wrong"), "w") as file:
            file.write("secret_key: '%s'\n" % canaries[0])
        wait_for(lambda: "wrong.yaml" in self.broker.read_log(), "the wrong file to be named")
        printed = subprocess.run([os.path.join(BIN, "tocsind"), "--config", self.broker.config, "--print-config"],
                                 capture_output=True, text=True, timeout=30)
        everything = printed.stdout + printed.stderr + self.broker.read_log() + repr(self.broker.get("system.status"))
        self.assertIn("server_key", everything)
        for canary in canaries:
            self.assertNotIn(canary, everything)


class Starting(unittest.TestCase):
    """`::ffff:127.0.0.1` reaches nobody but this host, and yet is no address the broker takes for local."""
    FAR = "metrics=tcp://[::ffff:127.0.0.1]:0"

    def setUp(self):
        self.broker = GuardedBroker()
        self.addCleanup(self.broker.close)

    def start(self, config, *flags):
        path = os.path.join(self.broker.places, "other.yaml")
        with open(path, "w") as file:
            file.write(config)
        command = [os.path.join(BIN, "tocsind"), "--store", os.path.join(self.broker.places, "other"), "--config", path, *flags]
        for name in ("metrics", "requests", "incidents", "events", "control"):
            if not any(flag.startswith(name + "=") for flag in flags):
                command += ["--endpoint", name + "=tcp://127.0.0.1:0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stdout:
            if line == "ready\n":
                process.terminate()
        errors = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        return process.wait(PATIENCE), errors

    def access(self, **other):
        parts = dict({"keys": self.broker.keys, "server_key": self.broker.secret, "allow": "[127.0.0.0/8]"}, **other)
        return "access: {%s}\n" % ", ".join("%s: %s" % pair for pair in parts.items() if pair[1] is not None)

    def test_an_address_for_everyone_needs_keys_and_rules(self):
        far = ("--endpoint", self.FAR)
        status, errors = self.start("", *far)
        self.assertEqual((status, "no access rules" in errors), (77, True), errors)
        status, errors = self.start(self.access(allow=None), *far)
        self.assertEqual((status, "access.allow" in errors), (77, True), errors)
        status, errors = self.start(self.access(), *far)
        self.assertEqual(status, 0, errors)

    def test_what_others_could_read_or_change_is_refused(self):
        os.chmod(self.broker.secret, 0o640)
        status, errors = self.start(self.access())
        self.assertEqual((status, "others may read it" in errors), (77, True), errors)
        os.chmod(self.broker.secret, 0o600)
        os.chmod(self.broker.keys, 0o777)
        status, errors = self.start(self.access())
        self.assertEqual((status, "others may write it" in errors), (77, True), errors)
        os.chmod(self.broker.keys, 0o700)
        self.assertEqual(self.start(self.access())[0], 0)
        self.assertEqual(self.start(self.access(keys=self.broker.keys + "/none"))[0], 77)
        self.assertEqual(self.start(self.access(server_key=self.broker.secret + "/none"))[0], 77)

    def test_what_is_wrong_is_shown_at_its_place(self):
        for config, words in ((self.access(keys=None), "belong together"), (self.access(allow="[10.0.0.0/40]"), "10.0.0.0/40"),
                              (self.access(deny="[everybody]"), "everybody"), ("access: {kyes: x}\n", "unknown key")):
            status, errors = self.start(config)
            self.assertEqual(status, 78, errors)
            self.assertIn("other.yaml:1:", errors)
            self.assertIn(words, errors)

    def test_without_keys_loopback_is_open(self):
        broker = Broker()
        self.addCleanup(broker.close)
        self.assertFalse(broker.get("system.status")["access"]["guarded"])
        self.assertTrue(self.broker.get("system.status")["access"]["guarded"])


if __name__ == "__main__":
    main()
