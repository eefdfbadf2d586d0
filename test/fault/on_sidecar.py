"""Faults of the sidecar itself."""
from registry import scenario
from stage import WHEN_KILLED


@scenario("sidecar-killed", "three replicas, and kill -9 of one of them, again and again (--kills)")
def killed(stage):
    replicas = [stage.sidecar({"relay.lanes": 4, "relay.lease": "1s"}) for _ in range(3)]
    stage.begin()
    for _ in range(stage.kills):
        victim = stage.chance.choice(replicas)
        victim.kill()
        stage.fault(WHEN_KILLED)
        stage.pause(0, 0.2)
        victim.start()
        stage.pause(0, 0.6)
    stage.mended()


@scenario("sidecar-killed-alone", "the only sidecar killed and started again: it takes over from its own lease")
def killed_alone(stage):
    only = stage.sidecar({"relay.lease": "1s"})
    stage.begin()
    for _ in range(3):
        only.kill()
        stage.fault(WHEN_KILLED)
        only.start()
        stage.goes_on()
    stage.mended()


@scenario("sidecar-frozen", "SIGSTOP for longer than its lease, beside a standby that takes over; SIGCONT")
def frozen(stage):
    replicas = [stage.sidecar(), stage.sidecar()]
    stage.begin()
    holder = next(each for each in replicas if each.count("lane_taken"))
    other = next(each for each in replicas if each is not holder)
    holder.freeze()
    stage.fault(WHEN_KILLED)
    stage.wait(lambda: other.count("lane_taken"), "the standby takes over")
    stage.goes_on()
    holder.thaw()
    stage.wait(lambda: holder.count("lane_lost"), "it finds out")
    stage.mended()


@scenario("sidecar-frozen-alone", "SIGSTOP for longer than its lease, with nobody to take over; SIGCONT")
def frozen_alone(stage):
    only = stage.sidecar({"relay.lease": "1s"})
    stage.begin()
    only.freeze()
    stage.pause(2.5)
    only.thaw()
    stage.fault(WHEN_KILLED)  # the broker may have closed the connection, whose heartbeats failed to come
    stage.mended()


@scenario("rolling-restart", "three replicas stopped by SIGTERM and started again, one after the other: nothing twice")
def rolling_restart(stage):
    replicas = [stage.sidecar({"relay.lanes": 4}) for _ in range(3)]
    stage.begin()
    for each in replicas * 2:
        if (code := each.stop()) != 0:
            stage.problems.append(f"a stop ended with {code}")
        each.start()
        stage.goes_on()
    stage.mended()
