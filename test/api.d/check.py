"""Holds the API to its description and to what README.md promises of it.

    check.py PROGRAM FOLDER [WORD…]    the sidecar; a folder for what is written; parts whose names hold a word
"""
import base64
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import time

from stage import DESCRIPTION, ROOT, Client, Promises, Sidecar, eventually, operations, tls_context

TOKENS = {"operator": "operator-0123456789abcdef", "viewer": "viewer-0123456789abcdef",
          "consumer": "consumer-0123456789abcdef"}
ALLOWED = {"viewer": {"viewer", "operator"}, "operator": {"operator"}, "consumer": {"consumer", "operator"}}


def tokens_text(*roles):
    return "# role name token\n" + "".join(f"{one} {one}-name {TOKENS[one]}\n" for one in roles or TOKENS)


def described_as_described(say, *clients):
    found = [objection for one in clients for objection in one.objections]
    asked = sum(len(one.asked) for one in clients)
    say.check("every answer is as the description has it", asked and not found, *found[:10])


# ---- parts: each with a sidecar of its own --------------------------------------------------------------------------

def routes(say, make):
    """The description and the sources name the same routes and roles."""
    needs = {"viewing": "viewer", "operating": "operator", "reporting": "consumer", "nothing": None}
    pattern = r'to\.add(?:_quick)?\(\s*"(GET|POST|DELETE)",\s*"([^"]+)",\s*needs::(\w+)'
    sources = "".join(one.read_text(encoding="utf-8") for one in sorted((ROOT / "sidecar/api").glob("*.cpp")))
    there = {(method, path): needs[who] for method, path, who in re.findall(pattern, sources)}
    described = {(method, path): one.get("x-role") for method, path, one in operations()}
    say.equal("no route is without its description", sorted(set(there) - set(described)), [])
    say.equal("nothing is described that is not there", sorted(set(described) - set(there)), [])
    say.equal("each needs the role that is described", {one: there[one] for one in there if one in described},
              {one: described[one] for one in there if one in described})
    say.check("who needs no role needs no token", all((one.get("security") == []) == ("x-role" not in one)
                                                      for _, _, one in operations()))


