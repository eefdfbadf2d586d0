"""A proxy that hands each statement, or transaction, of any client to any of a few connections to the database.

It is as unhelpful as a multiplexer can be: what a client sets for its session reaches no connection at all, where it
would have to be carried from one to the next. Prepared statements it does carry, as clients can't do without; and who
is in a transaction keeps its connection until the end of it."""
import contextlib
import random
import socket
import struct
import threading

QUIT, QUERY, INIT_DB, PING, PREPARE, EXECUTE, LONG_DATA, CLOSE, RESET = 1, 3, 2, 14, 22, 23, 24, 25, 26
OK, EOF, ERROR = 0x00, 0xFE, 0xFF
IN_TRANSACTION, MORE_RESULTS = 1, 8
# Protocol 4.1, transactions, secure connection, authentication plugins, a database at login. No TLS: it would see nothing.
CAPABILITIES = 0x00000001 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000


class Gone(Exception):
    """The other side has closed the connection."""


class Wire:
    """Packets over a socket."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = connection.makefile("rb")

    def receive(self):
        """(number, payload); a payload of 16 MiB and more is not for tests."""
        header = self.file.read(4)
        if len(header) < 4:
            raise Gone
        payload = self.file.read(int.from_bytes(header[:3], "little"))
        return header[3], payload

    def send(self, number, payload):
        self.socket.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Backend:
    """One connection to the database, and the statements that were prepared on it, by their text."""

    def __init__(self, connect):
        self._login = connect()  # a client library does the login; from then on the socket is ours
        self.wire = Wire(self._login._sock)
        self.prepared = {}
        self.in_transaction = False

    def ask(self, payload):
        """All packets of the answer to a command."""
        try:
            self.wire.send(0, payload)
            return self._answer_to_prepare() if payload[0] == PREPARE else self._answer()
        except OSError as error:
            raise Gone from error

    def _answer(self):
        packets = []

        def take():
            packets.append(self.wire.receive()[1])
            return packets[-1]

        while True:
            first = take()
            if first[0] == ERROR:
                return packets
            if first[0] == OK:
                at = 1 + size_of_number(first, 1)
                at += size_of_number(first, at)
                status = struct.unpack_from("<H", first, at)[0]
            else:
                while not is_eof(take()):
                    pass
                while not is_eof(last := take()) and last[0] != ERROR:
                    pass
                if last[0] == ERROR:
                    return packets
                status = struct.unpack_from("<H", last, 3)[0]
            self.in_transaction = bool(status & IN_TRANSACTION)
            if not status & MORE_RESULTS:
                return packets

    def _answer_to_prepare(self):
        packets = [self.wire.receive()[1]]
        if packets[0][0] == OK:
            columns, parameters = struct.unpack_from("<HH", packets[0], 5)
            for count in (parameters, columns):
                packets += [self.wire.receive()[1] for _ in range(count + 1 if count else 0)]
        return packets

    def prepare(self, text):
        """The number of the statement here, and the answer to preparing it; an error has no number."""
        if text not in self.prepared:
            answer = self.ask(bytes([PREPARE]) + text)
            if answer[0][0] == ERROR:
                return None, answer
            self.prepared[text] = (answer[0][1:5], answer)
        return self.prepared[text]

    def close(self):
        self.wire.close()


def size_of_number(data, at):
    return {0xFC: 3, 0xFD: 4, 0xFE: 9}.get(data[at], 1)


def is_eof(packet):
    return packet[0] == EOF and len(packet) < 9


class Client:
    """One connection of the program's."""

    def __init__(self, proxy, connection):
        self.proxy = proxy
        self.wire = Wire(connection)
        self.statements = {}  # by the number that the client knows: [text, types of the parameters, long data]
        self.backend = None   # of the transaction under way
        self.seen = set()     # which connections have served it

    def serve(self):
        try:
            self._greet()
            while True:
                _, payload = self.wire.receive()
                if payload[0] == QUIT:
                    return
                self._command(payload)
        except (Gone, OSError):
            pass
        finally:
            if self.backend:  # a transaction of a client that is gone is nobody's
                self.backend.close()
                self.proxy.give_back(None)
            self.wire.close()

    def _greet(self):
        self.wire.send(0, b"\x0a" + self.proxy.version + b"\0" + struct.pack("<I", 1) + b"abcdefgh\0"
                       + struct.pack("<HBHHB", CAPABILITIES & 0xFFFF, 45, 2, CAPABILITIES >> 16, 21) + b"\0" * 10
                       + b"ijklmnopqrst\0" + b"mysql_native_password\0")
        number, _ = self.wire.receive()  # whatever the password is
        self._answer([b"\0\0\0\x02\0\0\0"], number + 1)

    def _answer(self, packets, number=1):
        for at, packet in enumerate(packets):
            self.wire.send((number + at) % 256, packet)

    def _command(self, payload):
        command = payload[0]
        if command in (PING, INIT_DB) or (command == QUERY and payload[1:5].upper() == b"SET " and not self.backend):
            self.proxy.settings_dropped += command == QUERY
            return self._answer([b"\0\0\0\x02\0\0\0"])
        if command == CLOSE:
            self.statements.pop(payload[1:5], None)
        elif command == LONG_DATA:
            self.statements[payload[1:5]][2].append(payload[5:])
        elif command == RESET:
            self.statements[payload[1:5]][2].clear()
            self._answer([b"\0\0\0\x02\0\0\0"])
        else:
            self._pass_on(payload)

    def _pass_on(self, payload):
        backend = self.backend or self.proxy.take()
        self.backend = backend
        self.seen.add(id(backend))
        answer = self._ask(backend, payload)
        if not backend.in_transaction:
            self.backend = None
            self.proxy.give_back(backend)
        self.proxy.served(self)
        self._answer(answer)

    def _ask(self, backend, payload):
        if payload[0] == PREPARE:
            number, answer = backend.prepare(payload[1:])
            if number is None:
                return answer
            known_as = struct.pack("<I", self.proxy.next_number())
            self.statements[known_as] = [payload[1:], None, []]
            return [answer[0][:1] + known_as + answer[0][5:], *answer[1:]]
        if payload[0] != EXECUTE:
            return backend.ask(payload)
        statement = self.statements[payload[1:5]]
        number, answer = backend.prepare(statement[0])
        if number is None:
            return answer
        for data in statement[2]:
            backend.wire.send(0, bytes([LONG_DATA]) + number + data)
        statement[2].clear()
        return backend.ask(payload[:1] + number + self._with_types(statement, payload[5:],
                                                                   struct.unpack_from("<H", answer[0], 7)[0]))

    @staticmethod
    def _with_types(statement, rest, parameters):
        """A client says its parameters' types once; each connection has to be told."""
        if not parameters:
            return rest
        at = 5 + (parameters + 7) // 8
        if rest[at]:
            statement[1] = rest[at + 1 : at + 1 + 2 * parameters]
            return rest
        return rest[:at] + b"\x01" + statement[1] + rest[at + 1 :]


