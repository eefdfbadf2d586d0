"""Ships each order once, however often its message comes. It may be killed at any moment."""
import json
import os

import pika
import pymysql


def handle(database, message_id, order):
    """Ships the order and remembers the message in one transaction. False if that was done before."""
    with database.cursor() as cursor:
        database.begin()
        new = cursor.execute(
            "INSERT IGNORE INTO msg_inbox (consumer, message_id) VALUES ('shipping', %s)", (message_id,)
        )
        if new:
            cursor.execute("INSERT INTO shipments (order_id) VALUES (%s)", (order,))
        database.commit()
        # The receipt is a transaction of its own: msg_log may be in another database.
        cursor.execute("UPDATE msg_log SET status = 3 WHERE id = %s AND status IN (0, 1)", (message_id,))
        database.commit()
    return bool(new)


def main():
    env = os.environ
    database = pymysql.connect(
        host=env["DB_HOST"],
        port=int(env["DB_PORT"]),
        user=env["DB_USER"],
        password=env["DB_PASSWORD"],
        database=env["DB_NAME"],
    )

    def on_message(channel, method, properties, body):
        try:
            order = int(json.loads(body)["order"])
            if not properties.message_id:
                raise ValueError("no message_id")
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            # It will never be any better: to the dead letters.
            channel.basic_reject(method.delivery_tag, requeue=False)
            print("rejected:", error, flush=True)
            return
        # Any other error ends the process, and the broker hands out again whatever was not acknowledged.
        new = handle(database, properties.message_id, order)
        channel.basic_ack(method.delivery_tag)
        print("shipped" if new else "skipped", order, flush=True)

    channel = pika.BlockingConnection(pika.URLParameters(env["AMQP_URL"])).channel()
    channel.basic_qos(prefetch_count=20)
    channel.basic_consume("shipping", on_message)
    channel.start_consuming()


if __name__ == "__main__":
    main()