def reading(say, make):
    """What is looked at: lists, counts, one message, lanes, settings, how it is doing."""
    sidecar = make("reading").start()
    client = sidecar.client()
    say.equal("without tokens, anyone is an operator", client.get("/session").json()["role"], "operator")
    for number in range(30):
        sidecar.insert(f"m-{number:02}", body='{"n": %d}' % number)
    sidecar.insert("text", body="Grüße")
    sidecar.insert("lost/../it?#", queue="nobody-has-this-queue")
    sidecar.insert("later", next_try_time=int(time.time() * 1000) + 3_600_000)
    say.check("all that is due is sent", eventually(
        lambda: client.get("/messages/count", status="delivered").json()["count"] == 31))
    say.check("what can't be routed fails", eventually(lambda: sidecar.status_of("lost/../it?#") == 2))

    seen, cursor = [], None
    while True:
        page = client.get("/messages", limit=7, **({"cursor": cursor} if cursor else {})).json()
        seen += [one["id"] for one in page["messages"]]
        cursor = page["next"]
        if cursor is None:
            break
    say.equal("paging meets every message once", sorted(seen), sorted({*seen}) if len(seen) == 33 else "33 of them")
    say.equal("a filter", len(client.get("/messages", id_prefix="m-0", limit=500).json()["messages"]), 10)
    say.equal("a count that stops early says so", client.get("/messages/count", at_most=5).json(),
              {"count": 5, "complete": False})
    say.equal("a status by its name and by its number are the same",
              client.get("/messages", status="failed").json()["messages"], client.get("/messages", status=2).json()["messages"])

    one = client.get("/messages/m-07").json()
    say.equal("a JSON body", (one["body"]["as"], one["body"]["text"]), ("json", '{"n": 7}'))
    say.equal("its way is told", [step["what"] for step in one["timeline"]], ["created", "delivered"])
    say.equal("a body cut within a character", client.get("/messages/text", body_bytes=3).json()["body"],
              {"as": "text", "text": "Gr", "size": 7, "complete": False})
    lost = client.get("/messages/lost%2F..%2Fit%3F%23").json()
    say.equal("an id of any characters", lost["id"], "lost/../it?#")
    say.equal("a failed message comes with its entry in the ledger",
              [one["message_id"] for one in lost["failures"]], ["lost/../it?#"])
    say.equal("a message that is not there", client.get("/messages/nothing").status, 404)
    say.equal("HEAD has the headers alone", (client.ask("HEAD", "/messages").status, client.ask("HEAD", "/messages").body),
              (200, b""))

    overview = client.get("/overview").json()
    say.check("the overview counts", eventually(lambda: (client.get("/overview").json()["backlog"] or {"due": 1})["due"] == 0)
              and overview["totals"]["confirmed"] == 31 and overview["totals"]["returned"] == 1, overview)
    say.check("it is ready", overview["ready"]["ok"] and overview["broker"]["connected"], overview)
    say.check("the lane is held by this instance",
              client.get("/lanes").json()["lanes"][0]["owner"] == overview["instance"])
    say.check("samples come every five seconds", eventually(lambda: client.get("/stats").json()["points"]))
    say.equal("a day comes in minutes", client.get("/stats", minutes=1440).json()["interval_ms"], 60_000)
    configuration = client.get("/configuration")
    say.check("settings are shown, passwords are not",
              b":outbox@" not in configuration.body and b"guest:guest" not in configuration.body)

    taken = client.ask("POST", "/receipts", {"ids": ["m-00", "m-01", "m-00", "nothing", "lost/../it?#"]}).json()
    say.equal("receipts", taken, {"recorded": 2, "unchanged": 1, "unknown": ["nothing"]})
    say.equal("a consumed message has status 3", sidecar.status_of("m-00"), 3)

    for query, name in (("limit=1000000000", "limit"), ("limit=1e9", "limit"), ("limit=0", "limit"), ("cursor=x", "cursor"),
                        ("cursor=" + base64.urlsafe_b64encode(b"12345678[1,2]").decode(), "cursor"), ("statsu=2", "statsu"),
                        ("status=what", "status"), ("since=yesterday", "since"), ("limit=5&limit=6", "limit")):
        refusal = client.ask("GET", "/messages?" + query)
        say.check(f"{query} is refused by name", refusal.status == 400 and name in refusal.detail(), refusal.body)
    for body, name in (({"ids": []}, "ids"), ({"ids": ["x"] * 1001}, "ids"), ({"ids": [1]}, "ids"), ({"idz": ["x"]}, "ids"),
                       ({"ids": ["x"], "more": 1}, "more"), ("{", "JSON"), ('{"ids": ["a"], "ids": ["b"]}', "twice"),
                       ("[" * 500_000, "nests")):
        refusal = client.ask("POST", "/receipts", body)
        say.check(f"a body {str(body)[:40]} is refused by name", refusal.status == 400 and name in refusal.detail(),
                  refusal.body)
    page = client.ask("GET", "/")
    say.check("the console is there", page.status == 200 and b"<html" in page.body)
    say.equal("and not sent twice", client.ask("GET", "/", headers={"If-None-Match": page.headers["ETag"]}).status, 304)
    say.check("nothing in it comes from elsewhere", "default-src 'none'" in page.headers["Content-Security-Policy"])
    described_as_described(say, client)
    say.equal("it ends as told", sidecar.end(), 0)


def pausing(say, make):
    """A pause takes effect, outlives a reload, and ends."""
    sidecar = make("pausing").start()
    client = sidecar.client()
    say.equal("it is paused", client.ask("POST", "/pause", {}).json()["paused"], True)
    time.sleep(1)  # a page may be under way
    sidecar.insert("waits")
    sidecar.settings["retry"]["max_retries"] = 1
    sidecar.reload()
    say.check("a reload with other settings starts over", eventually(lambda: len(sidecar.events("started")) == 2))
    client = sidecar.client()
    say.check("the overview says so", eventually(lambda: client.get("/overview").json()["paused"]))
    say.equal("the metric too", sidecar.metric("outbox_paused"), 1)
    say.check("it stays ready", eventually(lambda: client.get("/overview").json()["ready"]["ok"]))
    time.sleep(2)  # that nothing happens is what the test is about
    say.equal("nothing is sent", sidecar.status_of("waits"), 0)
    say.equal("it goes on", client.ask("POST", "/resume", {}).json()["paused"], False)
    say.check("what waited is sent", eventually(lambda: sidecar.status_of("waits") == 1))
    say.equal("the log tells", (len(sidecar.events("paused")), len(sidecar.events("resumed"))), (1, 1))
    described_as_described(say, client)
    sidecar.end()


