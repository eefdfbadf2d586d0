"""Plays the scenarios one after the other, and prints what the audit of each found."""
import argparse
import json
import pathlib
import random
import shutil
import sys
import tempfile
import time
import traceback

import scenarios
from servers import Servers
from stage import Failed, Stage, TooLate

COLUMNS = ["attempted", "committed", "rolled_back", "delivered", "lost", "rolled_back_seen", "duplicated",
           "duplicates_allowed", "recovered_ms"]
FORMAT = "{:<30}" + " {:>9}" * 2 + " {:>11} {:>9} {:>5} {:>16} {:>10} {:>18} {:>12}  {}"


def read_arguments():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="SCENARIO")
    arguments.add_argument("--program", required=True)
    arguments.add_argument("--private-servers", required=True)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--clusters", action="store_true")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--json", metavar="FILE")
    arguments.add_argument("--keep", action="store_true")
    options = arguments.parse_args()
    unknown = [name for name in options.names if name not in scenarios.ALL]
    if unknown:
        arguments.error(f"no scenario {' '.join(unknown)}: see --list")
    if not options.names:
        options.names = [name for name, each in scenarios.ALL.items()
                         if (each.servers is not Servers) == options.clusters]
    return options


def play(name, servers, options, folder, again=""):
    """The figures, what is wrong, and whether it is nothing but that something took too long."""
    stage = None
    try:
        servers.make_ready()
        stage = Stage(name + again, servers, options.program, options.seed, options.kills, f"{folder}/{name}{again}")
        scenarios.ALL[name].play(stage)
        return stage.finish(), stage.problems + stage.late, not stage.problems
    except Exception as error:  # also a fault of the suite itself fails the scenario, not the others
        if not isinstance(error, Failed):
            traceback.print_exc()
        if stage:
            stage.abandon()
        only_late = isinstance(error, TooLate) and not stage.problems
        problems = stage.problems + stage.late if stage else []
        result = {"scenario": name + again, "seed": options.seed, **dict.fromkeys(COLUMNS, 0), "ok": False}
        return result, [*problems, f"{type(error).__name__}: {error}"], only_late


class Standing:
    """The servers that the last scenario was played on, as long as the next one wants the same."""

    def __init__(self, tool, folder):
        self._tool = tool
        self._folder = folder
        self._servers = None

    def wanted_by(self, scenario):
        if type(self._servers) is not scenario.servers:
            self.end()
            self._servers = scenario.servers(self._tool, f"{self._folder}/{scenario.servers.__name__.lower()}")
        return self._servers

    def end(self):
        if self._servers:
            self._servers.stop_all()
        self._servers = None


def play_and_tell(name, servers, options, folder, again=""):
    began = time.monotonic()
    result, problems, only_late = play(name, servers, options, folder, again)
    verdict = "ok" if result["ok"] else "FAILED: " + "; ".join(problems)
    print(FORMAT.format(name + again, *[result[each] for each in COLUMNS],
                        f"{verdict} ({time.monotonic() - began:.0f} s)"), flush=True)
    if not result["ok"]:
        end_of_logs(pathlib.Path(folder, name + again))
    # What is lost stays lost; but what took too long, on a machine that has other things to do, gets a second chance.
    if not result["ok"] and only_late and not again:
        print(f"!!! {name} WAS TOO SLOW ({'; '.join(problems)}): PLAYED A SECOND TIME", flush=True)
        return play_and_tell(name, servers, options, folder, "-again")
    return result


def end_of_logs(folder):
    for file in sorted(folder.glob("*.log")):
        print(f"    {file.name}:")
        for line in file.read_text(errors="replace").splitlines()[-8:]:
            print(f"      {line}")


def main():
    options = read_arguments()
    if options.list:
        for name, scenario in scenarios.ALL.items():
            print(f"{name:<30} {scenario.what}")
        return 0
    folder = tempfile.mkdtemp(prefix="outbox-fault.")
    standing = Standing(options.private_servers, folder)
    results = []
    try:
        print(f"seed {options.seed}")
        print(FORMAT.format("scenario", *COLUMNS, ""), flush=True)
        for name in options.names:
            results.append(play_and_tell(name, standing.wanted_by(scenarios.ALL[name]), options, folder))
    finally:
        standing.end()
        if options.keep:
            print(f"logs: {folder}")
        else:
            shutil.rmtree(folder)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump(results, out, indent=1)
    passed = sum(each["ok"] for each in results)
    print(f"seed {options.seed}")
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
