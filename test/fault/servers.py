"""The private MariaDB and RabbitMQ that the scenarios share, and how they are stopped, killed and frozen."""
import contextlib
import functools
import glob
import os
import shlex
import signal
import subprocess

import pika
import pymysql


class Servers:
    """One of each. The subclasses in clusters.py have several of a kind; each server has a name of its own then."""

    NAMES = ("mariadb", "rabbitmq")

    def __init__(self, tool, folder):
        self._tool = tool
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        try:
            self.found()
        except RuntimeError:
            self.stop_all()  # some of them may run
            raise

    def found(self):
        """Starts all for the first time."""
        self.start(*self.NAMES)

    def place(self, name):
        """What it is to private-servers, and in which folder."""
        return name, self.folder

    def _run(self, *arguments):
        done = subprocess.run([self._tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"private-servers {' '.join(arguments)}: {done.stdout}")
        return done.stdout

    def start(self, *names, **options):
        """At the same time; those that run already are left alone. What is not given is as it was the last time."""
        starting = [subprocess.Popen([self._tool, "start", *self.place(name), *options.get(name, [])])
                    for name in names]
        if any([each.wait() != 0 for each in starting]):
            raise RuntimeError("a server did not start")

    def make_ready(self):
        """Before each scenario: whatever the last one did, all of them run."""
        self.start(*self.NAMES)

    def stop(self, name):
        self._run("stop", *self.place(name))

    def stop_all(self):
        for name in self.NAMES:
            self.stop(name)

    def kill(self, name):
        self._run("kill", *self.place(name))

    def ctl(self, *arguments, name="rabbitmq"):
        return self._run("ctl", self.place(name)[1], "--quiet", *arguments)

    @contextlib.contextmanager
    def frozen(self, *names):
        pids = [pid for name in names for pid in self._pids(name)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def _pids(self, name):
        kind, folder = self.place(name)
        mark = f"OUTBOX_PRIVATE_SERVER={folder}/{kind}".encode()
        found = []
        for file in glob.glob("/proc/[0-9]*/environ"):
            with contextlib.suppress(OSError), open(file, "rb") as environment:
                if mark in environment.read().split(b"\0"):
                    found.append(int(file.split("/")[2]))
        return found

    def _variable(self, name, variable):
        for line in self._run("env", self.place(name)[1]).splitlines():
            key, value = shlex.split(line.removeprefix("export "))[0].split("=", 1)
            if key == f"OUTBOX_TEST_{variable}":
                return value
        raise RuntimeError(f"{name} has no {variable}")

    @functools.cache
    def port(self, name):
        if self.place(name)[0] == "mariadb":
            return int(self._variable(name, "MYSQL_PORT"))
        return pika.URLParameters(self._variable(name, "AMQP_URL")).port

    @property
    def mysql_port(self):
        """Of the server that is written to."""
        return self.port("mariadb")

    @property
    def amqp_ports(self):
        """One for each node."""
        return [self.port(name) for name in self.NAMES if self.place(name)[0] == "rabbitmq"]

    @property
    def amqp_port(self):
        return self.amqp_ports[0]

    def root(self, database=None, port=None):
        return self.login("root", "private", database, port)

    def login(self, user, password, database, port=None, autocommit=False):
        return pymysql.connect(
            host="127.0.0.1", port=port or self.mysql_port, user=user, password=password, database=database,
            autocommit=autocommit, charset="utf8mb4", connect_timeout=5, read_timeout=30, write_timeout=30)

    def broker(self):
        """A connection of the auditor's own, never through a proxy. To be used at once: nobody sends its heartbeats."""
        return pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", self.amqp_port, heartbeat=0, blocked_connection_timeout=30))
