"""The tocsin command against a broker of its own, in a pipe and on a terminal."""
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time

from harness import BIN, BrokerTest, PATIENCE

TOCSIN = os.path.join(BIN, "tocsin")


def plain_environment(**more):
    """Nothing of the user's: no colours asked for, no broker named."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_") and k not in ("NO_COLOR", "TERM")}
    return {**kept, "TERM": "xterm", **more}


def tocsin(*words, **environment):
    """Run to the end; stdout and stderr are pipes."""
    return subprocess.run([TOCSIN, *words], capture_output=True, text=True, timeout=60, env=plain_environment(**environment))


class Running:
    """One that runs until it is told to end; its lines are read as they come."""

    def __init__(self, *words, **environment):
        self.process = subprocess.Popen([TOCSIN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=plain_environment(**environment))
        self.out, self.err = [], []
        self.threads = [threading.Thread(target=self.read, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def end(self, sig=signal.SIGINT, patience=PATIENCE):
        """The exit status; with sig None it ends by itself."""
        if sig is not None and self.process.poll() is None:
            self.process.send_signal(sig)
        status = self.process.wait(patience)
        for thread in self.threads:
            thread.join(PATIENCE)
        return status

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for thread in self.threads:
            thread.join(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()


def on_a_terminal(*words, columns=80, **environment):
    """(exit status, what a person sees) on a terminal so wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([TOCSIN, *words], stdin=slave, stdout=slave, stderr=slave, env=plain_environment(**environment))
    os.close(slave)
    seen = b""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        seen += piece
    os.close(master)
    return process.wait(PATIENCE), seen.decode().replace("\r\n", "\n")


class CommandTest(BrokerTest):
    def at(self):
        """Only where it is asked: the rest the command finds out."""
        return ["--endpoint", "control=" + self.broker.addresses["control"]]

    def run_tocsin(self, *words, status=0):
        done = tocsin(*words, *self.at())
        self.assertEqual(done.returncode, status, (words, done.stdout, done.stderr))
        if status == 0:
            self.assertEqual(done.stderr, "", words)
        return done

    def json(self, *words):
        return json.loads(self.run_tocsin(*words, "-o", "json").stdout)

    def running(self, *words, **environment):
        running = Running(*words, *self.at(), **environment)
        self.addCleanup(running.close)
        return running
