"""The application: producers that write a business row and messages in one transaction, and commit it, roll it back, or
vanish before the end. What truly committed is what the business table says, whatever the producer was told."""
import contextlib
import json
import random
import threading
import time

import pymysql

TABLES = "CREATE TABLE orders (id varchar(100) PRIMARY KEY, routable bool NOT NULL) ENGINE=InnoDB"
NOWHERE = "nowhere"  # a key that no queue is bound with


class Load:
    """With `order_keys`, each transaction is of one of so many keys of its producer's own, and a key's ids rise."""

    def __init__(self, connect, exchange, keys, seed, per_second, padding=200, order_keys=0, producers=2):
        self._connect = connect
        self._exchange = exchange
        self._keys = keys
        self._pause = producers / per_second
        self._padding = "x" * padding
        self._order_keys = order_keys
        self._stopping = threading.Event()
        self.attempted = [set() for _ in range(producers)]
        self._threads = [
            threading.Thread(target=self._produce, args=(number, random.Random(f"{seed}/{number}")), daemon=True)
            for number in range(producers)
        ]
        for each in self._threads:
            each.start()

    def stop(self):
        self._stopping.set()
        for each in self._threads:
            each.join()

    def _produce(self, number, chance):
        connection, serial = None, 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                connection = connection or self._connect()
                messages = []
                for _ in range(chance.randint(1, 4)):
                    serial += 1
                    messages.append((f"{number}-{serial:08}", chance.choice(self._keys)))
                # Made known before anything is sent: what is seen of it must be explained.
                self.attempted[number].update(name for name, _ in messages)
                order_key = f"{number}-{chance.randrange(self._order_keys)}" if self._order_keys else None
                if not self._transaction(connection, messages, order_key, chance.random()):
                    connection = None
            except (pymysql.err.Error, OSError):
                if connection:
                    with contextlib.suppress(pymysql.err.Error, OSError):
                        connection.close()
                connection = None
                self._stopping.wait(0.1)
            self._stopping.wait(max(0, self._pause - (time.monotonic() - began)))
        if connection:
            with contextlib.suppress(pymysql.err.Error, OSError):
                connection.close()

    def _transaction(self, connection, messages, order_key, fate):
        write(connection, self._exchange, messages, self._padding, order_key=order_key)
        if fate < 0.08:
            connection.rollback()
        elif fate < 0.1:
            connection._force_close()  # as if killed
            return False
        else:
            connection.commit()
        return True


def write(connection, exchange, messages, padding="", next_try_time=None, order_key=None):
    """One order and one message for each, in the transaction of the connection."""
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO orders VALUES (%s, %s)", [(name, key != NOWHERE) for name, key in messages])
        rows = [(name, json.dumps({"id": name, "padding": padding}), exchange, key, order_key)
                for name, key in messages]
        if next_try_time is None:
            cursor.executemany(
                "INSERT INTO msg_log (id, msg, exchange, routing_key, order_key) VALUES (%s, %s, %s, %s, %s)", rows)
        else:
            cursor.executemany(
                "INSERT INTO msg_log (id, msg, exchange, routing_key, order_key, next_try_time) VALUES "
                "(%s, %s, %s, %s, %s, %s)", [(*row, next_try_time) for row in rows])
