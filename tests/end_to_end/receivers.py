"""Receivers of notifications that behave well, badly, or not at all, on ephemeral ports of loopback."""
import http.server
import json
import os
import queue
import tempfile
import threading
import time

import harness


class Request:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body
        self.time = time.time()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def key(self):
        return self.headers.get("Idempotency-Key")


class Receiver:
    """An HTTP server that keeps what it was sent. `answer` is a status, or a function of the handler and the number of
    the request, counted from 0."""

    def __init__(self, answer=200, port=0):
        self.answer = answer
        self.requests = []
        self.arrived = queue.Queue()
        self.lock = threading.Lock()
        self.closing = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.path, dict(self.headers), body)
                with receiver.lock:
                    number = len(receiver.requests)
                    receiver.requests.append(request)
                receiver.arrived.put(request)
                answer = receiver.answer
                if callable(answer):
                    answer = answer(self, number)
                if answer is not None:
                    self.send_response(answer)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    try:
                        self.wfile.write(b"ok")
                    except OSError:  # whoever asked is not there any more
                        pass

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.port = self.server.server_port
        self.url = "http://127.0.0.1:%d/hook" % self.port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def next(self, patience=15):
        """The next request that was not taken yet."""
        try:
            return self.arrived.get(timeout=patience)
        except queue.Empty:
            raise AssertionError("no request within %.0f s" % patience)

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def after(*first):
    """These statuses first, then 200."""
    return lambda handler, number: first[number] if number < len(first) else 200


def retry_after(seconds):
    """429 with Retry-After once, then 200."""
    def answer(handler, number):
        if number > 0:
            return 200
        handler.send_response(429)
        handler.send_header("Retry-After", str(seconds))
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return answer


def half(handler, number):
    """Half an answer once, then 200."""
    if number > 0:
        return 200
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    handler.wfile.flush()
    handler.close_connection = True


def one_byte_a_second(receiver):
    """Never done within any patience, once; then 200."""
    def answer(handler, number):
        if number > 0:
            return 200
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not receiver.closing.wait(1):
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                break
        handler.close_connection = True
    return answer


def nothing(receiver):
    """Takes the request and never answers it, once; then 200."""
    def answer(handler, number):
        if number > 0:
            return 200
        receiver.closing.wait(30)
        handler.close_connection = True
    return answer


def endless(handler, number):
    """200, and more bytes than anybody wants."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    try:
        for _ in range(1000):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass
    handler.close_connection = True


POLICY = "  - {name: %s, condition: 'never_seen > 1', severity: %s, channels: [%s], summary: 'a test'}\n"


class ChannelTest(harness.BrokerTest):
    """Receivers by name, one channel each, and one policy a channel with its name."""
    def setUp(self):
        pass

    def begin(self, channels, policies=()):
        """`channels`: lines of YAML by channel name."""
        lines = "".join("  - {name: %s, backoff_first: 100ms, %s}\n" % (name, text) for name, text in channels.items())
        policies = policies or [(name, "critical", name) for name in channels]
        self.broker = harness.Broker("channels:\n%spolicies:\n%s" % (lines, "".join(POLICY % p for p in policies)))
        self.addCleanup(self.broker.close)

    def receiver(self, answer=200):
        receiver = Receiver(answer)
        self.addCleanup(receiver.close)
        return receiver

    def webhook(self, answer=200, more=""):
        receiver = self.receiver(answer)
        return receiver, "type: webhook, url: '%s', allow_private: true%s" % (receiver.url, more)

    def file(self, text, mode=0o600):
        path = os.path.join(self.folder, "file%d" % len(os.listdir(self.folder)))
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    @property
    def folder(self):
        if not hasattr(self, "_folder"):
            holder = tempfile.TemporaryDirectory(prefix="tocsin-test-")
            self.addCleanup(holder.cleanup)
            self._folder = holder.name
        return self._folder

    def fire(self, policy, **labels):
        return self.broker.get("alert.fire", policy=policy, labels=labels)["alert"]["alert"]

    def channel(self, name):
        return [c for c in self.broker.get("channel.list")["items"] if c["name"] == name][0]

    def wait_letters(self, count):
        return harness.wait_for(lambda: (lambda l: l if len(l) >= count else None)(
            self.broker.get("channel.dead_letters")["items"]), "%d dead letters" % count)
