"""ZMTP 3.0 by hand (rfc.zeromq.org/spec/23), for what no library would send."""
import socket
import struct

GREETING = b"\xff" + b"\x00" * 8 + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\x00") + b"\x00" + b"\x00" * 31
MORE, LARGE, COMMAND = 1, 2, 4


def connect(address, timeout=10.0):
    host, port = address[len("tcp://"):].rsplit(":", 1)
    raw = socket.create_connection((host, int(port)), timeout)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def frame(body, flags=0):
    if len(body) > 255:
        return struct.pack(">BQ", flags | LARGE, len(body)) + body
    return struct.pack(">BB", flags, len(body)) + body


def ready(kind):
    name, value = b"Socket-Type", kind.encode()
    return frame(b"\x05READY" + bytes([len(name)]) + name + struct.pack(">I", len(value)) + value, COMMAND)


def read_exactly(raw, size):
    data = b""
    while len(data) < size:
        piece = raw.recv(size - len(data))
        if not piece:
            raise ConnectionError("closed after %d of %d bytes" % (len(data), size))
        data += piece
    return data


def read_frame(raw):
    flags, size = read_exactly(raw, 2)
    if flags & LARGE:
        size = struct.unpack(">Q", bytes([size]) + read_exactly(raw, 7))[0]
    return flags, read_exactly(raw, size)


def peer(address, kind):
    """A connection whose handshake is done."""
    raw = connect(address)
    raw.sendall(GREETING)
    read_exactly(raw, len(GREETING))
    raw.sendall(ready(kind))
    flags, body = read_frame(raw)
    assert body.startswith(b"\x05READY"), body
    return raw


def is_closed(raw, patience):
    """Does the other side hang up?"""
    raw.settimeout(patience)
    try:
        while raw.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True
