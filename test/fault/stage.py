"""What a scenario plays on: its own database, exchange and queues, the load, the sidecars; and the audit in the end."""
import collections
import contextlib
import json
import os
import random
import subprocess
import threading
import time

import pymysql

import load
from proxy import AmqpProxy, MysqlProxy
from sidecar import Sidecar, wait_until

# Small, so that the bound on duplicates says something.
WINDOW, PAGE = 100, 50
# README, "What is not promised".
WHEN_KILLED = 2 * (WINDOW + PAGE)  # a sidecar that ends, with rows in flight
WHEN_CUT = WINDOW                  # a connection to the broker that ends, with messages not yet confirmed

DRAINED_WITHIN = 10.0

# Must not be seen in any log.
PASSWORD = "Pa55-that-nobody-guesses"

QUEUES = {"classic": {}, "quorum": {"x-queue-type": "quorum"}}


class Failed(Exception):
    """The scenario could not be played: what it does did not have the effect that it is about."""


class TooLate(Failed):
    """Something did not come about in its time. That may be the machine's fault, if it is busy with other things."""


class Stage:
    def __init__(self, name, servers, program, seed, kills, folder):
        self.name = name
        self.servers = servers
        self.chance = random.Random(f"{seed}/{name}")
        self.kills = kills
        self.folder = folder
        self.database = "fault_" + name.replace("-", "_")
        self.exchange = name
        self.drained_within = DRAINED_WITHIN
        self.queues = []  # their keys
        self.user = self.database[-32:]
        self.duplicates_allowed = 0
        self.sidecars = []
        self.problems = []
        self.late = []  # problems that a busy machine can make, likewise
        self.consumed = collections.Counter()  # what a scenario itself took from the queues
        self.arrived = collections.defaultdict(list)  # what was found in each queue in the end, in order
        self.attempted_here = set()
        self.gone = set()  # what had been committed, and was lost with the server that had it
        self.program = program
        self._seed = seed
        self._proxies = []
        self._load = None
        self._ordered = False
        self._mended_at = None
        self._result = None
        os.makedirs(folder)
        self._set_up()

    # ---- setting up ------------------------------------------------------------------------------------------------

    def _set_up(self):
        with contextlib.closing(self.servers.root()) as root, root.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {self.database}")
            cursor.execute(f"CREATE USER {self.user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT ALL ON {self.database}.* TO {self.user}@'127.0.0.1'")
        config = self.write_config("migrate", {})
        subprocess.run([self.program, "--config", config, "migrate"], stdout=subprocess.DEVNULL, check=True)
        self.execute(load.TABLES)
        with self.servers.broker() as connection:
            channel = connection.channel()
            channel.exchange_declare(self.exchange, "topic", durable=True)
        for key, arguments in QUEUES.items():
            self.add_queue(key, arguments)

    def add_queue(self, key, arguments):
        """A queue that the load's messages go to. Returns its name."""
        self.queues.append(key)
        with self.servers.broker() as connection:
            channel = connection.channel()
            channel.queue_declare(self.queue(key), durable=True, arguments=arguments)
            channel.queue_bind(self.queue(key), self.exchange, key)
        return self.queue(key)

    def queue(self, key):
        return f"{self.name}.{key}"

    def connect(self, port=None, autocommit=False):
        return self.servers.login(self.user, PASSWORD, self.database, port, autocommit)

    def execute(self, sql, *arguments):
        """As root. Returns all rows."""
        with contextlib.closing(self.servers.root(self.database)) as root, root.cursor() as cursor:
            cursor.execute(sql, arguments)
            root.commit()
            return cursor.fetchall()

    def write_config(self, name, changes, broker="amqp://guest:guest@127.0.0.1:{amqp}/", mysql_port=None,
                     amqp_port=None):
        settings = {
            "database.url": f"mysql://{self.user}@127.0.0.1:{mysql_port or self.servers.mysql_port}/{self.database}",
            "database.password": PASSWORD,
            "database.connect_timeout": "1s",
            "database.query_timeout": "3s",
            "broker.urls": [broker.format(amqp=each)
                            for each in ([amqp_port] if amqp_port else self.servers.amqp_ports)],
            "broker.connect_timeout": "1s",
            "broker.heartbeat": "2s",
            "broker.confirm_timeout": "4s",
            "broker.reconnect_initial": "50ms",
            "broker.reconnect_max": "500ms",
            "relay.window": WINDOW,
            "relay.page_rows": PAGE,
            "relay.poll_max": "50ms",
            "relay.drain_timeout": "5s",
            "relay.lease": "2s",
            "relay.instance": name,
            "retry.strategy": "fixed",
            "retry.initial": "200ms",
            "retry.max_retries": 100000,
            "retry.routes": [{"exchange": self.exchange, "routing_key": load.NOWHERE, "max_retries": 1}],
            "purge.schedule": "",
            "log.format": "json",
            **changes,
        }
        nested = {}
        for path, value in settings.items():
            *sections, key = path.split(".")
            into = nested
            for each in sections:
                into = into.setdefault(each, {})
            into[key] = value
        file = f"{self.folder}/{name}.yaml"
        with open(file, "w", encoding="utf-8") as out:
            json.dump(nested, out, indent=1)  # which is YAML, too
        return file

    # ---- playing ---------------------------------------------------------------------------------------------------

    def keep(self, proxy):
        self._proxies.append(proxy)
        return proxy

    def amqp_proxy(self):
        return self.keep(AmqpProxy(self.servers.amqp_port))

    def mysql_proxy(self):
        return self.keep(MysqlProxy(self.servers.mysql_port))

    def sidecar(self, changes=None, environment=None, limits=None, log=None, **config):
        name = f"sidecar-{len(self.sidecars) + 1}"
        file = self.write_config(name, changes or {}, **config)
        self.sidecars.append(Sidecar(self.program, file, log or f"{self.folder}/{name}.log", environment, limits))
        return self.sidecars[-1]

    def keep_order(self):
        """The index for relay.ordered."""
        with open(f"{os.path.dirname(__file__)}/../../schema/mysql/optional/ordered.sql", encoding="utf-8") as file:
            self.execute(file.read())

    def begin(self, per_second=150, connect=None, padding=200, order_keys=0):
        """The load, and a first while in which all is well. With `order_keys`, the audit expects their order."""
        self._ordered = order_keys > 0
        keys = self.queues * 20 + [load.NOWHERE]
        self._load = load.Load(connect or self.connect, self.exchange, keys, self._seed, per_second, padding,
                               order_keys)
        self.goes_on()

    def delivered(self):
        with contextlib.suppress(pymysql.err.Error):
            return self.execute("SELECT COUNT(*) FROM msg_log WHERE status = 1")[0][0]
        return -1

    def goes_on(self, rows=50, seconds=DRAINED_WITHIN):
        """Waits until so many more messages are delivered."""
        before = max(self.delivered(), 0)
        if not wait_until(lambda: self.delivered() >= before + rows, seconds):
            raise TooLate(f"not {rows} more messages were delivered in {seconds} s")

    def wait(self, condition, what, seconds=DRAINED_WITHIN, pause=0.02):
        if not wait_until(condition, seconds, pause):
            raise TooLate(f"{what}: not in {seconds} s")

    def pause(self, least, most=None):
        """How long a fault lasts. Nothing is waited for."""
        time.sleep(self.chance.uniform(least, most or least))

    def fault(self, duplicates=0, times=1):
        """Announces a fault that may cost so many duplicates."""
        self.duplicates_allowed += duplicates * times

    def mended(self):
        """The last fault is over: from here on the clock runs."""
        self._mended_at = time.monotonic()

    def expect_finding(self, subject, level):
        """What `doctor` says about the database."""
        config = self.write_config("doctor", {})
        done = subprocess.run([self.program, "--config", config, "doctor", "--json"], stdout=subprocess.PIPE, text=True)
        all_found = json.loads(done.stdout)["database"]["findings"]
        found = [each["level"] for each in all_found if each["subject"] == subject]
        if found != [level]:
            self.problems.append(f"doctor says {found} about {subject}, not {level}")

    def write(self, messages, connection=None, next_try_time=None, padding=""):
        """Messages beside the load's."""
        self.attempted_here.update(name for name, _ in messages)
        if connection:
            return load.write(connection, self.exchange, messages, padding, next_try_time)
        with contextlib.closing(self.connect()) as own:
            load.write(own, self.exchange, messages, padding, next_try_time)
            own.commit()

    def take(self, queue, go_on=lambda: False):
        """Takes the messages out of a queue, until it is empty for a moment and is not to go on."""
        with self.servers.broker() as connection:
            for method, properties, _ in connection.channel().consume(queue, auto_ack=True, inactivity_timeout=0.3):
                if method:
                    self.consumed[properties.message_id] += 1
                elif not go_on():
                    return

    @contextlib.contextmanager
    def consuming(self, queue):
        going_on = True
        consumer = threading.Thread(target=self.take, args=(queue, lambda: going_on))
        consumer.start()
        try:
            yield
        finally:
            going_on = False
            consumer.join()

    # ---- the audit -------------------------------------------------------------------------------------------------

    def finish_early(self):
        """For a scenario whose surroundings are gone when it returns: the sidecars must have ended by then."""
        self._result = self._result or self._finish()

    def finish(self):
        self.finish_early()
        return self._result

    def _finish(self):
        if self._mended_at is None:
            self.mended()
        recovered = self._await_recovery()
        self._load.stop()
        # Or a slow relay would count as one that loses.
        everything = self._await_backlog("status = 0", 30)
        if not everything:
            self.problems.append("rows are still in status 0")
        for number, each in enumerate(self.sidecars, 1):
            if not each.runs():
                self.problems.append(f"sidecar {number} has ended by itself, exit code {each.process.returncode}")
            elif (code := each.stop()) != 0:
                self.problems.append(f"sidecar {number} did not stop in good order: {code}")
        for each in self._proxies:
            each.close()
        return self._audit(recovered)

    def _await_recovery(self):
        """Milliseconds from the fault's end until nothing is left of what was committed by then."""
        end = self.execute("SELECT ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000)")[0][0]
        drained = self._await_backlog(f"status = 0 AND create_time <= {end}", self.drained_within)
        recovered = round((time.monotonic() - self._mended_at) * 1000)
        if not drained or recovered > self.drained_within * 1000:
            self.late.append(f"the backlog was drained only after {recovered} ms" if drained else
                             "the backlog was not drained in time")
        return recovered

    def _await_backlog(self, condition, seconds):
        return wait_until(
            lambda: self.execute(f"SELECT COUNT(*) FROM msg_log WHERE {condition}")[0][0] == 0, seconds, 0.05)

    def _take_all(self):
        # One by one, until the broker says that there is none: how slow it is says nothing then.
        with self.servers.broker() as connection:
            channel = connection.channel()
            for queue in self.queues:
                while (message := channel.basic_get(self.queue(queue), auto_ack=True))[0]:
                    self.consumed[message[1].message_id] += 1
                    self.arrived[queue].append(message[1].message_id)
        with self.servers.broker() as connection:
            channel = connection.channel()
            for queue in self.queues:
                channel.queue_delete(self.queue(queue))
            channel.exchange_delete(self.exchange)

    def _audit(self, recovered):
        self._take_all()
        orders = dict(self.execute("SELECT id, routable FROM orders"))
        rows = {name: (status, why) for name, status, why in self.execute("SELECT id, status, last_error FROM msg_log")}
        found = self.consumed
        attempted = set().union(self.attempted_here, *self._load.attempted)
        lost = [name for name, routable in orders.items() if routable and not found[name]]
        self._expect(orders.keys() == rows.keys(), "msg_log has other rows than were committed")
        self._expect(all(found[name] for name, (status, _) in rows.items() if status == 1),
                     "rows have status 1 that are in no queue")
        self._expect(all(status == 1 or why for status, why in rows.values()), "rows that failed have no reason")
        self._expect(all(rows[name][0] == 2 for name, routable in orders.items() if not routable and name in rows),
                     "messages that can't be routed have not failed")
        result = {
            "scenario": self.name,
            "seed": self._seed,
            "attempted": len(attempted | orders.keys()),
            "committed": len(orders),
            "rolled_back": len(attempted - orders.keys()),
            "delivered": len(found),
            "lost": len(lost),
            "rolled_back_seen": len(found.keys() - orders.keys() - self.gone),
            "duplicated": sum(found.values()) - len(found),
            "duplicates_allowed": self.duplicates_allowed,
            "recovered_ms": recovered,
        }
        if self._ordered:
            self._audit_order()
        self._expect(not any(each.shows(PASSWORD) for each in self.sidecars), "a log shows a password")
        self._expect(not lost, f"lost: {' '.join(lost[:5])}")
        self._expect(result["rolled_back_seen"] == 0, "messages were seen that had been rolled back")
        self._expect(result["duplicated"] <= self.duplicates_allowed, "more duplicates than the fault explains")
        result["ok"] = not self.problems and not self.late
        return result

    def _audit_order(self):
        """In each queue, the first copies of a key's messages are in the order in which they were committed."""
        keys = dict(self.execute("SELECT id, order_key FROM msg_log"))
        judged, overtaken = 0, []
        for arrived in self.arrived.values():
            last = {}
            for name in dict.fromkeys(arrived):
                if not (key := keys.get(name)):
                    continue
                judged += 1
                if name < last.get(key, ""):
                    overtaken.append(f"{name} by {last[key]}")
                else:
                    last[key] = name
        self._expect(judged > 100, "there was no order to judge")
        self._expect(not overtaken, f"{len(overtaken)} messages were overtaken: {'; '.join(overtaken[:5])}")

    def _expect(self, condition, problem):
        if not condition:
            self.problems.append(problem)

    def abandon(self):
        """After a failure: nothing goes on behind the next scenario's back."""
        if self._load:
            self._load.stop()
        for each in self.sidecars:
            if each.runs():
                each.kill()
        for each in self._proxies:
            each.close()