class Multiplexer:
    """`connect` opens a connection to the database, logged in; at most `most` are open at the same time."""

    def __init__(self, connect, most, chance):
        self._connect = connect
        self._chance = chance
        self._free = []
        self._may_open = most
        self._changed = threading.Condition()
        self._number = 0
        self._clients = []
        self.settings_dropped = 0
        self.most_seen = 0  # connections that served one and the same client
        self.most_clients = 0
        with contextlib.closing(connect()) as first:
            self.version = first.server_version.encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = Client(self, self._listener.accept()[0])
                with self._changed:
                    self._clients.append(client)
                    self.most_clients = max(self.most_clients, len(self._clients))
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.serve()
        with self._changed:
            self._clients.remove(client)

    def next_number(self):
        with self._changed:
            self._number += 1
            return self._number

    def take(self):
        """Any connection that is free; waits until there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._may_open)
            if self._free and (not self._may_open or self._chance.random() < 0.9):
                return self._free.pop(self._chance.randrange(len(self._free)))
            self._may_open -= 1
        try:
            return Backend(self._connect)
        except Exception as error:
            self.give_back(None)
            raise Gone from error

    def give_back(self, backend):
        """None: it is closed."""
        with self._changed:
            if backend:
                self._free.append(backend)
            else:
                self._may_open += 1
            self._changed.notify()

    def served(self, client):
        self.most_seen = max(self.most_seen, len(client.seen))

    def close(self):
        self._listener.close()
        with self._changed:
            clients, free = list(self._clients), list(self._free)
        for each in clients:
            each.wire.close()
        for each in free:
            each.close()
