"""What the tests of the examples stand on: the database, a sidecar, a witness at the broker, processes, verdicts."""
import collections
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse

import pika
import pymysql

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "deploy/examples"
QUEUES = ["shipping", "shipping.dead"]

Message = collections.namedtuple("Message", "id body headers arrived")  # arrived: epoch milliseconds


class Promises:
    """Says of each whether it holds, and counts."""

    def __init__(self):
        self.kept = self.broken = 0

    def check(self, promise, holds, *evidence):
        if holds:
            self.kept += 1
            print(f"  ok      {promise}", flush=True)
        else:
            self.broken += 1
            print(f"  FAILED  {promise}", *(f"\n          {one}" for one in evidence), flush=True)


class Process:
    """A command in a session of its own, so that whatever it starts in turn ends with it."""

    def __init__(self, command, log, **variables):
        self.log = pathlib.Path(log)
        with open(log, "w", encoding="utf-8") as output:
            self._popen = subprocess.Popen(
                command, shell=isinstance(command, str), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **variables},
            )

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def count(self, word):
        return self.output().count(word)

    def running(self):
        return self._popen.poll() is None

    def exit_code(self, seconds):
        """None if it has not ended by then."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self, how=signal.SIGTERM):
        for signal_number in (how, signal.SIGKILL):
            try:
                os.killpg(self._popen.pid, signal_number)
            except ProcessLookupError:
                break
            if self.exit_code(10) is not None:
                break


class Stage:
    """A fresh database and broker with the sidecar of the examples; the witness sees what reaches the exchange."""

    def __init__(self, sidecar, work):
        self.work = pathlib.Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.sidecar = None
        self._processes = []
        self.messages = []  # in order of arrival, with all copies
        self.amqp = urllib.parse.urlsplit(os.environ["AMQP_URL"])
        self._connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
        self.channel = self._connection.channel()
        for queue in QUEUES:
            self.channel.queue_delete(queue)
        self.channel.exchange_delete("orders")
        self._fresh_database(sidecar)
        self.sidecar = self._start_sidecar(sidecar, "run", "sidecar.log")
        self.wait(lambda: all(self._exists(queue) for queue in QUEUES), 20)
        self.channel.queue_declare("witness", exclusive=True)
        self.channel.queue_bind("witness", "orders", "#")
        self.channel.basic_consume("witness", self._witness, auto_ack=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.end()
        self._connection.close()
        self._database.close()

    def _fresh_database(self, sidecar):
        env = os.environ
        self._database = pymysql.connect(
            host=env["DB_HOST"], port=int(env["DB_PORT"]), user=env["DB_USER"], password=env["DB_PASSWORD"],
            autocommit=True, charset="utf8mb4", client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS,
        )
        name = env["DB_NAME"]
        self.sql(f"DROP DATABASE IF EXISTS `{name}`; CREATE DATABASE `{name}`; USE `{name}`")
        migration = self._start_sidecar(sidecar, "migrate", "migrate.log")
        if migration.exit_code(30) != 0:
            raise SystemExit(f"migrate failed:\n{migration.output()}")
        for file in [ROOT / "schema/mysql/optional/msg_inbox.sql", EXAMPLES / "tables.sql"]:
            self.sql(file.read_text(encoding="utf-8"))

    def _start_sidecar(self, sidecar, command, log):
        env, amqp = os.environ, self.amqp
        return self.start(
            [sidecar, "--config", str(EXAMPLES / "sidecar.yaml"), command],
            log,
            OUTBOX_DATABASE_URL=f"mysql://{env['DB_USER']}@{env['DB_HOST']}:{env['DB_PORT']}/{env['DB_NAME']}",
            OUTBOX_DATABASE_PASSWORD=env["DB_PASSWORD"],
            OUTBOX_BROKER_URLS=f"amqp://{amqp.username}@{amqp.hostname}:{amqp.port}/",
            OUTBOX_BROKER_PASSWORD=amqp.password,
        )

    def start(self, command, log, **variables):
        process = Process(command, self.work / log, **variables)
        self._processes.append(process)
        return process

    def sql(self, statements, *values):
        """The rows of the first statement."""
        with self._database.cursor() as cursor:
            cursor.execute(statements, values or None)
            rows = cursor.fetchall()
            while cursor.nextset():
                pass
            return rows

    def wait(self, condition, seconds):
        """Whether it became true in time; the witness keeps seeing meanwhile."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._connection.process_data_events(time_limit=0.05)
        return True

    def publish(self, body, message_id):
        self.channel.basic_publish("orders", "order.created", body, pika.BasicProperties(message_id=message_id))

    def ready(self, queue):
        """How many messages wait in it, those handed out and not yet acknowledged not among them."""
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def consumers(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.consumer_count

    def _exists(self, queue):
        try:
            self.channel.queue_declare(queue, passive=True)
            return True
        except pika.exceptions.ChannelClosedByBroker:
            self.channel = self._connection.channel()
            return False

    def _witness(self, _channel, _method, properties, body):
        now = time.time_ns() // 1_000_000
        self.messages.append(Message(properties.message_id, body.decode(), properties.headers or {}, now))
