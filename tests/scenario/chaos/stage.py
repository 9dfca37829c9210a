"""Everything that runs: broker, database, counters, simulator, gateway, two ingest workers, and what stands between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.integration.influx_rows import ask
from tests.processes import Vigil, run
from tests.scenario.chaos.clock import SteppedClock
from tests.scenario.chaos.counters import CounterServer
from tests.scenario.chaos.full_disk import Disk
from tests.scenario.chaos.proxy import Proxy
from tests.scenario.chaos.recorder import Recorder
from tests.scenario.chaos.tap import Taps
from tests.servers import Influxd, Mosquitto

SITE_ID = "depot-07"
UNITS = (1, 2, 3)
POISONED = 9
"""The unit whose rows the database refuses: its `proof` is text there already."""
EXTRA = 8
"""The unit that comes and goes with changes of the site file; nobody judges it."""
LINES = 1
"""Lines with counters: so many polls can be under way at once."""
COMMIT_S = 1.0

HEAD = f"""
schema: 1
site:
  id: {SITE_ID}
  name: {{zh: 城东库, en: Chengdong}}
  kind: warehouse
  timezone: Asia/Shanghai
  labels: {{city: xining}}
report: {{every: 20s}}
clock: {{hardware: trusted}}
"""
PLANT = """
  bus: {{serial: {ports}/bus, baudrate: 19200}}
"""
PLANT_DEVICES = """
  - {id: gen-1, kind: generator, profile: smartgen/hgm6100n, line: bus, unit: 1, interval: 1s, timeout: 500ms}
  - {id: climate-1, kind: sensor, profile: generic/xy-md02, line: bus, unit: 2, interval: 1s, timeout: 500ms}
"""
COUNTER_DEVICE = """
  - id: count-{unit}
    kind: {kind}
    line: {line}
    unit: {unit}
    interval: {interval}
    timeout: 20s
    points:
      turns: {{at: "holding:0", type: uint32, report: poll}}
      sevenths: {{at: "holding:2", type: uint32, report: {{every: 1h}}}}
      proof: {{at: "holding:4", report: poll}}
      steady: {{at: "holding:5"}}
