"""The quickstart's auditor: an AMQP client with no part in the relaying, which says what truly is in the queues.

It reads every message without acknowledging it, so that all are back in their queues when it leaves.
"""
import argparse
import collections
import json
import sys
import time

import pika

QUEUES = ["orders.created", "orders.paid"]


def connect(url):
    return pika.BlockingConnection(pika.URLParameters(url))


def wait_for_queues(url, seconds):
    """The sidecar declares the queues; this says when it has."""
    deadline = time.monotonic() + seconds
    connection = connect(url)
    missing = list(QUEUES)
    while missing:
        try:
            connection.channel().queue_declare(missing[0], passive=True)
            missing.pop(0)
        except pika.exceptions.ChannelClosedByBroker:
            if time.monotonic() > deadline:
                sys.exit(f"the queue {missing[0]} was not declared within {seconds} s")
            time.sleep(0.05)
    connection.close()


def read_all(url, expected):
    """Yields each message of both queues, and ends when nothing came for a while: briefly, once all are there."""
    connection = connect(url)
    channel = connection.channel()
    bodies = []

    def take(_channel, _method, _properties, body):
        bodies.append(body)

    for queue in QUEUES:
        channel.basic_consume(queue, take)
    seen = -1
    while len(bodies) > seen:
        seen = len(bodies)
        quiet_until = time.monotonic() + (0.5 if seen >= expected else 5)
        while len(bodies) == seen and time.monotonic() < quiet_until:
            connection.process_data_events(time_limit=0.1)
        print(f"{len(bodies)}/{expected}", file=sys.stderr, flush=True)
    connection.close()
    return bodies


def audit(url, report_file):
    with open(report_file, encoding="utf-8") as file:
        report = json.load(file)
    committed, rolled_back = set(report["committed"]), set(report["rolled_back"])
    copies = collections.Counter(json.loads(body)["order"] for body in read_all(url, len(committed)))
    return {
        "committed": len(committed),
        "rolled_back": len(rolled_back),
        "found": len(committed & copies.keys()),
        "rolled_back_seen": len(copies.keys() - committed),
        "duplicates": sum(copies.values()) - len(copies),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("url", help="amqp://…")
    what = arguments.add_mutually_exclusive_group(required=True)
    what.add_argument("--wait", type=float, metavar="SECONDS", help="wait until the queues are declared")
    what.add_argument("--report", help="compare the queues with this file, which the shop wrote; prints figures")
    options = arguments.parse_args()
    if options.wait:
        wait_for_queues(options.url, options.wait)
    else:
        for name, figure in audit(options.url, options.report).items():
            print(f"{name}={figure}")


if __name__ == "__main__":
    main()
