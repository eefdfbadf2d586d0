"""Runs the classic pattern beside the sidecar, and says which of its promises hold."""
import argparse
import json
import signal
import sys

from proxy import Proxy
from stage import Promises, Stage

LEAD_SECONDS = 5
PUBLISHED = [1, 2, 3, 4, 5, 6]  # by the shop itself
UNREACHABLE = [7, 8, 9]  # placed while the shop can't reach the broker
KILLED = [10]  # placed by a shop that is killed before it has published
UNMARKED = [11]  # placed by a shop that is killed before it hears that its message is confirmed
AFTERWARDS = [12]  # due after all the others
EVERYTHING = [*PUBLISHED, *UNREACHABLE, *KILLED, *UNMARKED, *AFTERWARDS]

BASIC_ACK = b"\x00\x3c\x00\x50"


class Shop:
    """The example, and what became of its orders."""

    def __init__(self, stage, command):
        self._stage = stage
        self._command = command

    def place(self, orders, url):
        command = f"{self._command} {' '.join(map(str, orders))}"
        return self._stage.start(command, f"shop-{orders[0]}.log", AMQP_URL=url, LEAD_SECONDS=str(LEAD_SECONDS))

    def place_and_kill(self, orders, proxy, reached):
        shop = self.place(orders, proxy.url(self._stage.amqp))
        self._stage.wait(reached, 20)
        shop.end(signal.SIGKILL)
        proxy.close()

    def rows(self):
        """(status, next_try_time) by order."""
        rows = self._stage.sql("SELECT msg, status, next_try_time FROM msg_log")
        return {json.loads(body)["order"]: (status, due) for body, status, due in rows}

    def copies(self, orders):
        """What the witness has seen of them, as (order, id, in time): in time is before its next_try_time."""
        rows, seen = self.rows(), []
        for message in self._stage.messages:
            order = json.loads(message.body)["order"]
            if order in orders:
                seen.append((order, message.id, message.arrived < rows[order][1]))
        return sorted(seen)


def place_all(stage, promises, shop):
    reached, unreached = stage.amqp.geturl(), "amqp://guest:guest@127.0.0.1:1/"
    with_broker, without_broker = shop.place(PUBLISHED, reached), shop.place(UNREACHABLE, unreached)
    codes = with_broker.exit_code(20), without_broker.exit_code(20)
    promises.check("orders are placed with a broker and without", codes == (0, 0),
                   codes, with_broker.output(), without_broker.output())
    promises.check("without, they are left to the sidecar", without_broker.count("left to the sidecar") == 3,
                   without_broker.output())

    deaf = Proxy(stage.amqp.hostname, stage.amqp.port)
    deaf.hold("up")
    shop.place_and_kill(KILLED, deaf, lambda: KILLED[0] in shop.rows())
    unheard = Proxy(stage.amqp.hostname, stage.amqp.port)
    unheard.hold_at("down", BASIC_ACK)
    shop.place_and_kill(UNMARKED, unheard, lambda: shop.copies(UNMARKED))

    statuses = {order: status for order, (status, _) in shop.rows().items()}
    promises.check("the shop has marked what it saw confirmed, and only that",
                   statuses == {order: int(order in PUBLISHED) for order in EVERYTHING if order not in AFTERWARDS},
                   statuses)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sidecar", "work", "shop"):
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    promises = Promises()
    with Stage(options.sidecar, options.work) as stage:
        shop = Shop(stage, options.shop)
        place_all(stage, promises, shop)
        stage.sql("INSERT INTO msg_log (msg, exchange, routing_key, next_try_time) VALUES (%s, 'orders',"
                  " 'order.created', (UNIX_TIMESTAMP() + %s) * 1000)", json.dumps({"order": 12}), LEAD_SECONDS + 1)
        stage.wait(lambda: shop.copies(AFTERWARDS), 30)

        copies = shop.copies(PUBLISHED)
        promises.check("what was published and marked came at once and is not sent again",
                       [(order, early) for order, _, early in copies] == [(order, True) for order in PUBLISHED], copies)
        copies = shop.copies(UNREACHABLE + KILLED)
        promises.check("what was not published comes from the sidecar, once, and not before its time",
                       [(order, early) for order, _, early in copies]
                       == [(order, False) for order in UNREACHABLE + KILLED], copies)
        copies = shop.copies(UNMARKED)
        promises.check("what was published and not marked comes twice, under one id",
                       [early for _, _, early in copies] == [False, True] and len({one[1] for one in copies}) == 1,
                       copies)
        promises.check("in the end every message is delivered",
                       stage.wait(lambda: {status for status, _ in shop.rows().values()} == {1}, 10)
                       and sorted(shop.rows()) == EVERYTHING, shop.rows())
        promises.check("the sidecar runs to the end", stage.sidecar.running(), stage.sidecar.output())
    print(f"{promises.kept} passed, {promises.broken} failed")
    sys.exit(promises.broken != 0)


if __name__ == "__main__":
    main()
