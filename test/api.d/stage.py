"""What the tests of the API stand on: a sidecar with its table, a client that holds every answer against the
description, and verdicts."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse

import jsonschema
import pymysql
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 30  # seconds
DESCRIPTION = yaml.safe_load((ROOT / "sidecar/api/openapi.yaml").read_text(encoding="utf-8"))
METHODS = ("get", "post", "delete")


class Promises:
    """Says of each whether it holds, and counts."""

    def __init__(self):
        self.kept = self.broken = 0

    def check(self, promise, holds, *evidence):
        if holds:
            self.kept += 1
            print(f"  ok      {promise}", flush=True)
        else:
            self.broken += 1
            print(f"  FAILED  {promise}", *(f"\n          {one}" for one in evidence), flush=True)

    def equal(self, promise, found, expected):
        self.check(promise, found == expected, f"expected {expected!r}", f"found    {found!r}")


def eventually(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def operations():
    """(method, path, operation) of the description."""
    for path, item in DESCRIPTION["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def resolved(part):
    while "$ref" in part:
        found = DESCRIPTION
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def objection_to(method, pattern, status, content_type, body):
    """Why an answer is not as described; empty: it is."""
    responses = DESCRIPTION["paths"][pattern][method.lower()]["responses"]
    response = resolved(responses.get(str(status)) or responses["default"])
    content = response.get("content")
    if not content:
        return "a body" if body else ""
    kind = content_type.split(";")[0]
    if kind not in content:
        return f"{kind} is not described for {status}"
    if kind == "application/yaml":
        return ""
    schema = {**content[kind]["schema"], "components": DESCRIPTION["components"]}
    errors = jsonschema.Draft202012Validator(schema).iter_errors(json.loads(body))
    return "; ".join(f"{one.json_path}: {one.message}" for one in errors)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def detail(self):
        return self.json().get("detail", "")


class Client:
    """One way to ask. Keeps what it was told that is not as described."""

    def __init__(self, address, token=None, cookie=None, csrf=None, tls=None):
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.token, self.cookie, self.csrf, self.tls = token, cookie, csrf, tls
        self.objections = []
        self.asked = set()

    def ask(self, method, path, body=None, headers=None, query=None):
        """`path`: as in the description, below /api/v1, with the parameters as they are."""
        fields = dict(headers or {})
        if self.token:
            fields.setdefault("Authorization", f"Bearer {self.token}")
        if self.cookie:
            fields.setdefault("Cookie", self.cookie)
        if self.csrf:
            fields.setdefault("X-CSRF-Token", self.csrf)
        if body is not None:
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
            fields.setdefault("Content-Type", "application/json")
        target = path if path.startswith(("/api/", "/console/")) or path == "/" else "/api/v1" + path
        if query:
            target += "?" + urllib.parse.urlencode(query)
        kind = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=PATIENCE, **({"context": self.tls} if self.tls else {}))
        try:
            connection.request(method, target, body, fields)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        self._hold(method, target.split("?")[0].removeprefix("/api/v1"), answer)
        return answer

    def get(self, path, **query):
        return self.ask("GET", path, query=query)

    def _hold(self, method, path, answer):
        for pattern in sorted(DESCRIPTION["paths"], key=lambda one: one.count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]*", pattern), path) and method.lower() in DESCRIPTION["paths"][pattern]:
                objection = objection_to(method, pattern, answer.status, answer.headers.get("Content-Type", ""), answer.body)
                self.asked.add((method, pattern))
                if objection:
                    self.objections.append(f"{method} {path} {answer.status}: {objection}")
                return


class Sidecar:
    """The program with a table of its own, from start() to end()."""

    def __init__(self, program, work, name):
        self.program = program
        self.folder = pathlib.Path(work) / name
        self.folder.mkdir(parents=True)
        self.table = f"log_{name}"
        self.log = self.folder / "log"
        self.process = None
        self.settings = {
            "database": {"url": f"mysql://outbox:outbox@127.0.0.1:{os.environ['OUTBOX_TEST_MYSQL_PORT']}/shop",
                         "table": self.table},
            "broker": {"urls": [os.environ["OUTBOX_TEST_AMQP_URL"]]},
            "topology": {"queues": [{"name": f"api-{name}"}]},
            "relay": {"lease": "3s"},
            "retry": {"max_retries": 0},
            "receipts": {"overdue": "1h"},
            "log": {"format": "json"},
            "http": {"api": "127.0.0.1:0", "metrics": "127.0.0.1:0", "access": {}},
        }
        self.queue = f"api-{name}"
        self.database = pymysql.connect(host="127.0.0.1", port=int(os.environ["OUTBOX_TEST_MYSQL_PORT"]), user="outbox",
                                        password="outbox", database="shop", autocommit=True)

    def write(self):
        (self.folder / "sidecar.yaml").write_text(json.dumps(self.settings), encoding="utf-8")

    def file(self, name, text, mode=0o600):
        """As editors do it: another file under the same name."""
        path = self.folder / name
        new = self.folder / f"{name}.new"
        new.write_text(text, encoding="utf-8")
        new.chmod(mode)
        new.rename(path)
        return str(path)

    def run(self, *arguments):
        self.write()
        return subprocess.run([self.program, "--config", self.folder / "sidecar.yaml", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)

    def start(self):
        done = self.run("migrate")
        assert done.returncode == 0, done.stderr
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.program, "--config", self.folder / "sidecar.yaml", "run"],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        assert eventually(lambda: self.events("lane_taken")), self.log.read_text()
        return self

    def events(self, name):
        lines = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        return [one for one in lines if one["event"] == name]

    def address(self, paths="/ /api/v1"):
        return [one["address"] for one in self.events("http_listening") if one["paths"] == paths][-1]

    def client(self, token=None, **more):
        return Client(self.address(), token, **more)

    def metric(self, series):
        host, port = self.address("/metrics").rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        connection.request("GET", "/metrics")
        answer = connection.getresponse().read().decode()
        connection.close()
        return float(re.search(rf"^{re.escape(series)} (\S+)$", answer, re.M).group(1))

    def reload(self):
        before = len(self.events("reloaded")) + len(self.events("reload_refused"))
        self.write()
        self.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: len(self.events("reloaded")) + len(self.events("reload_refused")) > before)

    def execute(self, sql, *values):
        with self.database.cursor() as cursor:
            cursor.execute(sql.replace("{}", f"`{self.table}`"), values)
            return cursor.fetchall()

    def insert(self, identity, body="{}", queue=None, **columns):
        names = ["id", "msg", "exchange", "routing_key", *columns]
        values = [identity, body, "", self.queue if queue is None else queue, *columns.values()]
        self.execute(f"INSERT INTO {{}} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(values))})", *values)

    def status_of(self, identity):
        rows = self.execute("SELECT status FROM {} WHERE id = %s", identity)
        return rows[0][0] if rows else None

    def raw(self, data=b""):
        host, port = self.address().rsplit(":", 1)
        one = socket.create_connection((host, int(port)), timeout=PATIENCE)
        one.sendall(data)
        return one

    def say(self, data):
        """All that is answered to these bytes until the server closes, or waits for more for a second."""
        with self.raw(data) as one:
            one.settimeout(1)
            answer = b""
            try:
                while part := one.recv(65536):
                    answer += part
            except TimeoutError:
                pass
            except ConnectionResetError:
                pass
            return answer.decode("latin-1")

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode if self.process else None


def tls_context(certificate, highest=None):
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    if highest:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = highest
        context.set_ciphers("DEFAULT@SECLEVEL=0")
    return context
