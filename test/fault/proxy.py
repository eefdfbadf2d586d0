"""TCP proxies that stand between a sidecar and a server, and do to their connection what networks do.

They understand just enough of both protocols to know where a frame or packet begins, and which one it is.
"""
import contextlib
import socket
import struct
import threading

TO_SERVER, TO_CLIENT = 0, 1


class Cut(Exception):
    """The connection ends here."""


class Link:
    """One connection through a proxy. A thread for each direction; what they do is decided by the proxy's rules."""

    def __init__(self, proxy, client):
        self.proxy = proxy
        self.sockets = [socket.create_connection(("127.0.0.1", proxy.choose())), client]  # by direction: where to
        for each in self.sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.passed = [0, 0]
        self.boundaries = [[], []]  # where frames ended, counted from the connection's start
        self.threads = [threading.Thread(target=self._pump, args=(way,), daemon=True) for way in (TO_SERVER, TO_CLIENT)]
        for each in self.threads:
            each.start()

    def _pump(self, way):
        source, sink = self.sockets[1 - way], self.sockets[way]
        try:
            while data := source.recv(65536):
                self.proxy.gate.wait()
                for piece in self.treat(way, data):
                    self._send(way, sink, piece)
        except (OSError, Cut):
            pass
        self.close()

    def treat(self, way, data):
        yield data

    def _send(self, way, sink, data):
        limit = self.proxy.limit_of(self, way)
        if limit is not None and self.passed[way] + len(data) >= limit:
            sink.sendall(data[: limit - self.passed[way]])
            self.proxy.limit_reached()
            raise Cut
        if self.proxy.dribbling:
            for at in range(len(data)):
                sink.sendall(data[at : at + 1])
        else:
            sink.sendall(data)
        self.passed[way] += len(data)

    def close(self, reset=False):
        for each in self.sockets:
            with contextlib.suppress(OSError):
                if reset:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    each.close()
                else:
                    each.shutdown(socket.SHUT_RDWR)
        self.proxy.forget(self)


class Proxy:
    link = Link

    def __init__(self, target):
        self.target = target
        self.gate = threading.Event()  # not set: a black hole
        self.gate.set()
        self.dribbling = False
        self.links = []
        self._limit = None
        self._limit_reached = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.serves_itself(client):
                continue
            try:
                link = self.link(self, client)
            except OSError:  # the server is away
                client.close()
                continue
            with self._lock:
                self.links.append(link)

    def choose(self):
        """The port that the next connection goes to."""
        return self.target

    def serves_itself(self, client):
        return False

    def forget(self, link):
        with self._lock, contextlib.suppress(ValueError):
            self.links.remove(link)

    def newest(self):
        with self._lock:
            return self.links[-1] if self.links else None

    def cut(self, reset=False):
        with self._lock:
            links = list(self.links)
        for each in links:
            each.close(reset)

    def cut_at(self, way, offset):
        """The next connection ends after so many bytes of that direction. Returns an event that says when it did."""
        with self._lock:
            self._limit_reached = threading.Event()
            self._limit = (way, offset, list(self.links))
            return self._limit_reached

    def limit_of(self, link, way):
        limit = self._limit
        return limit[1] if limit and limit[0] == way and link not in limit[2] else None

    def limit_reached(self):
        self._limit = None
        self._limit_reached.set()

    def close(self):
        self._listener.close()
        self.gate.set()
        self.cut()


class AmqpLink(Link):
    def __init__(self, proxy, client):
        self.rest = [b"", b""]
        self.held = b""
        super().__init__(proxy, client)

    def treat(self, way, data):
        data = self.rest[way] + data
        at = 0
        if way == TO_SERVER and not self.boundaries[way] and len(data) >= 8:  # "AMQP", 0, 0, 9, 1
            at = 8
            self.boundaries[way].append(8)
        ready = data[:at]
        if way == TO_CLIENT and not self.proxy.holding:
            ready, self.held = self.held, b""
        while len(data) - at >= 8:
            size = 8 + struct.unpack_from(">I", data, at + 3)[0]
            if len(data) - at < size:
                break
            frame = data[at : at + size]
            at += size
            self.boundaries[way].append(self.boundaries[way][-1] + size if self.boundaries[way] else size)
            if way == TO_CLIENT and self._is_confirm(frame):
                if self.proxy.holding:
                    self.held += frame
                    continue
                if self.proxy.reset_in_confirm is not None:
                    self.sockets[way].sendall(ready + frame[: self.proxy.reset_in_confirm])
                    self.proxy.reset_in_confirm = None
                    self.close(reset=True)
                    raise Cut
            ready += frame
        self.rest[way] = data[at:]
        if ready:
            yield ready

    @staticmethod
    def _is_confirm(frame):
        return frame[0] == 1 and frame[7:11] in (b"\0\x3c\0\x50", b"\0\x3c\0\x78")  # basic.ack, basic.nack


class AmqpProxy(Proxy):
    link = AmqpLink

    def __init__(self, target):
        self.holding = False  # confirms alone; they go on with what follows the end of it, a heartbeat at the latest
        self.reset_in_confirm = None  # after so many bytes of the next confirm
        super().__init__(target)


class MysqlLink(Link):
    """Knows which packet is an UPDATE, or a COMMIT."""

    PREPARE, EXECUTE, QUERY = 0x16, 0x17, 0x03

    def __init__(self, proxy, client):
        self.rest = b""
        self.logged_in = False
        self.preparing = None   # the text whose statement number the server is about to say
        self.swallowing = False
        self.texts = {}
        super().__init__(proxy, client)

    def treat(self, way, data):
        if way == TO_CLIENT:
            yield from self._answer(data)
            return
        self.rest += data
        while len(self.rest) >= 4:
            size = 4 + int.from_bytes(self.rest[:3], "little")
            if len(self.rest) < size:
                return
            packet, self.rest = self.rest[:size], self.rest[size:]
            self._look_at(packet)
            yield packet

    def _look_at(self, packet):
        if packet[3] != 0 or len(packet) < 5:  # not a command, but part of the login
            return
        command, text = packet[4], None
        if command == self.PREPARE:
            self.preparing = packet[5:]
        elif command == self.EXECUTE:
            text = self.texts.get(packet[5:9])
        elif command == self.QUERY:
            text = packet[5:]
        if text is not None and self.proxy.springs(text):
            if self.proxy.before:
                raise Cut
            self.swallowing = True

    def _answer(self, data):
        if self.swallowing:
            self.proxy.sprung.set()
            raise Cut
        if self.preparing is not None and len(data) >= 9 and data[4] == 0:
            self.texts[data[5:9]] = self.preparing
        self.preparing = None
        yield data


class MysqlProxy(Proxy):
    link = MysqlLink

    def __init__(self, target):
        self._trap = None
        self.before = False
        self.sprung = threading.Event()
        super().__init__(target)

    def trap(self, begins, before):
        """Cuts the connection at the next statement that begins so: before the server has it, or after the server has
        done it and before the client knows. Returns an event that says when it did."""
        self.before = before
        self.sprung = threading.Event()
        self._trap = begins
        return self.sprung

    def springs(self, text):
        with self._lock:
            if self._trap is None or not text.startswith(self._trap):
                return False
            self._trap = None
        if self.before:
            self.sprung.set()
        return True
