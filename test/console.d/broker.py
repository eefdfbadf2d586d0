"""What the console's tests do at the broker.

    broker.py bind EXCHANGE KEY QUEUE    declares the queue, too
    broker.py bury QUEUE DEAD COUNT      messages that a consumer of QUEUE refuses, so that they die and land in DEAD
    broker.py length QUEUE
    broker.py take QUEUE                 the first message, as JSON; fails if there is none
"""
import json
import os
import sys
import time

import pika

PATIENCE = 20  # seconds


def main():
    broker = pika.BlockingConnection(pika.URLParameters(os.environ["OUTBOX_TEST_AMQP_URL"].rstrip("/") + "/%2f"))
    channel = broker.channel()
    action, *arguments = sys.argv[1:]
    if action == "bind":
        exchange, key, queue = arguments
        channel.queue_declare(queue, durable=True)
        channel.queue_bind(queue, exchange, key)
    elif action == "bury":
        queue, dead, count = arguments
        channel.queue_declare(dead, durable=True)
        channel.queue_declare(queue, durable=True,
                              arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead})
        for number in range(int(count)):
            channel.basic_publish("", queue, b'{"dead": true}', pika.BasicProperties(message_id=f"dead-{number}"))
        deadline = time.monotonic() + PATIENCE
        while channel.queue_declare(dead, passive=True).method.message_count < int(count):
            delivery, _, _ = channel.basic_get(queue)
            if delivery:
                channel.basic_reject(delivery.delivery_tag, requeue=False)
            elif time.monotonic() > deadline:
                raise SystemExit(f"no dead letters in {dead}")
            else:
                time.sleep(0.02)
    elif action == "length":
        print(channel.queue_declare(arguments[0], passive=True).method.message_count)
    elif action == "take":
        delivery, properties, body = channel.basic_get(arguments[0], auto_ack=True)
        if delivery is None:
            raise SystemExit("the queue is empty")
        print(json.dumps({"id": properties.message_id, "headers": properties.headers, "body": body.decode("utf-8", "replace")}))
    else:
        raise SystemExit(__doc__)
    broker.close()


main()