def roles(say, make):
    """Every route, asked by everyone."""
    sidecar = make("roles")
    sidecar.settings["http"]["access"]["tokens_file"] = sidecar.file("tokens", tokens_text())
    sidecar.start()
    wrong = []
    for method, path, operation in operations():
        needed = operation.get("x-role")
        target = re.sub(r"\{\w+\}", "x", path)
        for role in (None, *TOKENS):
            status = sidecar.client(TOKENS.get(role)).ask(method, target, {} if method == "POST" else None).status
            if needed is None:
                fits = status in (200, 204, 400)
            elif role is None:
                fits = status == 401
            elif role in ALLOWED[needed]:
                fits = status not in (401, 403, 405)
            else:
                fits = status == 403
            if not fits:
                wrong.append(f"{method} {path} by {role}: {status}")
        sidecar.client(TOKENS["operator"]).ask("POST", "/resume", {})
    say.check("each role may do what is described, and no more", not wrong, *wrong)
    wrong = []
    for path, item in DESCRIPTION["paths"].items():
        target = re.sub(r"\{\w+\}", "x", path)
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"):
            if method.lower() not in item and path != "/messages/{id}":
                answer = sidecar.client(TOKENS["operator"]).ask(method, target)
                # A literal path may be another route's parameter.
                if answer.status != 405 or method in answer.headers.get("Allow", ""):
                    wrong.append(f"{method} {path}: {answer.status} {answer.headers.get('Allow')}")
    say.check("other methods are 405, OPTIONS too: no other origin is let in", not wrong, *wrong)
    say.equal("a wrong token", sidecar.client("wrong-0123456789abcdef").get("/overview").status, 401)
    say.equal("a token in another scheme", Client(sidecar.address()).ask(
        "GET", "/overview", headers={"Authorization": "Basic " + TOKENS["operator"]}).status, 401)
    lines = [(one["who"], one["path"], one["status"]) for one in sidecar.events("api_call")]
    say.check("what changes something is in the log", ("operator-name", "/pause", 200) in lines, lines[:5])
    say.check("no token is", not any(one in sidecar.log.read_text() for one in TOKENS.values()))
    sidecar.end()


