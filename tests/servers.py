"""Real servers for tests, each on a free port of 127.0.0.1 with its data under the test's own folder.

A server that is not installed fails the run: nothing is skipped silently.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(*names: str) -> str:
    """The first of `names` that is installed; `make test` installs them all."""
    for name in names:
        found = shutil.which(name) or (name if Path(name).exists() else None)
        if found:
            return found
    raise AssertionError(f"none of {names} is installed; `make test` as root installs them")


class Server(ABC):
    """A child process with a port. `stop` asks, `kill` does not; `start` works again after either, on the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What to start, in the foreground."""

    def is_ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
        except OSError:
            return False
        return True

    def start(self) -> Self:
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log, stderr=log)
        log.close()
        give_up = time.monotonic() + 20
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise AssertionError(f"{self.command()} did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.01)
        return self

    def _end(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Half dead: connections stay open, nothing answers."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
        self.stop()


class Mosquitto(Server):
    """mosquitto with its default limits; `extra` adds lines to its configuration."""

    def __init__(self, folder: Path, extra: str = "", *, anonymous: bool = True) -> None:
        super().__init__(folder)
        self.extra = extra
        self.anonymous = anonymous

    def command(self) -> list[str]:
        lines = [
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {str(self.anonymous).lower()}",
            f"persistence_location {self.folder}/",
            *(["user root"] if os.geteuid() == 0 else []),
            self.extra,
        ]
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        return [program("mosquitto", "/usr/sbin/mosquitto"), "-c", str(self.folder / "mosquitto.conf")]


class Influxd(Server):
    """InfluxDB 1.x, `/write` and `/query`; `http` adds lines to the [http] section."""

    def __init__(self, folder: Path, http: str = "", data: str = "") -> None:
        super().__init__(folder)
        self.rpc = free_port()
        self.http = http
        self.data = data

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        (self.folder / "influxdb.conf").write_text(
            f"""reporting-disabled = true
bind-address = "127.0.0.1:{self.rpc}"
[meta]
  dir = "{self.folder}/meta"
[data]
  dir = "{self.folder}/data"
  wal-dir = "{self.folder}/wal"
  {self.data}
[http]
  bind-address = "127.0.0.1:{self.port}"
  log-enabled = false
  {self.http}
[monitor]
  store-enabled = false
"""
        )
        return [program("influxd", "/usr/bin/influxd"), "-config", str(self.folder / "influxdb.conf")]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=0.5) as answer:
                return bool(answer.status == 204)
        except (OSError, urllib.error.URLError):
            return False


class VictoriaMetrics(Server):
    """victoria-metrics; takes `/api/v2/write`."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        return [
            program("victoria-metrics", "/usr/bin/victoria-metrics"),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
        ]


class PtyPair(Server):
    """Two connected pseudo-terminals by socat: `a` for one side, `b` for the other."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.a = folder / "a"
        self.b = folder / "b"

    def command(self) -> list[str]:
        return [program("socat"), f"pty,raw,echo=0,link={self.a}", f"pty,raw,echo=0,link={self.b}"]

    def is_ready(self) -> bool:
        return self.a.exists() and self.b.exists()
