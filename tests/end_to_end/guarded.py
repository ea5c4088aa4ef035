"""A tocsind that lets only known keys in, and clients that hold one."""
import os
import shutil
import subprocess
import tempfile

import zmq
from harness import BIN, Broker, Subscriber


def keygen(folder, name, role, *options):
    """The key files as `tocsin keygen` makes them; answers (public key, secret key)."""
    subprocess.run([os.path.join(BIN, "tocsin"), "keygen", name, "--role", role, "--directory", folder, *options],
                   check=True, stdout=subprocess.DEVNULL)
    pair = {}
    with open(os.path.join(folder, name + ".secret")) as file:
        for line in file:
            if not line.startswith("#"):
                key, value = line.split(": ", 1)
                pair[key] = value.strip().strip('"').encode()
    return pair["public_key"], pair["secret_key"]


class GuardedBroker(Broker):
    """Clients speak with the key named `identity`; make more with add_key."""

    def __init__(self, config="", keys=(), allow="[127.0.0.0/8]", **rest):
        self.places = tempfile.mkdtemp(prefix="tocsin-keys-")
        self.keys = os.path.join(self.places, "keys")
        os.mkdir(self.keys, 0o700)
        self.server, _ = keygen(self.places, "server", "server")
        self.pairs = {}
        self.identity = "admin"
        self.add_key("admin", "admin")
        for name, role, *options in keys:
            self.add_key(name, role, *options)
        self.secret = os.path.join(self.places, "server.secret")
        super().__init__("access: {keys: %s, server_key: %s, allow: %s}\n%s" % (self.keys, self.secret, allow, config), **rest)

    def path(self, name):
        return os.path.join(self.keys, name + ".yaml")

    def add_key(self, name, role, *options):
        """In one step, as whoever changes a live directory should."""
        self.pairs[name] = keygen(self.places, name, role, *options)
        os.rename(os.path.join(self.places, name + ".yaml"), self.path(name))

    def revoke(self, name):
        os.unlink(self.path(name))

    def arm(self, socket, identity):
        socket.curve_publickey, socket.curve_secretkey = self.pairs[identity]
        socket.curve_serverkey = self.server

    def socket(self, kind, endpoint, identity=None):
        socket = self.context.socket(kind)
        socket.setsockopt(zmq.LINGER, 2000)
        self.arm(socket, identity or self.identity)
        socket.connect(self.addresses[endpoint])
        return socket

    def speak_as(self, identity):
        """From here on commands are given with another key."""
        self.identity = identity
        if self.control is not None:
            self.control.close(0)
            self.control = None

    def listen_as(self, identity, *topics):
        subscriber = Subscriber(self.socket(zmq.SUB, "events", identity), topics)
        subscriber.next("heartbeat")
        subscriber.seen.clear()
        return subscriber

    def close(self):
        super().close()
        shutil.rmtree(self.places, ignore_errors=True)
