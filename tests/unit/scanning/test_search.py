"""Whom a search finds, what it proposes, and that it only ever reads."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from drivers.modbus import MODBUS
from drivers.modbus.options import ModbusLine
from drivers.modbus.probe import IDENTIFICATION, Probe, probe_job, read_identification
from gateway.orders.probing import Heard
from gateway.scanning import LineDown, Search, describe, load_candidates, settings_to_try
from gateway.settings.types import LineSettings

IDENTITY = bytes((14, 1, 1, 0, 0, 2, 0, 4)) + b"Acme" + bytes((1, 2)) + b"G1"


def line(**keys: object) -> LineSettings:
    options = ModbusLine.model_validate(keys)
    return LineSettings("bus", "modbus", options.endpoint, options)


class Bus:
    """Units with holding registers; everything else is silent or refused."""

    def __init__(self, units: Mapping[int, Mapping[int, int]], *, codes: Mapping[int, int] | None = None) -> None:
        self.units = units
        self.codes = codes or {}
        self.asked: list[tuple[int, Probe]] = []

    async def ask(self, probe: Probe, unit: int) -> Heard:
        self.asked.append((unit, probe))
        if unit in self.codes:
            return Heard(code=self.codes[unit])
        registers = self.units.get(unit)
        if registers is None:
            return Heard(noise=unit == 66)
        if probe.table == IDENTIFICATION:
            return Heard(IDENTITY) if unit == 10 else Heard(code=1)
        if probe.table != "holding" or any(probe.first + i not in registers for i in range(probe.count)):
            return Heard(code=2)
        return Heard(struct.pack(f">{probe.count}H", *(registers[probe.first + i] for i in range(probe.count))))


@pytest.mark.parametrize(
    ("insists", "units", "wanted"), [(True, {}, [4]), (False, {}, []), (False, {3: {0: 7}}, [3, 4])]
)
async def test_what_was_heard_too_late_is_asked_with_more_patience(
    insists: bool, units: Mapping[int, Mapping[int, int]], wanted: list[int]
) -> None:
    """Unit 4 answers when 66 is asked; only where others are there, or nothing else is left to try, it is worth it."""
    quick, slow = Bus(units), Bus({4: {0: 1}})
    search = Search(quick.ask, [], patient=slow.ask, insists=insists)
    assert [each.unit async for each in search.run([3, 4, 66], lambda _: None)] == wanted


async def test_without_noise_nobody_is_asked_twice() -> None:
    quick, slow = Bus({3: {0: 7}}), Bus({4: {0: 1}})
    search = Search(quick.ask, [], patient=slow.ask, insists=True)
    assert [each.unit async for each in search.run([3, 4, 5], lambda _: None)] == [3]
    assert slow.asked == []


@pytest.mark.parametrize("thorough", [False, True])
async def test_units_that_answer_are_found_and_profiles_proposed(thorough: bool) -> None:
    bus = Bus({3: {0: 7}, 10: {768: 1}}, codes={20: 4, 30: 11, 31: 10})
    search = Search(bus.ask, load_candidates({"modbus": MODBUS}), thorough=thorough)
    steps: list[int] = []
    found = [each async for each in search.run(range(1, 41), steps.append)]
    assert [(each.unit, each.code) for each in found] == [(3, None), (10, 2), (20, 4)]
    assert found[1].identification == (("Acme", "G1") if thorough else ())
    assert "dse/gencomm" in found[1].proposals
    assert found[0].proposals == found[2].proposals == ()
    assert steps == list(range(1, 41))
    assert sum(1 for unit, _ in bus.asked if unit == 1) == 1 + thorough


async def test_a_thorough_search_asks_twice_and_noise_is_noted() -> None:
    bus = Bus({})
    search = Search(bus.ask, (), thorough=True)
    assert [each async for each in search.run([5, 66], lambda _: None)] == []
    assert [probe.table for unit, probe in bus.asked if unit == 5] == ["holding", "input"]
    assert search.heard_noise


async def test_a_line_that_is_down_ends_the_search() -> None:
    async def down(probe: Probe, unit: int) -> Heard:
        return Heard(down="no such port")

    with pytest.raises(LineDown, match="no such port"):
        [each async for each in Search(down, ()).run([1, 2], lambda _: None)]


async def test_every_question_only_reads() -> None:
    bus = Bus({unit: dict.fromkeys(range(1000), 1) for unit in range(1, 4)})
    candidates = load_candidates({"modbus": MODBUS})
    assert candidates
    [each async for each in Search(bus.ask, candidates, thorough=True).run([1, 2, 9], lambda _: None)]
    settings = line(tcp="10.0.0.5")
    functions = {probe_job(settings, probe, unit, 0.1).request[0] for unit, probe in bus.asked}
    assert functions <= {1, 2, 3, 4, 43}
    assert all(probe_job(settings, Probe(table), 1, 0.1).request[0] < 5 for table in ("coil", "discrete", "input"))


@pytest.mark.parametrize(
    "probe", [Probe("holding", 0, 126), Probe("coil", 65535, 2), Probe("file"), Probe("coil", -1, 1)]
)
def test_what_cannot_be_asked(probe: Probe) -> None:
    with pytest.raises(ValueError, match=r".+"):
        probe_job(line(tcp="10.0.0.5"), probe, 1, 0.1)


def test_settings_of_a_port() -> None:
    port = line(serial="/dev/ttyUSB0", baudrate=19200, parity="E")
    assert settings_to_try(port, None, None) == [port]
    tried = [describe(each) for each in settings_to_try(port, (9600, 19200), ("N", "E"))]
    assert tried == ["9600 N 1", "19200 N 1", "9600 E 1", "19200 E 1"]
    assert [describe(each) for each in settings_to_try(port, (2400,), None)] == ["2400 E 1"]
    network = line(tcp="10.0.0.5")
    assert settings_to_try(network, (9600,), ("N",)) == [network]
    assert describe(network) == ""


@pytest.mark.parametrize(
    "data", [b"", IDENTITY[:7], IDENTITY[:9], b"\x0d" + IDENTITY[1:], IDENTITY[:5] + b"\xff" + IDENTITY[6:]]
)
def test_a_broken_identification_tells_what_it_can(data: bytes) -> None:
    assert read_identification(data) in ((), ("Acme", "G1"))
