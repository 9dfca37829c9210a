"""The processes of one run, each on its core: slaves, broker, recorder, confirmer, and the one that is measured."""

from __future__ import annotations

import compileall
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.native import build
from bench.recorder import seen
from bench.site_file import write_site

ROOT = Path(__file__).parents[1]
PEERS = ("vigil", "pymodbus", "c")


@dataclass(frozen=True, slots=True)
class Cores:
    """Where everything runs. The one that is measured has its core for itself."""

    measured: int
    slaves: int
    broker: int
    others: int


def choose_cores() -> Cores:
    """The last core for what is measured, the others shared out."""
    most = (os.cpu_count() or 1) - 1
    return Cores(most, 0, min(1, most), min(2, most))


class Stage:
    """`count` slaves that step every `interval_us` and take `delay_us` to answer, and everything around a peer."""

    def __init__(self, cores: Cores, count: int, interval_us: int, delay_us: int = 0) -> None:
        self.cores = cores
        self.count = count
        self.interval_us = interval_us
        self._delay_us = delay_us
        self._running: list[subprocess.Popen[bytes]] = []
        self._folder = Path(tempfile.mkdtemp(prefix="vigil-bench-", dir="/var/tmp"))
        self.records = self._folder / "records"
        self.mqtt_port = _free_port()
        self.slaves: subprocess.Popen[bytes] | None = None
        self.broker: subprocess.Popen[bytes] | None = None
        self.recorder: subprocess.Popen[bytes] | None = None
        self._measured: subprocess.Popen[bytes] | None = None
        self.started_us = 0
        self._ports: list[str] = []

    def __enter__(self) -> Self:
        self.start_broker()
        native = build("slaves")
        program = [str(native)] if native else [sys.executable, "-m", "bench.peers.slaves"]
        numbers = [str(self.count), str(self.interval_us), str(self._delay_us)]
        self.slaves = self._start(self.cores.slaves, [*program, *numbers], stdout=subprocess.PIPE)
        assert self.slaves.stdout is not None
        self._ports = self.slaves.stdout.readline().decode().split()
        record = [sys.executable, "-m", "bench.recorder", str(self.mqtt_port), str(self.records)]
        self.recorder = self._start(
            self.cores.others, [*record, "bench/+", "vigil/v1/bench/+/+", "vigil/v1/bench/+/alarm/+"]
        )
        time.sleep(0.5)
        return self

    def start_broker(self) -> None:
        config = self._folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.mqtt_port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {self._folder}/\nmax_inflight_messages 1000\nmax_queued_messages 0\n"
            "set_tcp_nodelay true\n" + ("user root\n" if os.geteuid() == 0 else "")
        )
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.broker = self._start(self.cores.broker, [program, "-c", str(config)])
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.mqtt_port), 1):
                return
            time.sleep(0.001)

    def stop_broker(self) -> None:
        assert self.broker is not None
        self.broker.terminate()
        self.broker.wait(30)

    def start_peer(self, peer: str) -> subprocess.Popen[bytes] | None:
        """The one that is measured; None where it cannot run here."""
        if peer == "vigil":
            _compile_gateway()
            site = write_site(self._folder, self._ports, self.interval_us, self.mqtt_port)
            self._start(self.cores.others, [sys.executable, "-m", "bench.confirming", str(self.mqtt_port), "bench"])
            command = [sys.executable, "-m", "gateway.cli", "run", str(site)]
        elif peer == "pymodbus":
            arguments = [str(self.interval_us), str(self.mqtt_port), *self._ports]
            command = [sys.executable, "-m", "bench.peers.pymodbus_loop", *arguments]
        else:
            program = build("reference")
            if program is None:
                return None
            command = [str(program), str(self.interval_us), str(self.mqtt_port), *self._ports]
        self.started_us = time.monotonic_ns() // 1000
        self._measured = self._start(self.cores.measured, command)
        return self._measured

    def wait_for_all(self, timeout_s: float = 60.0) -> None:
        """Return when every slave was heard of, or after `timeout_s`; RuntimeError where what is measured has ended."""
        give_up = time.monotonic() + timeout_s
        told = seen(self.records)
        while time.monotonic() < give_up:
            if told.exists() and (told.read_text() or "0") == str(self.count):
                return
            if self._measured is not None and self._measured.poll() is not None:
                raise RuntimeError(f"what is measured has ended:\n{self.log()[-2000:]}")
            time.sleep(0.05)

    def mute(self, *, on: bool) -> None:
        """Every fifth slave swallows its requests, or answers again."""
        assert self.slaves is not None
        self.slaves.send_signal(signal.SIGUSR1 if on else signal.SIGUSR2)

    def end_records(self) -> Path:
        """End the recorder; the file it wrote."""
        assert self.recorder is not None
        self.recorder.terminate()
        self.recorder.wait(30)
        return self.records

    def _start(self, core: int, command: Sequence[str], stdout: int | None = None) -> subprocess.Popen[bytes]:
        log = (self._folder / "log").open("ab")
        process = subprocess.Popen(
            command,
            stdout=stdout or log,
            stderr=log,
            cwd=ROOT,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        self._running.append(process)
        return process

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._running):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(5)
        shutil.rmtree(self._folder, ignore_errors=True)


def _compile_gateway() -> None:
    """As pip leaves a package: nobody who installed it compiles its source with every start."""
    for package in ("gateway", "drivers"):
        compileall.compile_dir(ROOT / package, quiet=1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