"""
INGEST = """
schema: 1
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", share: vigil, confirm: true}}
influx: {{url: "http://127.0.0.1:{influx}", api: v1, database: vigil}}
state_dir: ingest
"""


@dataclass(frozen=True, slots=True)
class Death:
    """One end of a gateway process, told at `told_ns` and over at `at_ns`; `undurable_since_ns` is from when on what it
    accepted had no disk to go to."""

    told_ns: int
    at_ns: int
    undurable_since_ns: int
    orderly: bool


class Stage:
    """Starts and breaks things; what it did is in `story`, for whoever has to understand a failure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.story: list[str] = []
        self.deaths: list[Death] = []
        self.lost_with_files: set[int] = set()
        """Sequence numbers that stood in telemetry files when those were damaged."""
        self.damages = 0
        self.reloads: list[tuple[int, int]] = []
        """When each reload began and ended."""
        self._remembers_since_ns = time.time_ns()
        self._full_since_ns: int | None = None
        self._full_until_ns = 0
        self._began = time.monotonic()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        enter, folder = self._stack.enter_context, self.folder
        (folder / "ports").mkdir()
        self.disk = enter(Disk(folder / "state"))
        self.clock = SteppedClock(folder)
        self.mosquitto = enter(Mosquitto(folder / "mosquitto"))
        self.influxd = enter(Influxd(folder / "influxd"))
        self._poison()
        self.counters = enter(CounterServer())
        self.gateway_way = enter(Proxy(self.mosquitto.port))
        self.ingest_way = enter(Proxy(self.mosquitto.port))
        self.recorder = enter(Recorder(self.mosquitto.port))
        self.site = folder / "site.yaml"
        plant, ingest = folder / "plant.yaml", folder / "ingest.yaml"
        self.site.write_text(self._site())
        plant.write_text(self._plant())
        ingest.write_text(INGEST.format(mqtt=self.ingest_way.port, influx=self.influxd.port))
        self.simulate = enter(Vigil(folder, "simulate", plant, name="simulate"))
        self.simulate.wait_for("bus")
        self.ingests = [enter(Vigil(folder, "ingest", ingest, name=f"ingest-{n}")) for n in (1, 2)]
        self.gateway = enter(Vigil(folder, "run", self.site, name="gateway", extra=self.clock.environment))
        self.taps = Taps(self.disk.folder)
        self.taps.install()

    def _site(self, last_interval: str = "250ms", *, with_extra: bool = False) -> str:
        lan = f'  lan: {{tcp: "127.0.0.1:{self.counters.port}"}}'
        intervals = dict.fromkeys(UNITS, "250ms") | {UNITS[-1]: last_interval}
        devices = "".join(
            COUNTER_DEVICE.format(unit=unit, kind="sensor", line="lan", interval=interval)
            for unit, interval in intervals.items()
        )
        if with_extra:
            devices += COUNTER_DEVICE.format(unit=EXTRA, kind="sensor", line="lan", interval="500ms")
        devices += COUNTER_DEVICE.format(unit=POISONED, kind="weather", line="lan", interval="1s")
        return (
            f"{HEAD}lines:{PLANT.format(ports=self.folder / 'ports')}{lan}\n"
            f"devices:{PLANT_DEVICES}{devices}"
            f'uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{self.gateway_way.port}"}}}}\n'
            f"state_dir: {self.disk.folder}\n"
        )

    def _plant(self) -> str:
        return f"{HEAD}lines:{PLANT.format(ports=self.folder / 'ports')}devices:{PLANT_DEVICES}"

    def _poison(self) -> None:
        """Make `proof` of weather a text, in the shards of every week a clock of this test may show."""
        ask(self.influxd, 'CREATE DATABASE "vigil"')
        week = 7 * 86_400
        now = int(time.time())
        lines = "\n".join(f'weather,site=other proof="text" {now + at}' for at in (-week, 0, week))
        url = f"{self.influxd.url}/write?db=vigil&precision=s"
        with urllib.request.urlopen(url, lines.encode(), timeout=20) as answer:
            assert answer.status == 204

    def note(self, what: str) -> None:
        self.story.append(f"{time.monotonic() - self._began:7.2f} {what}")

    # what can be done to it

    def kill_gateway(self, *, in_commit: bool = False) -> None:
        """kill -9 and, with `in_commit`, at the moment the telemetry file is being written."""
        process = self.gateway.process
        assert process is not None
        assert process.poll() is None, f"the gateway ended by itself: {self.gateway.printed()[-3000:]}"
        if in_commit:
            wait_for_write(self.disk.folder / "telemetry.db-wal", limit_s=10)
        told_ns = time.time_ns()
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self._note_death(told_ns, orderly=False)

    def _note_death(self, told_ns: int, *, orderly: bool) -> None:
        now = time.time_ns()
        since = told_ns
        if self._full_since_ns is not None and self._full_until_ns > now - 20_000_000_000:
            since = self._full_since_ns
        self.deaths.append(Death(told_ns, now, since - int(COMMIT_S * 1e9), orderly))
        self._full_since_ns = None
        self.taps.harvest()

    def start_gateway(self) -> None:
        """Start it, and wait until it polls."""
        before = self._polls()
        if not self.deaths[-1].orderly:
            self._remembers_since_ns = time.time_ns()
        self.gateway.start()
        self.taps.install()
        give_up = time.monotonic() + 60
        while self._polls() == before:
            assert self.gateway.process is not None
            assert self.gateway.process.poll() is None, f"the gateway did not start: {self.gateway.printed()[-3000:]}"
            assert time.monotonic() < give_up, "the gateway does not poll"
            time.sleep(0.02)

    def change_site(self, dice: random.Random) -> None:
        """Write a right site file, another one than before as a rule."""
        self.site.write_text(self._site(dice.choice(("250ms", "300ms", "400ms")), with_extra=dice.random() < 0.5))

    def spoil_site(self) -> None:
        """Write a site file with one problem."""
        self.site.write_text(self._site().replace("line: bus", "line: nowhere", 1))

    def reload(self) -> subprocess.CompletedProcess[str]:
        """`vigil reload`, to its end. What is under way on the line it touches may be asked again."""
        told_ns = time.time_ns()
        done = run("reload", self.site, "--lang", "en")
        self.reloads.append((told_ns, time.time_ns()))
        return done

    @property
    def remembers_s(self) -> int:
        """For so long the gateway knows every millisecond it told; of what was confirmed just before a kill it may know
        nothing."""
        return (time.time_ns() - self._remembers_since_ns) // 1_000_000_000

    def tell_gateway(self, number: int) -> None:
        """Send it a signal."""
        assert self.gateway.process is not None
        self.gateway.process.send_signal(number)

    def _polls(self) -> int:
        return sum(map(len, self.counters.served.values()))

    def stop_gateway(self) -> int:
        """SIGTERM; its exit code."""
        told_ns = time.time_ns()
        code = self.gateway.stop()
        self._note_death(told_ns, orderly=True)
        return code

    def damage_telemetry(self) -> None:
        """Overwrite pages in the middle of the telemetry file; only while the gateway is down."""
        self.taps.harvest()
        self.lost_with_files |= self.taps.held["telemetry"]
        path = self.disk.folder / "telemetry.db"
        data = bytearray(path.read_bytes())
        data[:8192] = os.urandom(8192)
        path.write_bytes(data)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        self.damages += 1

    def fill_disk(self) -> None:
        assert self.gateway.process is not None
        self._full_since_ns = time.time_ns()
        self.disk.fill(self.gateway.process.pid)

    def free_disk(self) -> None:
        self.disk.free()
        self._full_until_ns = time.time_ns()

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def wait_for_write(path: Path, limit_s: float) -> None:
    """Until `path` is being written to; waits no longer than `limit_s`."""

    def look() -> tuple[int, int]:
        found = path.stat() if path.exists() else None
        return (found.st_mtime_ns, found.st_size) if found else (0, 0)

    before, give_up = look(), time.monotonic() + limit_s
    while look() == before and time.monotonic() < give_up:
        time.sleep(0.0002)
