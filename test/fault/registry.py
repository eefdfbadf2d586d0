"""The table of scenarios, in the order in which they are played."""
from typing import Callable, NamedTuple


class Scenario(NamedTuple):
    what: str
    play: Callable


ALL = {}


def scenario(name, what):
    def enter(play):
        ALL[name] = Scenario(what, play)
        return play

    return enter
