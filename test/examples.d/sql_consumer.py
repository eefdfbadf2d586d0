"""The AMQP client that deploy/examples/sql/consumer.sql leaves to the reader."""
import os

import pika
import pymysql


def main():
    env = os.environ
    database = pymysql.connect(
        host=env["DB_HOST"], port=int(env["DB_PORT"]), user=env["DB_USER"], password=env["DB_PASSWORD"],
        database=env["DB_NAME"], autocommit=True,
    )

    def on_message(channel, method, properties, body):
        with database.cursor() as cursor:
            cursor.execute("CALL handle_message(%s, %s, @outcome)", (properties.message_id, body.decode()))
            cursor.execute("SELECT @outcome")
            (outcome,) = cursor.fetchone()
        if outcome == "rejected":
            channel.basic_reject(method.delivery_tag, requeue=False)
        else:
            channel.basic_ack(method.delivery_tag)
        print(outcome, flush=True)

    channel = pika.BlockingConnection(pika.URLParameters(env["AMQP_URL"])).channel()
    channel.basic_qos(prefetch_count=20)
    channel.basic_consume("shipping", on_message)
    channel.start_consuming()


if __name__ == "__main__":
    main()
