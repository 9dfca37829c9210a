"""Simulated sites over real sockets and ptys, read by clients that share no code with the simulator."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient, AsyncModbusUdpClient
from pymodbus.exceptions import ModbusIOException

from gateway import app
from gateway.errors import ConfigError, GatewayError
from gateway.settings.types import SiteSettings
from gateway.sim.rewrite import rewrite
from gateway.sim.scenario import EMPTY, Scenario
from gateway.sim.scenario_file import load_scenario
from gateway.sim.simulation import CannotServe, Simulation, serve
from tests.servers import free_port, program

SITE = """
schema: 1
site:
  id: depot-1
  name: {{zh: 一号库, en: Depot 1}}
  kind: warehouse
  location: {{lat: 36.62, lon: 101.80}}
  timezone: Asia/Shanghai
lines:
  bus: {{serial: {ports}/bus, baudrate: 115200}}   # two units on one line
  far-bus: {{tcp: "127.0.0.1:{rtu}", framing: rtu}}
  slow-bus: {{serial: {ports}/ascii, framing: ascii, baudrate: 115200}}
  lan: {{tcp: "127.0.0.1:{tcp}"}}
  radio: {{udp: "10.9.8.7:1502"}}
devices:
  - {{id: gen-1, kind: generator, line: bus, unit: 3, interval: 1s, points: &gen {{
      mode: {{at: "holding:0", enum: {{0: off, 1: auto, 2: manual}}}},
      battery_voltage: {{at: "holding:1", scale: 0.01, range: [0, 40]}},
      coolant_temperature: {{at: "holding:2", type: int16, scale: 0.1}},
      run_time: {{at: "holding:3", type: uint32, order: CDAB, scale: 0.1}},
      alarm: {{at: "holding:5", bits: {{0: low_oil, 3: low_fuel}}}},
      fuel_level: {{at: "input:0", type: float32}}}}}}
  - {{id: gen-2, kind: generator, line: bus, unit: 4, interval: 1s, points: *gen}}
  - {{id: pump-1, kind: pump, line: far-bus, unit: 1, interval: 1s, points: {{mode_auto: {{at: "coil:7"}}}}}}
  - {{id: tank-1, kind: tank, line: slow-bus, unit: 1, interval: 1s, points: {{
      level: {{at: "holding:40", type: float32}}}}}}
  - {{id: store-1, kind: warehouse, line: lan, unit: 1, interval: 1s, points: {{
      temperature: {{at: "input:0", type: int16, scale: 0.1}},
      humidity: {{at: "input:1", scale_from: humidity_scale}},
      humidity_scale: {{at: "input:2", scale: 0.01}},
      door_open: {{at: "discrete:0"}},
      water_detected: {{at: "discrete:1", invert: true}},
      siren: {{at: "coil:0"}},
      serial_number: {{at: "holding:100", type: "string:6"}}}}}}
  - {{id: ups-1, kind: ups, line: radio, unit: 1, interval: 1s, points: {{state_of_charge: {{at: "holding:0"}}}}}}
