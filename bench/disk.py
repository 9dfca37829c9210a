"""`python -m bench.disk`: what a gateway writes to its disk, at 600 tags a second of which 10 % change.

Ten devices of 60 registers each; six registers of a device are others with every poll. Broker and ingest are there, or,
with `--cut-off`, are not.
"""

from __future__ import annotations

import argparse
import contextlib
import socketserver
import struct
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

from bench import machine
from tests.processes import Vigil
from tests.servers import Influxd, Mosquitto, free_port

DEVICES, REGISTERS, CHANGING = 10, 60, 6
CARD_BYTES = 10e12
WARM_UP_S = 70.0
"""Local history is written once a minute."""

SITE = """
schema: 1
site: {{id: bench, name: {{zh: 基准, en: Bench}}, kind: warehouse, timezone: Asia/Shanghai}}
clock: {{hardware: trusted}}
lines:
  lan: {{tcp: "127.0.0.1:{modbus}"}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}}}
state_dir: state
devices:
"""
INGEST = """
schema: 1
mqtt: {{url: "mqtt://127.0.0.1:{mqtt}", share: vigil, confirm: true}}
influx: {{url: "http://127.0.0.1:{influx}", api: v1, database: vigil}}
state_dir: ingest
"""


class Slaves(socketserver.ThreadingTCPServer):
    """Modbus TCP; the first six registers of a unit count its polls, the others stand still."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Slave)
        self.polls: dict[int, int] = defaultdict(int)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Slave(socketserver.StreamRequestHandler):
    server: Slaves

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while len(header := self.rfile.read(7)) == 7:
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                _, first, count = struct.unpack(">BHH", self.rfile.read(length - 1))
                self.server.polls[unit] += 1
                now = self.server.polls[unit]
                held = [now % 60_000 if at < CHANGING else 1000 + at for at in range(first, first + count)]
                answer = struct.pack(f">BB{count}H", 3, 2 * count, *held)
                self.wfile.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)


def write_site(folder: Path, modbus: int, mqtt: int) -> Path:
    points = ", ".join(f't{at:02d}: {{at: "holding:{at}", scale: 0.1}}' for at in range(REGISTERS))
    devices = "".join(
        f"  - {{id: d{unit}, kind: sensor, line: lan, unit: {unit}, interval: 1s, timeout: 5s, points: {{{points}}}}}\n"
        for unit in range(1, DEVICES + 1)
    )
    site = folder / "site.yaml"
    site.write_text(SITE.format(modbus=modbus, mqtt=mqtt) + devices)
    return site


def measure(folder: Path, seconds: float, *, cut_off: bool) -> tuple[int, int]:
    """Bytes written and samples polled within `seconds`."""
    with contextlib.ExitStack() as stack:
        slaves = stack.enter_context(Slaves())
        stack.callback(slaves.shutdown)
        mqtt = free_port()
        if not cut_off:
            mosquitto = stack.enter_context(Mosquitto(folder / "mosquitto"))
            influxd = stack.enter_context(Influxd(folder / "influxd"))
            mqtt = mosquitto.port
            centre = folder / "ingest.yaml"
            centre.write_text(INGEST.format(mqtt=mqtt, influx=influxd.port))
            stack.enter_context(Vigil(folder, "ingest", centre, name="ingest")).wait_for("subscribed")
        site = write_site(folder, slaves.server_address[1], mqtt)
        gateway = stack.enter_context(Vigil(folder, "run", site, name="gateway"))
        time.sleep(WARM_UP_S)
        assert gateway.process is not None
        assert gateway.process.poll() is None, gateway.printed()
        written, polls = machine.written_bytes(gateway.process.pid), sum(slaves.polls.values())
        time.sleep(seconds)
        return (
            machine.written_bytes(gateway.process.pid) - written,
            (sum(slaves.polls.values()) - polls) * REGISTERS,
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.disk")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--cut-off", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vigil-disk-") as folder:
        written, samples = measure(Path(folder), options.seconds, cut_off=options.cut_off)
    a_day = written / options.seconds * 86_400
    print(machine.describe())
    print(f"cut off: {options.cut_off}; {samples / options.seconds:.0f} samples/s over {options.seconds:.0f} s")
    print(f"{written / samples:.1f} bytes per sample polled, {10 * written / samples:.0f} per sample that changed")
    print(f"{a_day / 1e9:.2f} GB a day; 10 TB last {CARD_BYTES / a_day / 365:.1f} years")
    return 0


if __name__ == "__main__":
    sys.exit(main())
