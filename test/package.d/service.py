"""Runs an installed outbox-sidecar by its unit, in systemd's place, and fails unless a message is relayed and systemd
would have been told: READY=1, WATCHDOG=1, RELOADING=1 and READY=1 again, STOPPING=1.

    service.py SYSTEM [COMMAND…]   SYSTEM: the folder it is installed in; COMMAND: what runs a program of it, chroot say
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pika
import pymysql

PATIENCE = 30  # seconds


def unit_of(system):
    """The unit's assignments; of those that are repeated, the last."""
    with open(f"{system}/usr/lib/systemd/system/outbox-sidecar.service") as text:
        return dict(re.findall(r"^(\w+)=(.*)$", text.read(), re.M))


def configure(system):
    """Over what is installed: the servers of the test. A password comes by a file, as in production."""
    folder = f"{system}/etc/outbox-sidecar"
    with open(f"{folder}/secrets/db-password", "w") as file:
        file.write("outbox\n")
    amqp = os.environ["OUTBOX_TEST_AMQP_URL"]
    inside = "/etc/outbox-sidecar/secrets" if len(sys.argv) > 2 else f"{folder}/secrets"
    with open(f"{folder}/sidecar.yaml", "w") as file:
        json.dump({"database": {"url": f"mysql://outbox@127.0.0.1:{os.environ['OUTBOX_TEST_MYSQL_PORT']}/shop",
                                "password_file": f"{inside}/db-password"},
                   "broker": {"urls": [amqp]},
                   "topology": {"queues": [{"name": "package-test"}]}}, file)


class Manager:
    def __init__(self):
        self.name = f"@outbox-package-{os.getpid()}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + self.name[1:])
        self.socket.settimeout(0.5)

    def hears(self, wanted, of):
        """Waits for an assignment that begins so."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                lines = self.socket.recv(4096).decode().split("\n")
            except TimeoutError:
                if of.poll() is not None:
                    break
                continue
            print("told:", *lines)
            if any(line.startswith(wanted) for line in lines):
                return
        raise SystemExit(f"{wanted} was never told; exit code {of.poll()}")


def place_message():
    with pymysql.connect(host="127.0.0.1", port=int(os.environ["OUTBOX_TEST_MYSQL_PORT"]), user="outbox",
                         password="outbox", database="shop") as shop, shop.cursor() as cursor:
        cursor.execute("INSERT INTO msg_log (msg, exchange, routing_key) VALUES ('\"packed\"', '', 'package-test')")
        shop.commit()


def take_message():
    broker = pika.BlockingConnection(pika.URLParameters(os.environ["OUTBOX_TEST_AMQP_URL"].rstrip("/") + "/%2f"))
    channel = broker.channel()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        _, _, body = channel.basic_get("package-test", auto_ack=True)
        if body is not None:
            broker.close()
            return body
        time.sleep(0.05)
    raise SystemExit("no message arrived")


def main():
    system, inside = sys.argv[1], sys.argv[2:]
    unit = unit_of(system)
    assert unit["Type"] == "notify", unit
    configure(system)
    command = unit["ExecStart"].split()
    if not inside:  # the folder is no whole system: its paths are here
        command = [system + word if word.startswith("/") else word for word in command]
    subprocess.run([*inside, *command[:-1], "migrate"], check=True)
    manager = Manager()
    usec = str(int(unit["WatchdogSec"]) * 1_000_000)
    service = subprocess.Popen([*inside, *command], env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": usec,
                                                         "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    try:
        manager.hears("READY=1", service)
        manager.hears("WATCHDOG=1", service)
        manager.hears("STATUS=ready to relay", service)
        place_message()
        assert take_message() == b'"packed"'
        service.send_signal(signal.SIGHUP)
        manager.hears("RELOADING=1", service)
        manager.hears("READY=1", service)
        service.terminate()
        manager.hears("STOPPING=1", service)
        code = service.wait(PATIENCE)
        assert code == 0, f"exit code {code}"
    finally:
        if service.poll() is None:
            service.kill()


main()
