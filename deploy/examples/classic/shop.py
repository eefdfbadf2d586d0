"""Publishes by itself as soon as an order is committed, and leaves to the sidecar what that missed. See README.md."""
import json
import os
import sys
import uuid

import pika
import pymysql

LEAD_SECONDS = int(os.environ.get("LEAD_SECONDS", "120"))  # how long the sidecar leaves a message to us


def place_order(cursor, order):
    """Writes the order and its message, which is due for the sidecar only after the lead."""
    message_id, body = str(uuid.uuid4()), json.dumps({"order": order})
    cursor.execute("INSERT INTO orders (id, total) VALUES (%s, 9.90)", (order,))
    cursor.execute(
        """INSERT INTO msg_log (id, msg, exchange, routing_key, next_try_time)
           VALUES (%s, %s, 'orders', 'order.created', (UNIX_TIMESTAMP() + %s) * 1000)""",
        (message_id, body, LEAD_SECONDS),
    )
    return message_id, body


def connect_broker():
    parameters = pika.URLParameters(os.environ["AMQP_URL"])
    parameters.blocked_connection_timeout = LEAD_SECONDS / 2  # rather leave it to the sidecar than wait
    channel = pika.BlockingConnection(parameters).channel()
    channel.confirm_delivery()
    return channel


def main(orders):
    env, channel = os.environ, None
    database = pymysql.connect(host=env["DB_HOST"], port=int(env["DB_PORT"]), user=env["DB_USER"],
                               password=env["DB_PASSWORD"], database=env["DB_NAME"])
    with database, database.cursor() as cursor:
        for order in orders:
            message_id, body = place_order(cursor, order)
            database.commit()  # before publishing: what is rolled back must never be seen
            try:
                channel = channel or connect_broker()
                properties = pika.BasicProperties("application/json", delivery_mode=2, message_id=message_id)
                channel.basic_publish("orders", "order.created", body, properties, mandatory=True)
            except (pika.exceptions.AMQPError, OSError) as error:  # returned, refused, unreachable or in doubt
                channel = None
                print(f"order {order} is left to the sidecar: {error!r}", flush=True)
                continue
            # Confirmed and routed. Not if it was consumed meanwhile, or the sidecar was quicker.
            cursor.execute("UPDATE msg_log SET status = 1, update_time = UNIX_TIMESTAMP() * 1000 "
                           "WHERE id = %s AND status = 0", (message_id,))
            database.commit()


if __name__ == "__main__":
    main([int(order) for order in sys.argv[1:]])
