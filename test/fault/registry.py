"""The table of scenarios, in the order in which they are played."""
from typing import Callable, NamedTuple

from servers import Servers


class Scenario(NamedTuple):
    what: str
    play: Callable
    servers: type  # what it is played on


ALL = {}


def scenario(name, what, servers=Servers):
    def enter(play):
        ALL[name] = Scenario(what, play, servers)
        return play

    return enter
