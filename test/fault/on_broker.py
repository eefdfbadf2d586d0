"""Faults of RabbitMQ, and of those who look after it."""
import contextlib
import time

import load
from registry import scenario
from stage import PASSWORD, WHEN_CUT


@scenario("broker-killed", "kill -9 of all its processes; started again after a while")
def killed(stage):
    stage.sidecar()
    stage.begin()
    stage.pause(3)  # a quorum queue of RabbitMQ 3.10 does not survive a kill in its first second
    stage.servers.kill("rabbitmq")
    stage.fault(WHEN_CUT)
    stage.pause(0.5)
    stage.servers.start("rabbitmq")
    stage.mended()


@scenario("broker-restarted", "stopped in good order and started again")
def restarted(stage):
    stage.sidecar()
    stage.begin()
    stage.servers.stop("rabbitmq")
    stage.fault(WHEN_CUT)
    stage.servers.start("rabbitmq")
    stage.mended()


@scenario("broker-frozen", "SIGSTOP for longer than two heartbeats, SIGCONT")
def frozen(stage):
    sidecar = stage.sidecar()
    stage.begin()
    with stage.servers.frozen("rabbitmq"):
        stage.fault(WHEN_CUT)
        stage.wait(lambda: sidecar.count("broker_down"), "the sidecar notices")
        # Each connection after it is one more that is half open when the broker goes on.
        stage.pause(1)
    stage.mended()


def alarm(stage, raise_it, end_it):
    sidecar = stage.sidecar()
    stage.begin()
    stage.servers.ctl(*raise_it)
    try:
        stage.wait(lambda: sidecar.count("broker_blocked"), "the sidecar is told")
        stage.pause(5)  # longer than broker.confirm_timeout, which counts for nothing now
    finally:
        stage.servers.ctl(*end_it)
    stage.mended()
    stage.wait(lambda: sidecar.count("broker_unblocked"), "the sidecar is told of its end")
    if sidecar.count("broker_down"):
        stage.problems.append("an alarm cost the connection")


@scenario("broker-memory-alarm", "the broker's memory alarm for longer than the confirm timeout")
def memory_alarm(stage):
    alarm(stage, ["set_vm_memory_high_watermark", "0.00001"], ["set_vm_memory_high_watermark", "0.4"])


@scenario("broker-disk-alarm", "the broker's disk alarm for longer than the confirm timeout")
def disk_alarm(stage):
    alarm(stage, ["set_disk_free_limit", "1000000000000000"], ["set_disk_free_limit", "50000000"])


@scenario("queue-full", "a queue that refuses what is over 50 messages, until somebody consumes them")
def queue_full(stage):
    full = stage.add_queue("full", {"x-max-length": 50, "x-overflow": "reject-publish"})
    stage.sidecar()
    stage.begin()
    stage.wait(lambda: stage.execute("SELECT COUNT(*) FROM msg_log WHERE status = 0 AND try_count > 1")[0][0] > 50,
               "messages are refused")
    with stage.consuming(full):
        stage.mended()
        stage.finish_early()


def refused(stage, text):
    return lambda: stage.execute("SELECT COUNT(*) FROM msg_log WHERE status = 0 AND last_error LIKE %s AND exchange = "
                                 "%s AND routing_key <> %s", f"%{text}%", stage.exchange, load.NOWHERE)[0][0] > 0


def bind(stage, channel):
    for queue in stage.queues:
        channel.queue_bind(stage.queue(queue), stage.exchange, queue)


@scenario("exchange-deleted", "the exchange deleted under load, and later declared and bound again")
def exchange_deleted(stage):
    stage.sidecar()
    stage.begin()
    with stage.servers.broker() as connection:
        channel = connection.channel()
        channel.exchange_delete(stage.exchange)
        # The closing channel voids the confirms of all that was on its way.
        stage.fault(WHEN_CUT)
        stage.wait(refused(stage, "404"), "messages are refused")
        connection.process_data_events()
        channel.exchange_declare(stage.exchange, "topic", durable=True)
        bind(stage, channel)
    stage.mended()


@scenario("binding-deleted", "the queues unbound under load, and bound again")
def binding_deleted(stage):
    stage.sidecar()
    stage.begin()
    with stage.servers.broker() as connection:
        channel = connection.channel()
        for queue in stage.queues:
            channel.queue_unbind(stage.queue(queue), stage.exchange, queue)
        stage.wait(refused(stage, "312"), "messages are returned")
        bind(stage, channel)
    stage.mended()


@scenario("queue-deleted", "a queue deleted under load in a moment when it is empty, and later declared again")
def queue_deleted(stage):
    sidecar = stage.sidecar()
    stage.begin()
    queue = stage.queue("classic")
    with stage.servers.broker() as connection:
        channel = connection.channel()
        # RabbitMQ confirms what is on its way to a queue that is being deleted. So nothing must be.
        sidecar.freeze()
        quiet_since = time.monotonic()
        while time.monotonic() < quiet_since + 0.3:
            method, properties, _ = channel.basic_get(queue, auto_ack=True)
            if method:
                stage.consumed[properties.message_id] += 1
                quiet_since = time.monotonic()
        channel.queue_delete(queue)
        sidecar.thaw()
        stage.wait(refused(stage, "312"), "messages are returned")
        channel.queue_declare(queue, durable=True)
        bind(stage, channel)
    stage.mended()


# To configure, write and read: all that publishing needs.
PUBLISHES = ("^$", ".*", "^$")


@contextlib.contextmanager
def account(stage, password):
    name = stage.name
    stage.servers.ctl("add_user", name, password)
    try:
        stage.servers.ctl("set_permissions", name, *PUBLISHES)
        yield name
    finally:
        stage.servers.ctl("delete_user", name)


@scenario("permissions-revoked", "the account's right to write is taken away, and given back")
def permissions_revoked(stage):
    with account(stage, PASSWORD) as user:
        proxy = stage.amqp_proxy()
        stage.sidecar(broker=f"amqp://{user}:{PASSWORD}@127.0.0.1:{proxy.port}/")
        stage.begin()
        stage.servers.ctl("set_permissions", user, "", "", ".*")
        proxy.cut()  # an open channel remembers what it was once allowed
        stage.fault(WHEN_CUT)
        stage.wait(refused(stage, "403"), "messages are refused")
        stage.pause(1)
        stage.fault(WHEN_CUT)  # each refusal ends a channel, but only what is allowed is ever confirmed
        stage.servers.ctl("set_permissions", user, *PUBLISHES)
        stage.mended()
        stage.finish_early()


@scenario("broker-password-changed", "the account gets another password, and the sidecar is told so by file and SIGHUP")
def password_changed(stage):
    with account(stage, PASSWORD + "1") as user:
        secret = f"{stage.folder}/password"
        with open(secret, "w", encoding="utf-8") as file:
            file.write(PASSWORD + "1")
        proxy = stage.amqp_proxy()
        sidecar = stage.sidecar({"broker.password_file": secret}, broker=f"amqp://{user}@127.0.0.1:{proxy.port}/")
        stage.begin()
        stage.servers.ctl("change_password", user, PASSWORD + "2")
        proxy.cut()
        stage.fault(WHEN_CUT)
        stage.wait(lambda: sidecar.count("broker_down", "ACCESS_REFUSED"), "the login is refused")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(PASSWORD + "2")
        sidecar.reload()
        stage.mended()
        stage.finish_early()
