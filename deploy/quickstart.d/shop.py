"""The quickstart's shop: an application that places orders and tells the world through msg_log.

Each order is one transaction of two rows: its own, and a message. There is no library to use and no broker to reach:
the whole of an application's part in the outbox is the INSERT in `place`. Every tenth order changes its mind.
"""
import argparse
import json
import random
import time

import pymysql

ORDERS = """
    CREATE TABLE orders (
      number   int PRIMARY KEY,
      customer varchar(100) NOT NULL,
      cents    int NOT NULL,
      state    varchar(10) NOT NULL
    ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""

CUSTOMERS = ["Ada", "Björn", "Chloé", "Dmitri", "Ève", "福田"]
REGIONS = ["eu", "us", "apac"]


def place(cursor, number):
    customer = random.choice(CUSTOMERS)
    cents = random.randint(100, 100_000)
    state = "paid" if number % 3 == 0 else "created"
    cursor.execute("INSERT INTO orders VALUES (%s, %s, %s, %s)", (number, customer, cents, state))
    message = json.dumps({"order": number, "customer": customer, "cents": cents, "state": state}, ensure_ascii=False)
    cursor.execute(
        "INSERT INTO msg_log (msg, exchange, routing_key) VALUES (%s, %s, %s)",
        (message, "orders", f"order.{state}.{random.choice(REGIONS)}"),
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--port", type=int, required=True, help="of MariaDB on 127.0.0.1")
    arguments.add_argument("--orders", type=int, default=1000)
    arguments.add_argument("--report", required=True, help="file to write what became of each order to, as JSON")
    options = arguments.parse_args()

    connection = pymysql.connect(
        host="127.0.0.1", port=options.port, user="outbox", password="outbox", database="shop", charset="utf8mb4"
    )
    report = {"begun": time.time(), "committed": [], "rolled_back": []}
    with connection, connection.cursor() as cursor:
        cursor.execute(ORDERS)
        for number in range(1, options.orders + 1):
            place(cursor, number)
            if number % 10 == 0:
                connection.rollback()
                report["rolled_back"].append(number)
            else:
                connection.commit()
                report["committed"].append(number)
            if number % 10 == 0 or number == options.orders:
                print(f"{number}/{options.orders}", flush=True)
    with open(options.report, "w", encoding="utf-8") as file:
        json.dump(report, file)


if __name__ == "__main__":
    main()
