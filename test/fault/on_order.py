"""Faults while order by key is promised: the audit looks at the order of every queue as well. Beside each fault the
queues are unbound for a moment, so that messages wait for their retry while later ones of their key come."""
import contextlib

from registry import scenario
from stage import WHEN_CUT, WHEN_KILLED

KEYS = 10  # of each producer


def replicas(stage, number, changes):
    stage.keep_order()
    return [stage.sidecar({"relay.ordered": True, **changes}) for _ in range(number)]


@contextlib.contextmanager
def unbound(stage):
    def each(do):
        with stage.servers.broker() as connection:
            for queue in stage.queues:
                getattr(connection.channel(), do)(stage.queue(queue), stage.exchange, queue)

    each("queue_unbind")
    stage.pause(0.1, 0.3)
    yield
    stage.pause(0.1, 0.3)
    each("queue_bind")


@scenario("ordered-killed", "three replicas, order by key, and kill -9 of one of them, again and again (--kills / 5)")
def killed(stage):
    all_of_them = replicas(stage, 3, {"relay.lanes": 4, "relay.lease": "1s"})
    stage.begin(order_keys=KEYS)
    for _ in range(max(1, stage.kills // 5)):
        victim = stage.chance.choice(all_of_them)
        with unbound(stage):
            victim.kill()
            stage.fault(WHEN_KILLED)
        victim.start()
        stage.pause(0.2, 1.2)
    stage.mended()


@scenario("ordered-frozen", "order by key, and SIGSTOP of a replica for longer than its lease; SIGCONT")
def frozen(stage):
    first, second = replicas(stage, 2, {"relay.lanes": 2, "relay.lease": "1s"})
    stage.begin(order_keys=KEYS)
    for each in (first, second, first):
        with unbound(stage):
            each.freeze()
            stage.fault(WHEN_KILLED)
        stage.pause(2.5)
        each.thaw()
        stage.goes_on()
    stage.mended()


@scenario("ordered-broker-killed", "order by key, two replicas, and kill -9 of the broker")
def broker_killed(stage):
    replicas(stage, 2, {"relay.lanes": 2})
    stage.begin(order_keys=KEYS)
    with unbound(stage):
        pass
    stage.pause(3)  # a quorum queue of RabbitMQ 3.10 does not survive a kill in its first second
    stage.servers.kill("rabbitmq")
    stage.fault(WHEN_CUT, 2)
    stage.pause(0.5)
    stage.servers.start("rabbitmq")
    with unbound(stage):
        pass
    stage.mended()


@scenario("ordered-connection-cut", "order by key, and connections to the broker that are cut, again and again")
def connection_cut(stage):
    stage.keep_order()
    proxy = stage.amqp_proxy()
    stage.sidecar({"relay.ordered": True}, amqp_port=proxy.port)
    stage.begin(order_keys=KEYS)
    for _ in range(10):
        with unbound(stage):
            proxy.cut()
            stage.fault(WHEN_CUT)
        stage.pause(0.1, 0.5)
    stage.mended()
