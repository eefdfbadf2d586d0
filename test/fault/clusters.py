"""Servers that are several: three nodes of RabbitMQ on one machine."""
import contextlib
import os
import random
import secrets
import socket
import subprocess
import time

import pika

from servers import Servers


def free_port():
    """Below the range that the kernel gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class RabbitCluster(Servers):
    """One MariaDB, and three nodes that know each other, as one would run them: with pause_minority."""

    NODES = ("rabbit1", "rabbit2", "rabbit3")
    NAMES = ("mariadb", *NODES)

    def place(self, name):
        return ("rabbitmq", f"{self.folder}/{name}") if name in self.NODES else (name, self.folder)

    def found(self):
        port = free_port()
        with open(os.open(f"{self.folder}/cookie", os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(20))
        with open(f"{self.folder}/epmd", "w", encoding="ascii") as file:
            file.write(str(port))
        self._epmd = subprocess.Popen(["epmd", "-port", str(port), "-address", "127.0.0.1"], stdin=subprocess.DEVNULL)
        options = {node: self._options(node) for node in self.NODES}
        # The first one alone: the others find it.
        self.start("mariadb", "rabbit1", **options)
        self.start("rabbit2", "rabbit3", **options)

    def _options(self, node):
        lines = ["cluster_formation.peer_discovery_backend = classic_config",
                 "cluster_formation.classic_config.nodes.1 = rabbit1@localhost",
                 "cluster_partition_handling = pause_minority",
                 "net_ticktime = 6"]  # seconds, for a node that does not answer; 60 by default
        return ["--node", node, "--cluster", self.folder, *[word for line in lines for word in ("--conf", line)]]

    def stop_all(self):
        super().stop_all()
        self._epmd.terminate()
        self._epmd.wait()

    def broker(self):
        """From whichever node gives one: one that was just started may not yet."""
        nodes = [pika.ConnectionParameters("127.0.0.1", self.port(node), heartbeat=0, socket_timeout=2,
                                           blocked_connection_timeout=30) for node in self.NODES]
        deadline = time.monotonic() + 30
        while True:
            try:
                return pika.BlockingConnection(nodes)
            except (pika.exceptions.AMQPError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def node_of(self, port):
        return next(node for node in self.NODES if self.port(node) == port)

    def leader(self, queue, asked):
        """The node that leads a quorum queue, or has a classic one, as another node says."""
        for line in self.ctl("list_queues", "name", "pid", "--no-table-headers", name=asked).splitlines():
            name, pid = line.split("\t")
            if name == queue:
                return pid.strip("<>").split("@")[0]
        raise RuntimeError(f"{asked} knows no queue {queue}")
