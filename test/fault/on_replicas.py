"""What holds when a database fails over to its replica, and what does not. A proxy is the name that moves."""
import contextlib

import pymysql

from clusters import Replicas
from registry import scenario

FAILED_OVER_WITHIN = 30.0


def begin(stage):
    stage.drained_within = FAILED_OVER_WITHIN
    proxy = stage.mysql_proxy()
    sidecar = stage.sidecar(mysql_port=proxy.port)
    stage.begin()
    return proxy, sidecar


def move(stage, proxy):
    proxy.target = stage.servers.port("replica")
    proxy.cut()


@scenario("replica-promoted", "a planned switch: the primary read-only, the replica up to date, then promoted: "
          "nothing twice", Replicas)
def promoted(stage):
    proxy, sidecar = begin(stage)
    stage.expect_finding("binary log", "ok")
    stage.servers.ask("primary", "SET GLOBAL sync_binlog = 0")
    stage.expect_finding("binary log", "advice")
    stage.servers.ask("primary", "SET GLOBAL read_only = 1")
    stage.wait(lambda: sidecar.count("database_down", "read"), "the sidecar notices")
    # The stage writes as root, whom read_only does not stop; the application does not.
    stage.servers.catch_up()
    stage.servers.promote()
    move(stage, proxy)
    stage.mended()


def ids(stage, server, table, condition="1"):
    with contextlib.closing(stage.servers.root(stage.database, stage.servers.port(server))) as root:
        with root.cursor() as cursor:
            cursor.execute(f"SELECT id FROM {table} WHERE {condition}")
            return {name for name, in cursor.fetchall()}


@scenario("primary-lost-replica-behind", "kill -9 of the primary while the replica lags: what only the primary had is "
          "gone, what was settled only there comes twice, and nothing else", Replicas)
def primary_lost_replica_behind(stage):
    proxy, sidecar = begin(stage)
    # Written while the replica still follows, and settled when it no longer does.
    sidecar.freeze()
    stage.write([(f"both-{number:03}", "quorum") for number in range(80)])
    stage.wait(lambda: "both-079" in ids(stage, "replica", "orders"), "the replica follows")
    stage.servers.ask("replica", "STOP SLAVE IO_THREAD")
    sidecar.thaw()
    stage.wait(lambda: "both-079" in ids(stage, "primary", "msg_log", "status = 1"), "they are settled")
    stage.goes_on()
    stage.servers.kill("primary")
    stage.servers.promote()
    not_settled = ids(stage, "replica", "msg_log", "status = 0")
    move(stage, proxy)
    stage.mended()
    stage.goes_on()
    # The dead primary's disk says what the application had been told is committed.
    stage.servers.start("primary")
    gone = ids(stage, "primary", "orders") - ids(stage, "replica", "orders")
    if not gone:
        stage.problems.append("the replica did not lag")
    stage.gone |= gone
    twice = not_settled & ids(stage, "primary", "msg_log", "status = 1")
    if len(twice) < 80:
        stage.problems.append("the replica had heard of what was settled")
    stage.fault(len(twice))


@scenario("primary-lost-semi-sync", "kill -9 of the primary, semi-synchronous with AFTER_SYNC: nothing is gone",
          Replicas)
def primary_lost_semi_sync(stage):
    for name, value in (("master_timeout", 3_600_000), ("master_wait_point", "'AFTER_SYNC'"), ("master_enabled", 1)):
        stage.servers.ask("primary", f"SET GLOBAL rpl_semi_sync_{name} = {value}")
    stage.servers.ask("replica", "SET GLOBAL rpl_semi_sync_slave_enabled = 1")
    stage.servers.ask("replica", "STOP SLAVE IO_THREAD")
    stage.servers.ask("replica", "START SLAVE IO_THREAD")
    proxy, _ = begin(stage)
    [status] = stage.servers.ask("primary", "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_status'")
    if status["Value"] != "ON":
        stage.problems.append("it is not semi-synchronous")
    stage.expect_finding("semi-synchronous replication", "ok")
    stage.servers.ask("primary", "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_COMMIT'")
    stage.expect_finding("semi-synchronous replication", "advice")
    stage.servers.ask("primary", "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'")
    stage.goes_on()
    stage.servers.kill("primary")
    stage.servers.promote()
    move(stage, proxy)
    stage.mended()
