"""Servers that mean harm, and secrets. The sidecar neither ends nor grows, and afterwards goes on as if nothing had been.
That no log has a password in it is looked at after every scenario (stage.py)."""
import os
import subprocess

from hostile import AMQP_TRICKS, DATABASE_TRICKS, HostileBroker, HostileDatabase
from registry import scenario
from stage import PASSWORD, WHEN_CUT, Failed

MAY_GROW = 48  # MiB: buffers of the size of the largest frame or packet, but not what is sent without end


def memory(sidecar):
    with open(f"/proc/{sidecar.pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM:"))


def suffer(stage, sidecar, server, tricks, seconds):
    before = memory(sidecar)
    for name, trick in tricks:
        server.trick = trick
        server.played = 0
        server.cut()
        stage.fault(WHEN_CUT)
        stage.wait(lambda: server.played >= 1, f"a connection, for: {name}")
        stage.pause(seconds)
        if not sidecar.runs():
            raise Failed(f"the sidecar has ended, by: {name}")
        if (grown := memory(sidecar) - before) > MAY_GROW:
            raise Failed(f"it has grown by {grown} MiB, by: {name}")
    server.trick = None
    server.cut()


@scenario("broker-hostile", f"a broker that plays {len(AMQP_TRICKS)} tricks: bad frames, absurd limits, endless bodies")
def broker_hostile(stage):
    server = stage.keep(HostileBroker(stage.servers.amqp_port))
    sidecar = stage.sidecar(amqp_port=server.port)
    stage.begin(per_second=30)
    suffer(stage, sidecar, server, AMQP_TRICKS.items(), 0.5)
    stage.mended()


@scenario("database-hostile", "a database server that asks for our files, or talks nonsense")
def database_hostile(stage):
    server = stage.keep(HostileDatabase(stage.servers.mysql_port))
    sidecar = stage.sidecar(mysql_port=server.port)
    stage.begin(per_second=30)
    suffer(stage, sidecar, server, [(each, each) for each in DATABASE_TRICKS], 2)
    with open("/etc/passwd", "rb") as file:
        if any(line in server.received for line in file.read().splitlines() if line):
            stage.problems.append("it has sent a file")
    stage.mended()


@scenario("secrets", "a password from the url, a file and the environment, in every command and with every refusal")
def secrets(stage):
    file = f"{stage.folder}/password"
    with open(file, "w", encoding="utf-8") as out:
        out.write(PASSWORD)
    here = {"database.url": f"mysql://{stage.user}@127.0.0.1:{stage.servers.mysql_port}/{stage.database}",
            "broker.urls": [f"amqp://{stage.user}@127.0.0.1:{stage.servers.amqp_port}/"]}
    refused = {**here, "database.url": here["database.url"].replace(stage.user, "nobody", 1)}
    nowhere = {"database.url": "mysql://u@127.0.0.1:1/x", "broker.urls": ["amqp://u@127.0.0.1:1/"]}
    faulty = {**here, "retry.initial": "soon"}
    said = 0
    for number, changes in enumerate((here, refused, nowhere, faulty)):
        for way in ("url", "file", "environment"):
            environment = dict(os.environ)
            given = {**changes, "database.password": "", "relay.drain_timeout": "1s"}
            if way == "url":
                given["database.url"] = changes["database.url"].replace("@", f":{PASSWORD}@", 1)
                given["broker.urls"] = [each.replace("@", f":{PASSWORD}@", 1) for each in changes["broker.urls"]]
            elif way == "file":
                given |= {"database.password_file": file, "broker.password_file": file}
            else:
                environment |= {"OUTBOX_DATABASE_PASSWORD": PASSWORD, "OUTBOX_BROKER_PASSWORD": PASSWORD}
            config = stage.write_config(f"secrets-{number}-{way}", given)
            for command in ("check", "doctor", "status", "migrate", "run"):
                process = subprocess.Popen([stage.program, "--config", config, "--set", "log.level=trace", command],
                                           env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                with open(f"/proc/{process.pid}/cmdline", "rb") as line:
                    output = line.read()
                try:
                    output += process.communicate(timeout=0.5 if command == "run" else 15)[0]
                except subprocess.TimeoutExpired:
                    process.terminate()
                    output += process.communicate(timeout=15)[0]
                said += len(output)
                if PASSWORD.encode() in output:
                    stage.problems.append(f"{command} shows the password that the {way} gives")
    if said < 5_000:
        raise Failed("hardly anything was said")
    # And then all is as usual.
    stage.sidecar()
    stage.begin()
    stage.mended()
