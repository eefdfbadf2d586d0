"""Runs one language's producer and consumer against real servers, and says which of their promises hold."""
import argparse
import json
import signal
import sys

from proxy import Proxy
from stage import Promises, Stage

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PLACED = [1, 3, 4]  # 2 is rolled back
DELAYED = 3
TRACED = 4


def order_of(message):
    return json.loads(message.body)["order"]


def shipped(stage):
    return [order for (order,) in stage.sql("SELECT order_id FROM shipments ORDER BY order_id")]


def produce(stage, promises, command):
    """Returns the ids of the messages by their orders."""
    producer = stage.start(command, "producer.log")
    code = producer.exit_code(60)
    promises.check("the producer ends well", code == 0, f"exit code {code}", producer.output())
    rows = {
        json.loads(body)["order"]: (message_id, due, created)
        for message_id, body, due, created in stage.sql("SELECT id, msg, next_try_time, create_time FROM msg_log")
    }
    orders = [order for (order,) in stage.sql("SELECT id FROM orders ORDER BY id")]
    promises.check("committed orders have their message, the rolled back one has neither",
                   orders == sorted(rows) == PLACED, f"orders {orders}, messages {sorted(rows)}")
    if sorted(rows) != PLACED:
        return None
    stage.wait(lambda: len(stage.messages) >= len(PLACED), 30)
    arrived = {order_of(message): message for message in stage.messages}
    _, due, created = rows[DELAYED]
    promises.check("exactly the committed messages arrive, each under its row's id",
                   sorted(map(order_of, stage.messages)) == PLACED
                   and all(arrived[order].id == rows[order][0] for order in PLACED), stage.messages)
    promises.check("the delayed message arrives, not before its time and after the others",
                   order_of(stage.messages[-1]) == DELAYED and due - created >= 2000
                   and stage.messages[-1].arrived >= due, f"due {due}, created {created}", stage.messages)
    headers = {order: message.headers for order, message in arrived.items()}
    promises.check("traceparent arrives as a header, and only where it was given",
                   headers == {1: {}, 3: {}, 4: {"traceparent": TRACEPARENT}}, headers)
    return {order: rows[order][0] for order in PLACED}


def consume_unheard(stage, promises, command, produce_now):
    """Lets a consumer commit while its acknowledgements get lost, and kills it. Returns what produce_now returned, or
    nothing if there is no point in going on."""
    proxy = Proxy(stage.amqp.hostname, stage.amqp.port)
    consumer = stage.start(command, "consumer-killed.log", AMQP_URL=proxy.url(stage.amqp))
    stage.wait(lambda: stage.consumers("shipping") == 1 or not consumer.running(), 60)
    proxy.hold("up")
    ids = produce_now()
    stage.wait(lambda: len(shipped(stage)) >= len(PLACED), 20)
    promises.check("the consumer ships each order", shipped(stage) == PLACED, shipped(stage), consumer.output())
    consumer.end(signal.SIGKILL)
    proxy.close()
    promises.check("killed after its commits and before its acks, it leaves the messages to be handed out again",
                   stage.wait(lambda: stage.ready("shipping") == len(PLACED), 20), stage.ready("shipping"))
    return ids if shipped(stage) == PLACED else None


def fail_once(stage, promises, consumer):
    """Lets the business write of one more message fail."""
    stage.sql("RENAME TABLE shipments TO shipments_gone")
    stage.publish('{"order": 6}', "failing")
    code = consumer.exit_code(20)
    promises.check("when the database fails, the consumer says so and ends", code not in (0, None),
                   f"exit code {code}", consumer.output())
    consumer.end()
    stage.sql("RENAME TABLE shipments_gone TO shipments")
    promises.check("that message is handed out again, everything before it was acknowledged",
                   stage.wait(lambda: stage.ready("shipping") == 1, 20), stage.ready("shipping"))
    inbox = [message_id for (message_id,) in stage.sql("SELECT message_id FROM msg_inbox")]
    promises.check("and the inbox does not remember it", len(inbox) == len(PLACED) and "failing" not in inbox, inbox)


def consume_again(stage, promises, command, ids):
    consumer = stage.start(command, "consumer.log")
    stage.wait(lambda: consumer.count("skipped") >= len(PLACED) or not consumer.running(), 60)
    promises.check("messages handed out again are skipped",
                   consumer.count("skipped") == len(PLACED) and consumer.count("shipped") == 0, consumer.output())
    stage.publish(json.dumps({"order": 1}), ids[1])
    promises.check("a second copy of a message is skipped",
                   stage.wait(lambda: consumer.count("skipped") == len(PLACED) + 1, 20), consumer.output())

    stage.sql("INSERT INTO msg_log (id, msg, exchange, routing_key) VALUES"
              "('poison-1', 'not json', 'orders', 'order.created'), ('poison-2', '{}', 'orders', 'order.created')")
    stage.publish('{"order": 5}', None)
    promises.check("poison goes to the dead letters: no JSON, no order, no message_id",
                   stage.wait(lambda: stage.ready("shipping.dead") == 3 and consumer.count("rejected") == 3, 20),
                   stage.ready("shipping.dead"), consumer.output())
    promises.check("the consumer survives all that", consumer.running(), consumer.output())
    fail_once(stage, promises, consumer)
    promises.check("each order was shipped exactly once", shipped(stage) == PLACED, shipped(stage))
    statuses = dict(stage.sql("SELECT id, status FROM msg_log"))
    expected = {**{message_id: 3 for message_id in ids.values()}, "poison-1": 1, "poison-2": 1}
    promises.check("receipts are given for what was consumed, and for nothing else", statuses == expected, statuses)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sidecar", "work", "producer", "consumer"):
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    promises = Promises()
    with Stage(options.sidecar, options.work) as stage:
        ids = consume_unheard(stage, promises, options.consumer, lambda: produce(stage, promises, options.producer))
        if ids:
            consume_again(stage, promises, options.consumer, ids)
        promises.check("the sidecar runs to the end", stage.sidecar.running(), stage.sidecar.output())
    print(f"{promises.kept} passed, {promises.broken} failed")
    sys.exit(promises.broken != 0)


if __name__ == "__main__":
    main()
