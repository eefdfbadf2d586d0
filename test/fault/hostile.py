"""Servers that mean harm. Each plays one trick on every connection, until it is told to be a proxy of the true server."""
import contextlib
import socket
import struct
import threading
import time

from proxy import AmqpProxy, MysqlProxy

START, TUNE, OPEN_OK, CLOSE = (10, 10), (10, 30), (10, 41), (10, 50)
CHANNEL_OPEN_OK, CHANNEL_CLOSE = (20, 11), (20, 40)
RETURN, ACK = (60, 50), (60, 80)
START_OK, OPEN, CHANNEL_OPEN, CONFIRM_SELECT, DECLARE, PUBLISH = (10, 11), (10, 40), (20, 10), (85, 10), (40, 10), (60, 40)


def frame(kind, channel, payload, size=None, end=b"\xce"):
    return struct.pack(">BHI", kind, channel, len(payload) if size is None else size) + payload + end


def method(channel, number, arguments=b"", **faults):
    return frame(1, channel, struct.pack(">HH", *number) + arguments, **faults)


def short(text):
    return bytes([len(text)]) + text


def long(text):
    return struct.pack(">I", len(text)) + text


GREETING = method(0, START, b"\0\x09" + long(b"") + long(b"PLAIN AMQPLAIN") + long(b"en_US"))


def tune(channel_max=2047, frame_max=131072, heartbeat=60):
    return method(0, TUNE, struct.pack(">HIH", channel_max, frame_max, heartbeat))


def endless_body():
    """A returned message that never ends."""
    yield method(1, RETURN, struct.pack(">H", 312) + short(b"NO_ROUTE") + short(b"x") + short(b"y"))
    yield frame(2, 1, struct.pack(">HHQH", 60, 0, 2**62, 0))
    while True:
        yield frame(3, 1, b"x" * 100_000)


# name: what is said at first, for tuning, and to a published message
AMQP_TRICKS = {
    "nothing at all": dict(greeting=None),
    "closes at once": dict(greeting=b"", close=True),
    "another protocol": dict(greeting=b"HTTP/1.1 400 Bad Request\r\nServer: none\r\n\r\n" * 20),
    "noise": dict(greeting=bytes(range(256)) * 64),
    "a frame of 4 GiB": dict(greeting=frame(1, 0, b"\0\x0a\0\x0a", size=2**32 - 1) + b"x" * 2_000_000),
    "a frame without its end": dict(greeting=GREETING[:-1] + b"\0"),
    "a table longer than its frame": dict(greeting=method(0, START, b"\0\x09\xff\xff\xff\xff")),
    "a table in itself, deep": dict(greeting=method(0, START, b"\0\x09" + long(b"\x01aF\0\0\xff\xff" * 10_000))),
    "no mechanism": dict(greeting=method(0, START, b"\0\x09" + long(b"") + long(b"") + long(b""))),
    "one byte at a time": dict(greeting=GREETING, slowly=True),
    "frame_max 0": dict(tuning=tune(frame_max=0)),
    "frame_max 1": dict(tuning=tune(frame_max=1)),
    "frame_max huge": dict(tuning=tune(frame_max=2**32 - 1)),
    "channel_max 0, heartbeat 0": dict(tuning=tune(channel_max=0, heartbeat=0)),
    "heartbeat 65535": dict(tuning=tune(heartbeat=65535)),
    "heartbeat 1, and none comes": dict(tuning=tune(heartbeat=1)),
    "an ack for what was never sent": dict(answer=lambda: [method(1, ACK, struct.pack(">QB", 2**63, 1))]),
    "an ack on another channel": dict(answer=lambda: [method(7, ACK, struct.pack(">QB", 1, 1))]),
    "a return of what was never sent": dict(answer=lambda: [
        method(1, RETURN, struct.pack(">H", 312) + short(b"\xff" * 255) + short(b"x") + short(b"y")),
        frame(2, 1, struct.pack(">HHQH", 60, 0, 3, 0)), frame(3, 1, b"abc")]),
    "a return that never ends": dict(answer=endless_body),
    "a body without its method": dict(answer=lambda: [frame(3, 1, b"x" * 100_000)] * 10),
    "closes the channel with noise": dict(answer=lambda: [
        method(1, CHANNEL_CLOSE, struct.pack(">H", 404) + short(b"\xff\n\x1b[2J" * 42) + struct.pack(">HH", 60, 40))]),
    "closes with noise": dict(answer=lambda: [
        method(0, CLOSE, struct.pack(">H", 541) + short(b"\xff\n\x1b[2J" * 42) + struct.pack(">HH", 0, 0))]),
    "closes with a text longer than its frame": dict(answer=lambda: [
        method(0, CLOSE, struct.pack(">H", 541) + b"\xffshort")]),
    "a method that does not exist": dict(answer=lambda: [method(1, (999, 999), b"x" * 1000)]),
}


