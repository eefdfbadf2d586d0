"""Faults of a RabbitMQ of three nodes, all of which the sidecar is told in broker.urls."""
import re

from clusters import RabbitCluster
from on_broker import refused
from registry import scenario
from stage import Failed, WHEN_CUT

# For a node to come back, and its queues with it, on a machine that runs all three.
RETURNED_WITHIN = 40.0


def begin(stage):
    stage.drained_within = RETURNED_WITHIN
    sidecar = stage.sidecar()
    stage.begin()
    stage.pause(3)  # a quorum queue of RabbitMQ 3.10 does not survive a kill in its first second
    return sidecar


def connected(stage, sidecar):
    """The node that the sidecar has found last."""
    last = [each for each in sidecar.events() if each["event"] == "broker_up"][-1]
    return stage.servers.node_of(int(re.search(r":(\d+)", last["broker"])[1]))


def others(stage, *nodes):
    return [each for each in stage.servers.NODES if each not in nodes]


def await_failover(stage, sidecar, node):
    stage.wait(lambda: connected(stage, sidecar) != node, "the sidecar finds another node", RETURNED_WITHIN)


@scenario("cluster-leader-killed", "kill -9 of the node that leads the quorum queue; it comes back later",
          RabbitCluster)
def leader_killed(stage):
    begin(stage)
    leader = stage.servers.leader(stage.queue("quorum"), "rabbit1")
    stage.servers.kill(leader)
    stage.fault(WHEN_CUT)
    stage.goes_on(100, RETURNED_WITHIN)  # without that node
    stage.servers.start(leader)
    stage.mended()


@scenario("cluster-home-killed", "kill -9 of the node that the sidecar is at, and that has the classic queue and leads "
          "the other one: the classic queue's messages are refused until it is back, the others go on", RabbitCluster)
def home_killed(stage):
    stage.drained_within = RETURNED_WITHIN
    home = stage.servers.leader(stage.queue("quorum"), "rabbit1")
    if home != stage.servers.leader(stage.queue("classic"), "rabbit1"):
        raise Failed("the queues are at different nodes")
    sidecar = stage.sidecar()
    stage.wait(lambda: sidecar.count("broker_up"), "it connects")
    while connected(stage, sidecar) != home:  # it takes any of them
        sidecar.stop()
        before = sidecar.count("broker_up")
        sidecar.start()
        stage.wait(lambda: sidecar.count("broker_up") > before, "it connects")
    stage.begin()
    stage.servers.kill(home)
    stage.fault(WHEN_CUT)
    stage.wait(refused(stage, "312"), "messages are returned", RETURNED_WITHIN)
    # It has connected before there was another leader, and RabbitMQ 3.10 nacks all that comes over such a channel.
    stage.goes_on(300, RETURNED_WITHIN)
    stage.servers.start(home)
    stage.mended()


@scenario("cluster-node-stopped", "the node that the sidecar is at stopped in good order; it takes another one",
          RabbitCluster)
def node_stopped(stage):
    sidecar = begin(stage)
    node = connected(stage, sidecar)
    stage.servers.stop(node)
    stage.fault(WHEN_CUT)
    await_failover(stage, sidecar, node)
    stage.goes_on(100, RETURNED_WITHIN)
    stage.servers.start(node)
    stage.mended()


@scenario("cluster-node-frozen", "SIGSTOP of the node that the sidecar is at, until the others give it up; SIGCONT",
          RabbitCluster)
def node_frozen(stage):
    sidecar = begin(stage)
    node = connected(stage, sidecar)
    with stage.servers.frozen(node):
        # With its connection, and again as long as the others still wait for that node.
        stage.fault(WHEN_CUT, times=3)
        await_failover(stage, sidecar, node)
        stage.goes_on(100, RETURNED_WITHIN)
    stage.mended()


@scenario("cluster-rolling-restart", "all three nodes stopped and started again, one after the other", RabbitCluster)
def rolling_restart(stage):
    begin(stage)
    for node in stage.servers.NODES:
        stage.servers.stop(node)
        stage.fault(WHEN_CUT)
        stage.servers.start(node)
        stage.goes_on(100, RETURNED_WITHIN)
    stage.mended()


@scenario("cluster-majority-lost", "kill -9 of two nodes: the third pauses, and nothing is taken until they are back",
          RabbitCluster)
def majority_lost(stage):
    sidecar = begin(stage)
    left = connected(stage, sidecar)
    for node in others(stage, left):
        stage.servers.kill(node)
    stage.fault(WHEN_CUT)
    stage.wait(lambda: sidecar.count("broker_down"), "the sidecar is told", RETURNED_WITHIN)
    stage.pause(1)  # for what had been confirmed before that
    before = stage.delivered()
    stage.pause(2)
    if stage.delivered() != before:
        stage.problems.append("one node of three took messages")
    stage.servers.start(*others(stage, left))
    stage.mended()
