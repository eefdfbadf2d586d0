"""What holds with a Galera cluster of three nodes. The application writes to the second one."""
import contextlib
import itertools
import threading

import pymysql

from clusters import Galera
from proxy import MysqlProxy
from registry import scenario

RETURNED_WITHIN = 30.0


class EveryNode(MysqlProxy):
    """Gives each connection another node, as a balancer does."""

    def __init__(self, targets):
        self._targets = itertools.cycle(targets)
        super().__init__(None)

    def choose(self):
        return next(self._targets)


@scenario("galera-node-killed", "kill -9 of the node that the sidecar is at; it goes on at another one: nothing twice",
          Galera)
def node_killed(stage):
    stage.drained_within = RETURNED_WITHIN
    proxy = stage.keep(MysqlProxy(stage.servers.port("galera1")))
    stage.sidecar(mysql_port=proxy.port)
    stage.begin()
    stage.servers.kill("galera1")
    proxy.target = stage.servers.port("galera3")
    proxy.cut()
    stage.mended()


@scenario("galera-every-node", "two replicas whose connections are spread over all nodes, one of which lags at times: "
          "nothing twice", Galera)
def every_node(stage):
    proxy = stage.keep(EveryNode([stage.servers.port(name) for name in stage.servers.DATABASES]))
    for _ in range(2):
        stage.sidecar({"relay.lanes": 4, "relay.lease": "10s"}, mysql_port=proxy.port)
    stage.begin()
    for name in ("galera3", "galera1", "galera3"):
        with stage.servers.lagging(name):
            stage.pause(1)
        stage.goes_on()
    stage.mended()
    stage.expect_finding("Galera", "ok")


@scenario("galera-conflicts", "somebody changes, at another node, the rows that are being settled: nothing twice",
          Galera)
def conflicts(stage):
    stage.sidecar(mysql_port=stage.servers.port("galera1"))
    stage.begin()
    over = threading.Event()

    def interfere():
        with contextlib.closing(stage.connect(stage.servers.port("galera3"), autocommit=True)) as other:
            while not over.is_set():
                with contextlib.suppress(pymysql.err.Error), other.cursor() as cursor:
                    cursor.execute("UPDATE msg_log SET update_time = update_time + 1 ORDER BY create_time DESC "
                                   "LIMIT 20")

    def lost():
        return sum(int(stage.servers.status(name, variable)) for name in ("galera1", "galera3")
                   for variable in ("local_cert_failures", "local_bf_aborts"))

    others = [threading.Thread(target=interfere) for _ in range(2)]
    for each in others:
        each.start()
    try:
        stage.goes_on(400, RETURNED_WITHIN)
        stage.wait(lambda: lost() > 10, "transactions lose against others", RETURNED_WITHIN)
    finally:
        over.set()
        for each in others:
            each.join()
    stage.mended()


@scenario("galera-minority", "the sidecar's node without the two others, which are frozen: it waits, then goes on",
          Galera)
def minority(stage):
    stage.drained_within = RETURNED_WITHIN
    stage.servers.writer = "galera1"
    sidecar = stage.sidecar()
    stage.begin()
    with stage.servers.frozen("galera2", "galera3"):
        stage.wait(lambda: sidecar.count("database_down"), "the sidecar notices", RETURNED_WITHIN)
        stage.pause(2)
    stage.wait(lambda: stage.servers.status("galera1", "ready") == "ON", "they find each other", RETURNED_WITHIN)
    stage.mended()
