"""One process of the program under test."""
import contextlib
import json
import os
import resource
import signal
import subprocess
import time


class Sidecar:
    def __init__(self, program, config, log, environment=None, limits=None):
        self._command = [program, "--config", config, "run"]
        self.log = log
        self._environment = environment or {}
        self._limits = limits or []
        self.process = None
        self.start()

    def start(self):
        # Without buffering or appending by us: the file, or pipe, is the program's own.
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env={**os.environ, **self._environment}, preexec_fn=self._limit if self._limits else None)

    def _limit(self):
        for what, most in self._limits:
            resource.setrlimit(what, (most, most))

    @property
    def pid(self):
        return self.process.pid

    def runs(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def stop(self, timeout=15):
        """Returns the exit code; None: it had to be killed."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def events(self):
        """Every line of the log, as far as it is one."""
        with contextlib.suppress(OSError), open(self.log, encoding="utf-8", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def shows(self, text):
        if not os.path.isfile(self.log):  # but a pipe
            return False
        with open(self.log, "rb") as file:
            return text.encode() in file.read()

    def count(self, event, text=""):
        return sum(1 for one in self.events() if one["event"] == event and text in json.dumps(one))


def wait_until(condition, seconds, pause=0.02):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return result