"""

HELD = """
schema: 1
events:
  - {at: 0s, do: {gen-1: {mode: manual, battery_voltage: 25.31, coolant_temperature: -12.3, run_time: 123456.7}}}
  - {at: 0s, do: {gen-1: {alarm_low_oil: true, alarm_low_fuel: true, fuel_level: 71.5}, gen-2: {battery_voltage: 12.5}}}
  - {at: 0s, do: {store-1: {temperature: 21.4, humidity: 55, humidity_scale: 0.5, door_open: true}}}
  - {at: 0s, do: {store-1: {serial_number: AB-123}}}
  - {at: 0s, do: {tank-1: {level: 2.25}, ups-1: {state_of_charge: 88}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.format(ports=tmp_path, rtu=free_port(), tcp=free_port()))
    return path


@pytest.fixture
def site(config: Path) -> SiteSettings:
    return app.load(config)


def scenario(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    return load_scenario(path)


@pytest.fixture
async def held(site: SiteSettings, tmp_path: Path) -> AsyncIterator[Simulation]:
    async with serve(site, scenario=scenario(tmp_path, HELD), paused=True) as simulation:
        yield simulation


def network(simulation: Simulation, line: str) -> tuple[str, int]:
    _, host, port = simulation.endpoints[line].split(":")
    return host, int(port)


async def tcp_client(simulation: Simulation, line: str, framer: FramerType = FramerType.SOCKET) -> AsyncModbusTcpClient:
    host, port = network(simulation, line)
    client = AsyncModbusTcpClient(host, port=port, framer=framer, timeout=5, retries=0, reconnect_delay=0)
    assert await client.connect()
    return client


async def serial_client(
    simulation: Simulation, line: str, patience_s: float = 5, framer: FramerType = FramerType.RTU
) -> AsyncModbusSerialClient:
    path = simulation.endpoints[line].removeprefix("serial:")
    client = AsyncModbusSerialClient(
        path, framer=framer, baudrate=115200, timeout=patience_s, retries=0, reconnect_delay=0
    )
    assert await client.connect()
    return client


async def test_values_over_tcp(held: Simulation) -> None:
    client = await tcp_client(held, "lan")
    assert (await client.read_input_registers(0, count=3)).registers == [214, 110, 50]
    assert (await client.read_discrete_inputs(0, count=2)).bits[:2] == [True, True]
    text = (await client.read_holding_registers(100, count=3)).registers
    assert struct.pack(">3H", *text) == b"AB-123"
    client.close()


async def test_values_of_two_units_over_rtu(held: Simulation) -> None:
    client = await serial_client(held, "bus")
    raw = struct.pack(">I", 1234567)
    low, high = struct.unpack(">HH", raw[2:] + raw[:2])
    first = await client.read_holding_registers(0, count=6, device_id=3)
    assert first.registers == [2, 2531, 0x10000 - 123, low, high, 0b1001]
    second = await client.read_holding_registers(1, count=1, device_id=4)
    assert second.registers == [1250]
    fuel = await client.read_input_registers(0, count=2, device_id=3)
    assert struct.unpack(">f", struct.pack(">HH", *fuel.registers)) == (71.5,)
    client.close()


async def test_mbpoll_reads_the_pty(held: Simulation) -> None:
    path = held.endpoints["bus"].removeprefix("serial:")
    asked = [program("mbpoll"), "-1", "-0", "-m", "rtu", "-a", "3", "-b", "115200", "-P", "none", "-o", "5"]
    answered = await asyncio.to_thread(
        subprocess.run, [*asked, "-t", "3:float", "-B", "-r", "0", path], capture_output=True, text=True, timeout=20
    )
    assert answered.returncode == 0, answered.stderr + answered.stdout
    assert "71.5" in answered.stdout


async def test_rtu_over_tcp_ascii_and_udp(held: Simulation) -> None:
    far = await tcp_client(held, "far-bus", FramerType.RTU)
    assert (await far.read_coils(7, count=1)).bits[0] is True
    far.close()
    slow = await serial_client(held, "slow-bus", framer=FramerType.ASCII)
    level = (await slow.read_holding_registers(40, count=2)).registers
    assert struct.unpack(">f", struct.pack(">HH", *level)) == (2.25,)
    slow.close()
    host, port = network(held, "radio")
    assert host == "127.0.0.1"
    radio = AsyncModbusUdpClient(host, port=port, timeout=5, retries=0)
    await radio.connect()
    assert (await radio.read_holding_registers(0, count=1)).registers == [88]
    radio.close()


async def test_what_is_not_there(held: Simulation) -> None:
    client = await tcp_client(held, "lan")
    for answer in (
        await client.read_input_registers(3, count=1),
        await client.read_input_registers(2, count=2),
        await client.read_holding_registers(0, count=1),
        await client.write_coil(7, False),
    ):
        assert answer.isError()
        assert answer.exception_code == 2
    client.close()
    far = await tcp_client(held, "far-bus", FramerType.RTU)
    assert (await far.write_coil(7, False)).exception_code == 2
    assert held.devices["pump-1"].read("mode_auto") is True
    far.close()


GAP = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{lan: {{tcp: "127.0.0.1:15999"}}}}
devices:
  - {{id: tank-1, kind: tank, line: lan, unit: 1, interval: 1s, {keys}points: {{
      level: {{at: "holding:40"}}, volume: {{at: "holding:45"}}}}}}
"""


@pytest.mark.parametrize(
    ("keys", "strict", "is_refused"), [("", False, False), ("", True, True), ("max_gap: 0, ", False, True)]
)
async def test_a_gap_between_points_is_read_unless_told(
    tmp_path: Path, keys: str, strict: bool, is_refused: bool
) -> None:
    path = tmp_path / "gap.yaml"
    path.write_text(GAP.format(keys=keys))
    async with serve(app.load(path), free_ports=True, paused=True, strict=strict) as simulation:
        client = await tcp_client(simulation, "lan")
        assert (await client.read_holding_registers(40, count=6)).isError() is is_refused
        assert (await client.read_holding_registers(40, count=7)).isError()
        client.close()


async def test_a_unit_that_is_not_there_is_silence(held: Simulation) -> None:
    bus = await serial_client(held, "bus", patience_s=0.3)
    with pytest.raises(ModbusIOException):
        await bus.read_holding_registers(0, count=1, device_id=9)
    assert held.counters["strangers"] == 1
    bus.close()


async def test_pipelined_requests_are_all_answered(held: Simulation) -> None:
    host, port = network(held, "lan")
    reader, writer = await asyncio.open_connection(host, port)
    for transaction in range(8):
        writer.write(struct.pack(">HHHBBHH", transaction, 0, 6, 1, 4, 0, 1))
    async with asyncio.timeout(5):
        answers = [await reader.readexactly(11) for _ in range(8)]
    assert [int.from_bytes(answer[:2], "big") for answer in answers] == list(range(8))
    writer.close()
    await writer.wait_closed()


async def test_writes_reach_the_plant(site: SiteSettings) -> None:
    async with serve(site, paused=True) as simulation:
        bus = await serial_client(simulation, "bus")
        assert not (await bus.write_register(0, 2, device_id=3)).isError()
        await simulation.advance(0.1)
        assert (await bus.read_holding_registers(0, count=1, device_id=3)).registers == [2]
        assert simulation.devices["gen-2"].read("mode") == "auto"
        bus.close()
        lan = await tcp_client(simulation, "lan")
        assert not (await lan.write_coil(0, True)).isError()
        assert (await lan.read_coils(0, count=1)).bits[0] is True
        lan.close()


FAULTS = """
schema: 1
events:
  - {at: 1s, fault: silent, of: gen-1, for: 10s}
  - {at: 2s, fault: exception, code: 6, of: gen-2, for: 10s}
  - {at: 20s, fault: crc, of: bus, for: 10s}
"""


async def test_faults_reach_the_client_and_go(site: SiteSettings, tmp_path: Path) -> None:
    async with serve(site, scenario=scenario(tmp_path, FAULTS), paused=True) as simulation:
        impatient = await serial_client(simulation, "bus", patience_s=0.3)
        await simulation.advance(2.0)
        with pytest.raises(ModbusIOException):
            await impatient.read_holding_registers(0, count=1, device_id=3)
        impatient.close()
        client = await serial_client(simulation, "bus")
        assert (await client.read_holding_registers(0, count=1, device_id=4)).exception_code == 6
        await simulation.advance(10.5)
        assert (await client.read_holding_registers(0, count=1, device_id=3)).registers == [1]
        assert (await client.read_holding_registers(0, count=1, device_id=4)).registers == [1]
        client.close()
        await simulation.advance(10.0)
        impatient = await serial_client(simulation, "bus", patience_s=0.3)
        with pytest.raises(ModbusIOException):
            await impatient.read_holding_registers(0, count=1, device_id=3)
        impatient.close()


CUTS = """
schema: 1
events:
  - {at: 1s, fault: cut, of: lan, for: 10s}
  - {at: 1s, fault: cut, of: gen-1, for: 10s}
"""


async def test_cut_lines_are_gone_and_come_back_at_their_address(site: SiteSettings, tmp_path: Path) -> None:
    async with serve(site, scenario=scenario(tmp_path, CUTS), paused=True) as simulation:
        before = dict(simulation.endpoints)
        path = Path(simulation.endpoints["bus"].removeprefix("serial:"))
        port = os.open(path, os.O_RDWR | os.O_NOCTTY)
        reader, writer = await asyncio.open_connection(*network(simulation, "lan"))
        await simulation.advance(1.5)
        assert not path.is_symlink()  # noqa: ASYNC240
        with pytest.raises(OSError, match="Input/output"):
            os.write(port, b"\3\3\0\0\0\1")
        os.close(port)
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(*network(simulation, "lan"))
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.transport.abort()
        await simulation.advance(10.0)
        assert simulation.endpoints == before
        client = await serial_client(simulation, "bus")
        assert (await client.read_holding_registers(0, count=1, device_id=3)).registers == [1]
        client.close()
        lan = await tcp_client(simulation, "lan")
        assert not (await lan.read_input_registers(0, count=1)).isError()
        lan.close()
        assert simulation.counters["answers"] >= 2
    assert not path.is_symlink()  # noqa: ASYNC240


async def test_free_ports_and_a_folder_of_ports(site: SiteSettings, tmp_path: Path) -> None:
    async with serve(site, free_ports=True, ports=tmp_path / "elsewhere", paused=True) as simulation:
        configured = {line.id: line.endpoint for line in site.lines}
        assert not set(simulation.endpoints.values()) & set(configured.values())
        assert simulation.endpoints["bus"] == f"serial:{tmp_path}/elsewhere/bus"
        redirected = {line.id: line for line in simulation.redirected().lines}
        assert {name: line.endpoint for name, line in redirected.items()} == simulation.endpoints
        assert redirected["bus"].options.serial == f"{tmp_path}/elsewhere/bus"
        assert f"tcp:{redirected['lan'].options.tcp}" == simulation.endpoints["lan"]


async def test_a_taken_address_is_said(site: SiteSettings) -> None:
    async with serve(site, paused=True) as simulation:
        endpoint = simulation.endpoints["far-bus"]
        with pytest.raises(CannotServe, match=re.escape(endpoint)):
            async with serve(site, ports=Path("/nowhere"), paused=True):
                pass
    assert issubclass(CannotServe, GatewayError)


async def test_a_scenario_that_does_not_fit_is_refused_before_anything_opens(
    site: SiteSettings, tmp_path: Path
) -> None:
    text = "schema: 1\nevents:\n- {at: 1s, do: {gen-7: {mode: auto}}}\n"
    with pytest.raises(ConfigError, match="gen-7"):
        async with serve(site, scenario=scenario(tmp_path, text), paused=True):
            pass
    assert not (tmp_path / "bus").is_symlink()


async def test_time_passes_by_itself_and_faster_on_request(site: SiteSettings) -> None:
    async with serve(site, speed=100.0, scenario=EMPTY) as simulation, asyncio.timeout(20):
        while simulation.plant.elapsed_s < 30:  # noqa: ASYNC110 - nobody tells that time has passed
            await asyncio.sleep(0.05)


async def test_the_rewritten_file_points_at_the_endpoints(site: SiteSettings, config: Path, tmp_path: Path) -> None:
    async with serve(site, free_ports=True, ports=tmp_path / "p", paused=True) as simulation:
        copy = config.with_name("copy.yaml")
        copy.write_text(rewrite(config, simulation.endpoints))
        assert {line.id: line.endpoint for line in app.load(copy).lines} == simulation.endpoints
        assert "# two units on one line" in copy.read_text()


def vigil(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gateway.cli", "simulate", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_prints_endpoints_and_ends_on_a_signal(config: Path, tmp_path: Path) -> None:
    process = vigil(config, "--lang", "en", "--rewrite", tmp_path / "here.yaml", "--seed", 5)
    try:
        assert process.stdout is not None
        lines = []
        while not lines or "here.yaml" not in lines[-1]:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            lines.append(line)
        assert any(re.search(rf"bus +serial:{tmp_path}/bus +gen-1 \(3\), gen-2 \(4\)", line) for line in lines)
        assert (tmp_path / "bus").is_symlink()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "Ended: 0 requests" in rest
    assert errors == ""
    assert not (tmp_path / "bus").is_symlink()


def test_a_port_that_a_killed_simulator_left_behind_is_taken_over(config: Path, tmp_path: Path) -> None:
    def started() -> subprocess.Popen[str]:
        process = vigil(config, "--lang", "en")
        assert process.stdout is not None
        while "bus" not in (line := process.stdout.readline()):
            assert line, process.communicate()[1]
        assert f"serial:{tmp_path}/bus " in line
        return process

    process = started()
    process.kill()
    process.communicate(timeout=20)
    assert (tmp_path / "bus").is_symlink(), "nobody could tidy up"
    own = tmp_path / str((tmp_path / "bus").readlink())
    own.unlink()
    own.symlink_to("/dev/null")  # the pseudo-terminal is somebody else's by now
    process = started()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert f"stale_port_removed path={tmp_path}/bus left_by_pid=" in errors
    assert not [path for path in tmp_path.iterdir() if path.is_symlink()]


def test_the_command_ends_by_itself_and_speaks_chinese(config: Path) -> None:
    started = time.monotonic()
    process = vigil(config, "--lang", "zh", "--for", "0.3")
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert time.monotonic() - started > 0.3
    assert "已结束" in out


def test_the_command_refuses_a_wrong_scenario(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("schema: 1\nevents:\n- {at: soon, do: {mains: {power: fail}}}\n")
    process = vigil(config, "--scenario", path)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"{path}:3:8: events[0].at" in out


def test_the_command_lists_what_a_scenario_can_do(config: Path) -> None:
    out, errors = vigil(config, "--inputs").communicate(timeout=30)
    assert errors == ""
    assert "mains.power: on, fail, off, return" in out.splitlines()
    assert "gen-1.mode: auto, manual, off, test" in out.splitlines()
    assert any(line.startswith("store-1.door: open, closed") for line in out.splitlines())


def test_shipped_scenarios_have_names(config: Path) -> None:
    process = vigil(config, "--scenario", "power-cut", "--for", "0.2", "--lang", "en")
    out, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "Ended" in out
    process = vigil(config, "--scenario", "power-cuts", "--for", "0.2", "--lang", "en")
    said = process.communicate(timeout=30)[0]
    assert "no scenario power-cuts" in said
    assert "flood, fuel-pump-flooded" in said
    assert process.returncode == 2