def sessions(say, make):
    """Logging in with a browser, and what other sites can't do with it."""
    sidecar = make("sessions")
    sidecar.settings["http"]["access"]["tokens_file"] = sidecar.file("tokens", tokens_text())
    sidecar.settings["http"]["access"]["hosts"] = "outbox.example.com other.example.com"
    sidecar.start()
    stranger = sidecar.client()
    say.equal("a stranger is told to log in", stranger.get("/session").json(),
              {"required": True, "name": None, "role": None, "csrf": None})
    answer = stranger.ask("POST", "/session", {"token": TOKENS["operator"]})
    cookie = answer.headers["Set-Cookie"]
    say.check("the cookie is for this site alone", all(one in cookie for one in ("HttpOnly", "SameSite=Strict", "Path=/")), cookie)
    say.check("it does not hold the token", TOKENS["operator"] not in cookie)
    session, csrf = cookie.split(";")[0], answer.json()["csrf"]
    browser = sidecar.client(cookie=session)
    say.equal("it is known by it", browser.get("/session").json(),
              {"required": True, "name": "operator-name", "role": "operator", "csrf": csrf})
    say.equal("looking needs no more", browser.get("/messages").status, 200)
    post = lambda **headers: browser.ask("POST", "/resume", {}, headers={k.replace("_", "-"): v for k, v in headers.items()}).status
    say.equal("changing without the CSRF token", post(), 403)
    say.equal("with a wrong one", post(X_CSRF_Token="x" * len(csrf)), 403)
    say.equal("with it", post(X_CSRF_Token=csrf), 200)
    say.equal("with it, from another site", post(X_CSRF_Token=csrf, Sec_Fetch_Site="cross-site"), 403)
    say.equal("with it, from a neighbour", post(X_CSRF_Token=csrf, Sec_Fetch_Site="same-site"), 403)
    say.equal("with it, from another origin", post(X_CSRF_Token=csrf, Origin="https://evil.example"), 403)
    say.equal("with it, from here", post(X_CSRF_Token=csrf, Sec_Fetch_Site="same-origin", Origin=f"http://{sidecar.address()}"), 200)
    say.equal("a form of another site", sidecar.client().ask(
        "POST", "/session", "token=x", headers={"Content-Type": "application/x-www-form-urlencoded"}).status, 403)
    for host, status in (("outbox.example.com", 200), ("other.example.com:443", 200), ("localhost", 200),
                         ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("outbox.example.com.evil.example", 421)):
        say.equal(f"under the name {host}", browser.ask("GET", "/messages", headers={"Host": host}).status, status)
    say.equal("logged out", browser.ask("DELETE", "/session", headers={"X-CSRF-Token": csrf}).status, 204)
    say.equal("the session is over", browser.get("/messages").status, 401)

    answer = stranger.ask("POST", "/session", {"token": TOKENS["operator"]})
    browser = sidecar.client(cookie=answer.headers["Set-Cookie"].split(";")[0])
    sidecar.file("tokens", tokens_text("viewer"))
    say.check("with its token, a session ends", eventually(lambda: browser.get("/messages").status == 401))
    sidecar.file("tokens", "viewer bad short\n")
    say.check("a file with faults is told with its line", eventually(
        lambda: sidecar.client(TOKENS["viewer"]).get("/messages").status == 200 and
        any(one["where"].endswith("tokens:1") for one in sidecar.events("tokens_refused"))))

    codes = [stranger.ask("POST", "/session", {"token": f"guess-{number:016}"}).status for number in range(12)]
    say.equal("guessing is slowed down", codes, [401] * 10 + [429] * 2)
    later = stranger.ask("POST", "/session", {"token": TOKENS["viewer"]})
    say.check("for everyone at that address, who is told how long", later.status == 429 and 0 < int(later.headers["Retry-After"]) <= 60)
    say.equal("tokens themselves go on", sidecar.client(TOKENS["viewer"]).get("/messages").status, 200)
    described_as_described(say, stranger, browser)
    sidecar.end()


