"""Faults of the network between the sidecar and the broker."""
from proxy import TO_CLIENT, TO_SERVER
from registry import scenario
from stage import WHEN_CUT

FRAMES = 24       # of each direction, from the greeting through the handshake to the first messages and confirms
CUTS = 40         # chosen from all interesting bytes of those


@scenario("link-cut-at-every-byte", "the broker's connection cut before, inside and after each frame of either direction")
def cut_at_every_byte(stage):
    proxy = stage.amqp_proxy()
    stage.sidecar(amqp_port=proxy.port)
    stage.begin()
    link = proxy.newest()
    places = set()
    for way in (TO_SERVER, TO_CLIENT):
        ends = [0, *link.boundaries[way][:FRAMES]]
        for begin, end in zip(ends, ends[1:]):
            places |= {(way, begin + 1), (way, (begin + end) // 2), (way, end - 1), (way, end)}
    for way, offset in stage.chance.sample(sorted(places), min(CUTS, len(places))):
        reached = proxy.cut_at(way, offset)
        proxy.cut()
        stage.fault(WHEN_CUT, times=2)
        stage.wait(reached.is_set, f"byte {offset} of direction {way}")
    stage.mended()


@scenario("link-reset-in-confirm", "the broker's connection reset before, inside and after a confirm")
def reset_in_confirm(stage):
    proxy = stage.amqp_proxy()
    stage.sidecar(amqp_port=proxy.port)
    stage.begin()
    for sent in (0, 1, 7, 11, 20):
        proxy.reset_in_confirm = sent
        stage.wait(lambda: proxy.reset_in_confirm is None, "a confirm")
        stage.fault(WHEN_CUT)
        stage.goes_on(20)
    stage.mended()


@scenario("link-black-holed", "nothing passes, in either direction, and nobody says so")
def black_holed(stage):
    proxy = stage.amqp_proxy()
    sidecar = stage.sidecar(amqp_port=proxy.port)
    stage.begin()
    proxy.gate.clear()
    stage.fault(WHEN_CUT)
    stage.wait(lambda: sidecar.count("broker_down"), "the sidecar notices")
    stage.pause(1)
    # What was held back arrives in the end, also on the connections that were given up.
    proxy.gate.set()
    stage.mended()


@scenario("link-one-byte-at-a-time", "every byte in a packet of its own")
def one_byte_at_a_time(stage):
    proxy = stage.amqp_proxy()
    proxy.dribbling = True
    stage.sidecar(amqp_port=proxy.port)
    stage.begin(per_second=15)
    stage.goes_on(100)
    stage.mended()


@scenario("confirms-held-back", "everything passes but the confirms, for longer than the confirm timeout")
def confirms_held_back(stage):
    proxy = stage.amqp_proxy()
    sidecar = stage.sidecar(amqp_port=proxy.port)
    stage.begin()
    proxy.holding = True
    stage.pause(2)
    proxy.holding = False  # in time: all is as if nothing had been
    stage.goes_on()
    if sidecar.count("broker_down"):
        stage.problems.append("late confirms cost the connection")
    proxy.holding = True
    stage.wait(lambda: sidecar.count("broker_down"), "the sidecar gives up waiting")
    stage.fault(WHEN_CUT)
    proxy.holding = False
    stage.mended()
