"""Places orders. Each is announced through msg_log, in the transaction that writes the order itself."""
import json
import os

import pymysql

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"  # of the current span, in real life


def place_order(cursor, order, total, *, delay=0, headers=None):
    """Writes the order and its message, which goes out `delay` seconds from now by the database's clock."""
    cursor.execute("INSERT INTO orders (id, total) VALUES (%s, %s)", (order, total))
    cursor.execute(
        """INSERT INTO msg_log (msg, exchange, routing_key, headers, next_try_time)
           VALUES (%s, 'orders', 'order.created', %s, (UNIX_TIMESTAMP() + %s) * 1000)""",
        (json.dumps({"order": order}), json.dumps(headers) if headers else None, delay),
    )


def main():
    env = os.environ
    database = pymysql.connect(
        host=env["DB_HOST"],
        port=int(env["DB_PORT"]),
        user=env["DB_USER"],
        password=env["DB_PASSWORD"],
        database=env["DB_NAME"],
    )  # autocommit is off, so each order below is a transaction
    with database, database.cursor() as cursor:
        place_order(cursor, 1, "99.90")
        database.commit()

        place_order(cursor, 2, "12.50")
        database.rollback()  # neither the order nor its message ever existed

        place_order(cursor, 3, "7.00", delay=3)
        database.commit()

        place_order(cursor, 4, "45.00", headers={"traceparent": TRACEPARENT})
        database.commit()


if __name__ == "__main__":
    main()