def hostile(say, make):
    """Bytes that nobody should send."""
    sidecar = make("hostile").start()
    host = f"Host: {sidecar.address()}\r\n"
    post = "POST /api/v1/receipts HTTP/1.1\r\n" + host + "Content-Type: application/json\r\n"

    def status(text):
        return sidecar.say(text if isinstance(text, bytes) else text.encode()).split("\r\n")[0][9:12]

    slow = []

    def trickle(begin, piece, name):
        one = sidecar.raw(begin.encode())
        one.settimeout(0.5)
        began, answer = time.monotonic(), b""
        while not answer and time.monotonic() - began < 60:
            try:
                one.sendall(piece.encode())
                answer = one.recv(4096)
                break
            except TimeoutError:
                pass
            except OSError:
                break
        slow.append((name, answer[:12], time.monotonic() - began))

    threads = [threading.Thread(target=trickle, args=one) for one in (
        ("GET /api/v1/messages HTTP/1.1\r\n", "X: y\r\n", "head"),
        (post + "Content-Length: 1000\r\n\r\n", " ", "body"))]
    for one in threads:
        one.start()

    say.equal("a huge head", status(f"GET / HTTP/1.1\r\n{host}X: {'x' * 20_000}\r\n\r\n"), "431")
    say.equal("a huge path", status(f"GET /{'x' * 20_000} HTTP/1.1\r\n{host}\r\n"), "431")
    say.equal("a huge body that is announced", status(post + "Content-Length: 1048577\r\n\r\n"), "413")
    say.equal("a huge number of bytes", status(post + "Content-Length: 99999999999999999999\r\n\r\n"), "400")
    say.equal("a huge body in chunks", status((post + "Transfer-Encoding: chunked\r\n\r\n").encode()
                                              + b"10000\r\n" + b"x" * 65536 + b"\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 17), "413")
    say.equal("a good body in chunks", status(post + "Transfer-Encoding: chunked\r\n\r\n11\r\n{\"ids\": [\"abc\"]}\n\r\n0\r\n\r\n"), "200")
    say.equal("two lengths", status(post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), "400")
    say.equal("a length and chunks", status(post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400")
    say.equal("chunks and a length", status(post + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n"), "400")
    say.check("another coding", status(post + "Transfer-Encoding: gzip\r\n\r\n") in ("400", "501"))
    say.check("chunks disguised", status(post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n") in ("400", "501"))
    say.equal("chunks that are none", status(post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "400")
    say.equal("a negative length", status(post + "Content-Length: -1\r\n\r\n"), "400")
    smuggled = sidecar.say((f"GET /api/v1/session HTTP/1.1\r\n{host}Content-Length: 44\r\n\r\n"
                            f"GET /api/v1/overview HTTP/1.1\r\n{host}\r\n").encode())
    say.check("a body where none is meant is no request", smuggled.startswith("HTTP/1.1 413") and smuggled.count("HTTP/1.1") == 1)
    say.equal("no Host", status("GET / HTTP/1.1\r\n\r\n"), "400")
    say.equal("two Hosts", status(f"GET / HTTP/1.1\r\n{host}{host}\r\n"), "400")
    say.equal("another's Host", status("GET /api/v1/session HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "421")
    say.equal("no HTTP", status("hello\r\n\r\n"), "400")
    say.equal("TLS where there is none", status(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), "400")
    for path in ("/../../etc/passwd", "/console/../../etc/passwd", "/console/%2e%2e%2fetc%2fpasswd", "/console/..%2f..%2fetc%2fpasswd",
                 "/api/v1/../../etc/passwd", "/console//etc/passwd", "/console/\\..\\etc"):
        say.equal(f"the path {path}", status(f"GET {path} HTTP/1.1\r\n{host}\r\n"), "404")
    say.check("an announced body is waited for with 100", sidecar.say(
        (post + "Expect: 100-continue\r\nContent-Length: 14\r\n\r\n").encode()).startswith("HTTP/1.1 100"))

    idle = []
    try:
        for _ in range(1000):
            idle.append(sidecar.raw(b"GET / HTT"))
    except OSError:
        pass
    began = time.monotonic()
    answer = sidecar.client().get("/overview")
    say.check("with a thousand connections held, another is answered at once",
              len(idle) == 1000 and answer.status == 200 and time.monotonic() - began < 5)
    sidecar.insert("meanwhile")
    say.check("and messages are relayed", eventually(lambda: sidecar.status_of("meanwhile") == 1))
    for one in idle:
        one.close()

    for one in threads:
        one.join()
    for name, answer, seconds in sorted(slow):
        say.check(f"a {name} that trickles is given up", answer in (b"", b"HTTP/1.1 408") and seconds < 50, answer, seconds)
    say.equal("after all that, it ends as told", sidecar.end(), 0)


def encrypted(say, make):
    """TLS, and a certificate that is renewed."""
    sidecar = make("encrypted")

    def renew():
        for name in ("cert", "key"):
            (sidecar.folder / f"{name}.pem").unlink(missing_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", sidecar.folder / "key.pem",
                        "-out", sidecar.folder / "cert.pem"], check=True, capture_output=True)

    renew()
    access = sidecar.settings["http"]["access"]
    access["tokens_file"] = sidecar.file("tokens", tokens_text())
    access["cert_file"], access["key_file"] = str(sidecar.folder / "cert.pem"), str(sidecar.folder / "key.pem")
    sidecar.start()
    client = sidecar.client(TOKENS["operator"], tls=tls_context(access["cert_file"]))
    say.equal("it answers", client.get("/overview").status, 200)
    say.equal("it takes bodies", client.ask("POST", "/receipts", {"ids": ["x" * 200] + [str(n) for n in range(900)]}).status, 200)
    cookie = client.ask("POST", "/session", {"token": TOKENS["viewer"]}).headers["Set-Cookie"]
    say.check("the cookie is for TLS alone", "; Secure" in cookie, cookie)
    try:
        old = sidecar.client(TOKENS["operator"], tls=tls_context(access["cert_file"], ssl.TLSVersion.TLSv1_1)).get("/overview").status
    except (ssl.SSLError, ConnectionError):
        old = "refused"
    say.equal("TLS 1.1", old, "refused")
    say.equal("plain HTTP gets nothing", sidecar.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")[:4] != "HTTP", True)
    address = sidecar.address()
    sidecar.settings["http"]["api"] = address  # port 0 would be another one
    sidecar.reload()
    renew()
    sidecar.reload()
    renewed = sidecar.client(TOKENS["operator"], tls=tls_context(access["cert_file"]))
    say.equal("a reload takes up the new certificate", renewed.get("/overview").status, 200)
    access["cert_file"] = sidecar.file("cert.bad", "nothing")
    sidecar.reload()
    say.check("a bad one changes nothing", sidecar.events("reload_refused") and renewed.get("/overview").status == 200)
    say.equal("it ends as told", sidecar.end(), 0)


def starting(say, make):
    """What is refused at the start, and how an address moves."""
    sidecar = make("starting")
    http, access = sidecar.settings["http"], sidecar.settings["http"]["access"]

    def refused(*words):
        ended = [sidecar.run(command) for command in ("check", "run")]
        return all(one.returncode == 78 and all(word in one.stderr for word in words) for one in ended) or \
            [(one.returncode, one.stderr[-300:]) for one in ended]

    http["api"] = "0.0.0.0:0"
    say.equal("another address than this machine's own without tokens", refused("http.api", "tokens_file"), True)
    http["api"] = "127.0.0.1:0"
    access["tokens_file"] = sidecar.file("tokens", "operator alice short\nking bob 0123456789abcdef\n")
    say.equal("tokens with faults, each with its line", refused("tokens:1: ", "tokens:2: "), True)
    access["tokens_file"] = sidecar.file("tokens", "# none\n")
    say.equal("no token at all", refused("tokens: "), True)
    access["tokens_file"] = sidecar.file("tokens", tokens_text())
    access["cert_file"] = sidecar.file("cert.pem", "x")
    say.equal("a certificate without its key", refused("http.access"), True)
    del access["cert_file"]
    http["api"] = http["metrics"] = "127.0.0.1:19464"
    say.equal("the address of the metrics", refused("http.api"), True)
    http["api"] = http["metrics"] = "127.0.0.1:0"
    sidecar.file("tokens", tokens_text(), 0o644)
    sidecar.start()
    say.check("who else can read the tokens is warned of", sidecar.events("tokens_world_readable"))
    first = sidecar.client(TOKENS["viewer"])
    say.equal("it answers", first.get("/overview").status, 200)
    instance = first.get("/overview").json()["instance"]
    http["api"] = "127.0.0.2:0"
    sidecar.reload()
    second = sidecar.client(TOKENS["viewer"])
    say.check("a reload moves it", second.host == "127.0.0.2" and second.get("/overview").status == 200)
    try:
        first.get("/overview")
        say.check("the old address is left", False)
    except OSError:
        say.check("the old address is left", True)
    say.equal("the relay goes on meanwhile", second.get("/overview").json()["instance"], instance)
    http["api"] = "0.0.0.0:0"
    access["tokens_file"] = ""
    sidecar.reload()
    say.check("a reload that would open it to all is refused",
              sidecar.events("reload_refused") and second.get("/overview").status == 200)
    http["api"] = ""
    access["tokens_file"] = sidecar.file("tokens", tokens_text())
    sidecar.reload()
    try:
        second.get("/overview")
        say.check("a reload ends it", False)
    except OSError:
        say.check("a reload ends it", True)
    say.equal("it ends as told", sidecar.end(), 0)


PARTS = (routes, reading, pausing, roles, sessions, hostile, encrypted, starting)


def main():
    program, work, *words = sys.argv[1:]
    say = Promises()
    made = []

    def make(name):
        made.append(Sidecar(program, work, name))
        return made[-1]

    for part in PARTS:
        if words and not any(word in part.__name__ for word in words):
            continue
        print(f"{part.__name__}: {part.__doc__}", flush=True)
        try:
            part(say, make)
        except Exception as error:  # the others go on
            say.check(f"{part.__name__} comes to its end", False, repr(error))
        for one in made:
            if one.process and one.process.poll() is None:
                one.process.kill()
                one.process.wait()
        if say.broken and made:
            print("".join(f"          {line}\n" for line in made[-1].log.read_text().splitlines()[-15:]) if made[-1].log.exists() else "")
    pathlib.Path(work + ".totals").write_text(f"{say.kept} passed, {say.broken} failed\n", encoding="utf-8")
    return 0 if say.kept and not say.broken else 1


sys.exit(main())
