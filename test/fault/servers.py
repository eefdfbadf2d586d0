"""The private MariaDB and RabbitMQ that all scenarios share, and how they are stopped, killed and frozen."""
import contextlib
import glob
import os
import shlex
import signal
import subprocess

import pika
import pymysql


class Servers:
    KINDS = ("mariadb", "rabbitmq")

    def __init__(self, tool, folder):
        self._tool = tool
        self.folder = folder
        try:
            self.start(*self.KINDS)
        except RuntimeError:
            for kind in self.KINDS:  # one of them may run
                self.stop(kind)
            raise
        self._environment = dict(
            word.split("=", 1)
            for line in self._run("env", folder).splitlines()
            for word in [shlex.split(line.removeprefix("export "))[0]]
        )

    def _run(self, *arguments):
        done = subprocess.run([self._tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"private-servers {' '.join(arguments)}: {done.stdout}")
        return done.stdout

    def start(self, *kinds):
        starting = [subprocess.Popen([self._tool, "start", kind, self.folder]) for kind in kinds]
        if any([each.wait() != 0 for each in starting]):
            raise RuntimeError("a server did not start")

    def stop(self, kind):
        self._run("stop", kind, self.folder)

    def kill(self, kind):
        self._run("kill", kind, self.folder)

    def ctl(self, *arguments):
        return self._run("ctl", self.folder, "--quiet", *arguments)

    @contextlib.contextmanager
    def frozen(self, kind):
        pids = self._pids(kind)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def _pids(self, kind):
        mark = f"OUTBOX_PRIVATE_SERVER={self.folder}/{kind}".encode()
        found = []
        for file in glob.glob("/proc/[0-9]*/environ"):
            with contextlib.suppress(OSError), open(file, "rb") as environment:
                if mark in environment.read().split(b"\0"):
                    found.append(int(file.split("/")[2]))
        return found

    @property
    def mysql_port(self):
        return int(self._environment["OUTBOX_TEST_MYSQL_PORT"])

    @property
    def amqp_port(self):
        return pika.URLParameters(self._environment["OUTBOX_TEST_AMQP_URL"]).port

    def root(self, database=None):
        return self.login("root", self._environment["OUTBOX_TEST_MYSQL_ROOT_PASSWORD"], database)

    def login(self, user, password, database, port=None, autocommit=False):
        return pymysql.connect(
            host="127.0.0.1", port=port or self.mysql_port, user=user, password=password, database=database,
            autocommit=autocommit, charset="utf8mb4", connect_timeout=5, read_timeout=30, write_timeout=30)

    def broker(self):
        """A connection of the auditor's own, never through a proxy. To be used at once: nobody sends its heartbeats."""
        return pika.BlockingConnection(
            pika.ConnectionParameters("127.0.0.1", self.amqp_port, heartbeat=0, blocked_connection_timeout=30))
