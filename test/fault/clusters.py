"""Several servers of a kind on one machine: RabbitMQ's nodes, a MariaDB and its replica, a Galera."""
import contextlib
import os
import random
import secrets
import shutil
import socket
import subprocess
import time

import pika
import pymysql

from servers import Servers


def free_port():
    """Below the range that the kernel gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def flags(*arguments):
    """As options of private-servers."""
    return [word for each in arguments for word in ("--arg", each)]


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


class Databases(Servers):
    """One RabbitMQ, and several MariaDBs of which one is written to. Made anew for each scenario."""

    DATABASES = ()
    used = False

    def place(self, name):
        return ("mariadb", f"{self.folder}/{name}") if name in self.DATABASES else (name, self.folder)

    def found(self):
        self.start("rabbitmq")
        self.join()

    def join(self):
        """Starts the databases, and makes them one."""

    def make_ready(self):
        if self.used:
            for name in self.DATABASES:
                self.kill(name)
                shutil.rmtree(f"{self.place(name)[1]}/mariadb/data")
            self.join()
            self.start("rabbitmq")
        self.used = True

    @property
    def mysql_port(self):
        return self.port(self.writer)

    def ask(self, name, sql):
        """All rows, by name."""
        with contextlib.closing(self.root(port=self.port(name))) as root:
            with root.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute(sql)
                return cursor.fetchall()


class Replicas(Databases):
    """A primary and its replica, asynchronous unless a scenario changes that."""

    DATABASES = ("primary", "replica")
    NAMES = (*DATABASES, "rabbitmq")

    def join(self):
        self.writer = "primary"
        common = ["--log-bin=binlog", "--log-slave-updates", "--binlog-format=MIXED", "--sync-binlog=1"]
        self.start(*self.DATABASES, primary=flags(*common, "--server-id=1"),
                   replica=flags(*common, "--server-id=2", "--read-only"))
        self.ask("replica", f"CHANGE MASTER TO master_host = '127.0.0.1', master_port = {self.port('primary')}, "
                            "master_user = 'root', master_password = 'private', master_use_gtid = slave_pos")
        self.ask("replica", "START SLAVE")

    def promote(self):
        """What has been received is applied; from now on the replica is written to."""
        self.ask("replica", "STOP SLAVE IO_THREAD")
        self._await(self.ask("replica", "SHOW SLAVE STATUS")[0]["Gtid_IO_Pos"])
        self.ask("replica", "STOP SLAVE")
        self.ask("replica", "RESET SLAVE ALL")
        self.ask("replica", "SET GLOBAL read_only = 0")
        self.writer = "replica"

    def catch_up(self):
        """Waits until the replica has all that the primary has; nobody may write there any more."""
        self._await(self.ask("primary", "SELECT @@gtid_binlog_pos AS position")[0]["position"])

    def _await(self, position):
        if self.ask("replica", f"SELECT MASTER_GTID_WAIT('{position}', 20) AS outcome")[0]["outcome"] != 0:
            raise RuntimeError(f"the replica did not come to {position}")


class Galera(Databases):
    """Three nodes that begin with the same state: what would transfer it is not in mariadb-server-core. So a node that
    was killed stays away."""

    DATABASES = ("galera1", "galera2", "galera3")
    NAMES = (*DATABASES, "rabbitmq")
    PROVIDER = "/usr/lib/galera/libgalera_smm.so"

    def found(self):
        self._ports = {name: (free_port(), free_port()) for name in self.DATABASES}
        self._state = f"{self.folder}/state"
        first = self.place("galera1")[1]
        self.start("rabbitmq", "galera1", galera1=self._flags("galera1", "--wsrep-new-cluster"))
        self.stop("galera1")
        shutil.move(f"{first}/mariadb/data", self._state)
        self.join()

    def join(self):
        for name in self.DATABASES:
            home = f"{self.place(name)[1]}/mariadb"
            shutil.copytree(self._state, f"{home}/data")
            with open(f"{home}/root-password", "w", encoding="ascii") as file:
                file.write("private\n")
            with open(f"{home}/data/gvwstate.dat", "w", encoding="ascii") as file:
                file.write(self._view(name))
        self.start(*self.DATABASES, **{name: self._flags(name) for name in self.DATABASES})
        self._await("ready", "ON")
        self.writer = "galera2"

    def _view(self, name):
        """As if all three had lost power at once: they go on when they see each other, without a state transfer."""
        members = {each: f"{number:08x}-0000-11f0-8000-000000000001" for number, each in enumerate(self.DATABASES, 1)}
        return "\n".join([f"my_uuid: {members[name]}", "#vwbeg", f"view_id: 3 {members['galera1']} 1", "bootstrap: 0",
                          *[f"member: {each} 0" for each in members.values()], "#vwend", ""])

    def _await(self, variable, value):
        deadline = time.monotonic() + 30
        while any(self.status(name, variable) != value for name in self.DATABASES):
            if time.monotonic() > deadline:
                raise RuntimeError(f"wsrep_{variable} did not become {value} everywhere")
            time.sleep(0.1)

    def _flags(self, name, *more):
        group, transfer = self._ports[name]
        members = ",".join(f"127.0.0.1:{self._ports[each][0]}" for each in self.DATABASES)
        provider = (f"gmcast.listen_addr=tcp://127.0.0.1:{group};base_host=127.0.0.1;base_port={group};"
                    f"ist.recv_addr=127.0.0.1:{transfer};gcache.size=32M;"
                    "evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT6S")
        return flags("--wsrep-on=ON", f"--wsrep-provider={self.PROVIDER}", "--wsrep-cluster-name=outbox",
                     f"--wsrep-node-name={name}", f"--wsrep-node-address=127.0.0.1:{group}",
                     f"--wsrep-cluster-address=gcomm://{members}", f"--wsrep-provider-options={provider}",
                     "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", *more)

    @contextlib.contextmanager
    def lagging(self, name):
        """It applies nothing of what the others commit."""
        with contextlib.closing(self.root(port=self.port(name))) as root, root.cursor() as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            yield

    def status(self, name, variable):
        return self.ask(name, f"SHOW GLOBAL STATUS LIKE 'wsrep_{variable}'")[0]["Value"]
