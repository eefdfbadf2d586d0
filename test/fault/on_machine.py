"""Faults of the machine that the sidecar runs on."""
import contextlib
import os
import resource
import subprocess
import threading

from registry import scenario
from stage import WHEN_CUT, WHEN_KILLED

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
# As a real clock is set: time that is measured, rather than told, goes on as before.
SET_CLOCK = {"LD_PRELOAD": FAKETIME, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


@scenario("clock-ahead", "the sidecar's clock is an hour ahead of the database's")
def clock_ahead(stage):
    stage.sidecar(environment={**SET_CLOCK, "FAKETIME": "+3600s"})
    stage.begin()
    stage.goes_on(200)


@scenario("clock-behind", "the sidecar's clock is an hour behind")
def clock_behind(stage):
    stage.sidecar(environment={**SET_CLOCK, "FAKETIME": "-3600s"})
    stage.begin()
    stage.goes_on(200)


@scenario("clock-stepped", "the sidecar's clock is set forward and back by an hour, while it runs")
def clock_stepped(stage):
    clock = f"{stage.folder}/clock"

    def step(offset):
        with open(clock + ".new", "w", encoding="utf-8") as file:
            file.write(offset)
        os.replace(clock + ".new", clock)

    step("+0s")
    sidecar = stage.sidecar(environment={**SET_CLOCK, "FAKETIME_TIMESTAMP_FILE": clock})
    stage.begin()
    for offset in ("+3600s", "-3600s", "+0s"):
        step(offset)
        stage.goes_on(100)
    stage.mended()
    if sidecar.count("broker_down") + sidecar.count("lane_lost"):
        stage.problems.append("setting the clock cost a connection or a lane")


@contextlib.contextmanager
def small_disk(stage):
    folder = f"{stage.folder}/disk"
    os.mkdir(folder)
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*as_root, "umount", "-l", folder], check=True)


@scenario("log-disk-full", "no room is left for the log, for a while")
def log_disk_full(stage):
    with small_disk(stage) as disk:
        log = f"{disk}/sidecar.log"
        proxy = stage.amqp_proxy()
        sidecar = stage.sidecar({"log.level": "debug"}, log=log, amqp_port=proxy.port)
        stage.begin()
        with open(f"{disk}/filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 512)
        # Something to say about it.
        for _ in range(3):
            proxy.cut()
            stage.fault(WHEN_CUT)
            stage.goes_on()
        before = sidecar.count("broker_down")
        os.remove(f"{disk}/filler")
        proxy.cut()
        stage.fault(WHEN_CUT)
        stage.mended()
        stage.wait(lambda: sidecar.count("broker_down") > before, "the log goes on when there is room again")
        stage.finish_early()


@scenario("log-stalled", "nobody reads the log for a while, and its pipe is full")
def log_stalled(stage):
    pipe = f"{stage.folder}/pipe"
    os.mkfifo(pipe)
    keep_open = os.open(pipe, os.O_RDWR)
    proxy = stage.amqp_proxy()
    stage.sidecar(log=pipe, amqp_port=proxy.port)
    stage.begin()
    os.set_blocking(keep_open, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(keep_open, b"x" * 512)
    proxy.cut()
    stage.fault(WHEN_CUT)
    stage.pause(3)  # also past the lease
    stage.fault(WHEN_CUT)
    reading = threading.Thread(target=read_on, args=(keep_open,), daemon=True)
    os.set_blocking(keep_open, True)
    reading.start()
    stage.mended()


def read_on(descriptor):
    while os.read(descriptor, 65536):
        pass


@scenario("descriptors-used-up", "every connection is lost when not one more descriptor may be opened, for a while")
def descriptors_used_up(stage):
    amqp, mysql = stage.amqp_proxy(), stage.mysql_proxy()
    sidecar = stage.sidecar(amqp_port=amqp.port, mysql_port=mysql.port)
    stage.begin()
    limits = resource.prlimit(sidecar.pid, resource.RLIMIT_NOFILE)
    # The descriptors of the connections are free to be used again; those below them are not.
    resource.prlimit(sidecar.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    amqp.cut()
    mysql.cut()
    stage.fault(WHEN_CUT)
    stage.wait(lambda: sidecar.count("broker_down") and sidecar.count("database_down"), "it can't connect")
    stage.pause(2)
    resource.prlimit(sidecar.pid, resource.RLIMIT_NOFILE, limits)
    stage.mended()


def memory_of(pid):
    """Bytes that it could write to, as RLIMIT_DATA counts them."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))


@scenario("memory-used-up", "no more memory is to be had, when messages become large: it lives on, or says why it ends")
def memory_used_up(stage):
    sidecar = stage.sidecar()
    stage.begin(per_second=60, padding=100)
    for number in range(5):
        limits = resource.prlimit(sidecar.pid, resource.RLIMIT_DATA)
        resource.prlimit(sidecar.pid, resource.RLIMIT_DATA, (memory_of(sidecar.pid), limits[1]))
        large = "x" * 3_000_000
        with contextlib.closing(stage.connect()) as connection:
            stage.write([(f"large-{number}-{row}", "classic") for row in range(5)], connection, padding=large)
            connection.commit()
        stage.fault(WHEN_KILLED)
        stage.pause(1)
        if sidecar.runs():
            resource.prlimit(sidecar.pid, resource.RLIMIT_DATA, limits)
        else:  # whoever looks after it starts it again
            if sidecar.process.returncode != 70 or not sidecar.count("internal_error"):
                stage.problems.append(f"it ended without a word, with {sidecar.process.returncode}")
            sidecar.start()
    if not sidecar.count("database_down") + sidecar.count("internal_error"):
        stage.problems.append("it had memory enough")
    stage.mended()