class Hostile:
    """Mixed into a proxy: plays a trick instead of passing on, as long as there is one."""

    trick = None

    def play(self, client):
        raise NotImplementedError

    def serves_itself(self, client):
        if self.trick is None:
            return False
        threading.Thread(target=self._play, args=(client,), daemon=True).start()
        return True

    def _play(self, client):
        client.settimeout(10)
        self.played += 1
        with contextlib.suppress(OSError, struct.error), client:
            self.play(client)


class HostileBroker(Hostile, AmqpProxy):
    played = 0

    def play(self, client):
        trick = self.trick
        receive(client, 8)
        greeting = trick.get("greeting", GREETING)
        if trick.get("slowly"):
            for at in range(len(greeting)):
                client.sendall(greeting[at : at + 1])
                time.sleep(0.2)
        elif greeting:
            client.sendall(greeting)
        if trick.get("close"):
            return
        while True:
            kind, channel, size = struct.unpack(">BHI", receive(client, 7))
            payload = receive(client, size + 1)
            if kind == 1:
                self._answer(client, trick, channel, struct.unpack_from(">HH", payload))

    def _answer(self, client, trick, channel, number):
        if number == START_OK:
            client.sendall(trick.get("tuning", tune()))
        elif number == OPEN:
            client.sendall(method(0, OPEN_OK, b"\0"))
        elif number == CHANNEL_OPEN:
            client.sendall(method(channel, CHANNEL_OPEN_OK, long(b"")))
        elif number in (CONFIRM_SELECT, DECLARE):
            client.sendall(method(channel, (number[0], number[1] + 1)))
        elif number == PUBLISH:
            for each in trick.get("answer", lambda: [])():
                client.sendall(each)


def receive(client, size):
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


FILE = b"/etc/passwd"
DATABASE_TRICKS = ("at login", "at the first query", "noise", "a packet of 16 MiB, and nothing after it")


class HostileDatabase(Hostile, MysqlProxy):
    """Asks for a file of the client's, as a server may in answer to LOAD DATA LOCAL INFILE."""

    played = 0

    def __init__(self, target):
        self.received = b""
        super().__init__(target)

    def play(self, client):
        if self.trick == "noise":
            client.sendall(bytes(range(256)) * 64)
            return
        if self.trick.startswith("a packet"):
            client.sendall(b"\xff\xff\xff\0" + b"x" * 1_000_000)
            self._listen(client)
            return
        flags = 0x0008A200 | 0x80 | 1  # plugin auth, secure connection, protocol 4.1, transactions, LOCAL FILES
        client.sendall(self._packet(0, b"\x0a10.11.0-MariaDB\0" + struct.pack("<I", 1) + b"abcdefgh\0"
                                    + struct.pack("<HBHHB", flags & 0xffff, 45, 2, flags >> 16, 21) + b"\0" * 10
                                    + b"ijklmnopqrst\0" + b"mysql_native_password\0"))
        self._take(client)
        ask = b"\xfb" + FILE
        if self.trick == "at login":
            client.sendall(self._packet(2, ask))
        else:
            client.sendall(self._packet(2, b"\0\0\0\x02\0\0\0"))
            self._take(client)
            client.sendall(self._packet(1, ask))
        self._listen(client)

    def _listen(self, client):
        while data := client.recv(65536):
            self.received += data

    @staticmethod
    def _packet(number, payload):
        return len(payload).to_bytes(3, "little") + bytes([number]) + payload

    @staticmethod
    def _take(client):
        header = receive(client, 4)
        return receive(client, int.from_bytes(header[:3], "little"))
