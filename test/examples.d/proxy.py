"""A TCP proxy that can stop passing on what one side says, so that a test chooses what a process gets to hear."""
import socket
import threading


class Proxy:
    """Passes everything on until told otherwise. One for each process under test; for one thread at a time."""

    def __init__(self, host, port):
        self._target = (host, port)
        self._open = {"up": threading.Event(), "down": threading.Event()}
        for gate in self._open.values():
            gate.set()
        self._hold_at = {}
        self._closed = False
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url):
        """That of the server, as it is reached through here."""
        user = url.netloc.rpartition("@")[0]
        return url._replace(netloc=f"{user}@127.0.0.1:{self.port}").geturl()

    def hold(self, direction):
        """From now on nothing goes `up` to the server, or `down` to the client, any more."""
        self._open[direction].clear()

    def hold_at(self, direction, pattern):
        """Holds that direction as soon as these bytes would pass."""
        self._hold_at[direction] = pattern

    def close(self):
        """Ends all connections. What was held is lost."""
        self._closed = True
        for one in [self._listener, *self._sockets]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # gone already
            one.close()
        for gate in self._open.values():
            gate.set()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            threading.Thread(target=self._copy, args=(client, server, "up"), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, "down"), daemon=True).start()

    def _copy(self, source, target, direction):
        try:
            while data := source.recv(65536):
                if direction in self._hold_at and self._hold_at[direction] in data:
                    self.hold(direction)
                self._open[direction].wait()
                if self._closed:
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one side is gone, and the other will hear of it by close()
