"""Frames that makers published: good ones are built and decoded, misprinted and damaged ones are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus import MODBUS, compile_device
from drivers.modbus.framing import Failure, Framing
from drivers.modbus.framing_ascii import AsciiFraming
from drivers.modbus.framing_rtu import RtuFraming
from drivers.modbus.pdu import expect
from gateway.model import Status
from gateway.settings import load_site
from tests.devices.recordings import FOLDER, differences, kind_of, page
from tests.unit.drivers.modbus.build import answer

FRAMES = page(FOLDER / "frames.yaml")
SITE = """
schema: 1
site: {id: depot-1, name: {zh: 库, en: Depot}, kind: warehouse, timezone: Asia/Shanghai}
lines: {lan: {tcp: "127.0.0.1:15999"}}
devices: [{id: it, kind: %s, profile: %s, line: lan, unit: %d}]
"""
Frame = Mapping[str, Any]


def octets(text: str) -> bytes:
    return bytes.fromhex(str(text).replace(" ", ""))


def on_the_wire(frame: Frame, text: str | None = None) -> tuple[Framing, bytes]:
    """A framing of the frame's kind, and its bytes."""
    if "ascii" in frame:
        return AsciiFraming(), (text or frame["ascii"]).encode() + b"\r\n"
    return RtuFraming(), octets(frame["rtu"])


def source(frame: Frame) -> str:
    return str(frame["from"])


@pytest.mark.parametrize("frame", FRAMES["requests"], ids=source)
def test_requests_come_out_as_published(frame: Frame) -> None:
    framing, wanted = on_the_wire(frame)
    assert framing.start(expect(frame["unit"], octets(frame["pdu"]))) == wanted


@pytest.mark.parametrize("frame", FRAMES["answers"], ids=source)
def test_answers_give_the_published_values(frame: Frame, tmp_path: Path) -> None:
    framing, came = on_the_wire(frame)
    asked = octets(frame["asked"])
    framing.start(expect(frame["unit"], asked))
    data = framing.feed(came)
    assert isinstance(data, bytes)
    path = tmp_path / "site.yaml"
    path.write_text(SITE % (kind_of(frame["profile"]), frame["profile"], frame["unit"]))
    site = load_site(path, {MODBUS.name: MODBUS})
    plan = compile_device(site.lines[0], site.devices[0])
    table = {2: "discrete", 3: "holding", 4: "input"}[asked[0]]
    first = int.from_bytes(asked[1:3], "big")
    cells: dict[int, int]
    if table == "discrete":
        cells = {first + bit: data[bit // 8] >> bit % 8 & 1 for bit in range(8 * len(data))}
    else:
        cells = {first + at // 2: int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)}
    jobs = plan.together(plan.jobs())
    values = plan.decode([(job, answer(job, {table: cells})) for job in jobs], 0.0)
    assert differences(values, {name: (value, Status.Good) for name, value in frame["readings"].items()}) == {}


@pytest.mark.parametrize("frame", FRAMES["acknowledged"], ids=source)
def test_acknowledgements_are_believed(frame: Frame) -> None:
    framing, came = on_the_wire(frame)
    framing.start(expect(frame["unit"], octets(frame["asked"])))
    assert isinstance(framing.feed(came), bytes)


@pytest.mark.parametrize("frame", FRAMES["misprinted"], ids=source)
def test_misprinted_frames_are_refused(frame: Frame) -> None:
    framing, came = on_the_wire(frame)
    framing.start(expect(frame["unit"], octets(frame["asked"])))
    assert not isinstance(framing.feed(came) or framing.finish(), bytes | int)
    assert framing.discarded["crc"] == 1
    framing, came = on_the_wire(frame, frame["meant"])
    framing.start(expect(frame["unit"], octets(frame["asked"])))
    assert framing.feed(came) == octets(frame["data"])


@pytest.mark.parametrize("frame", [*FRAMES["answers"], *FRAMES["acknowledged"]], ids=source)
def test_any_damaged_bit_is_refused(frame: Frame) -> None:
    _, came = on_the_wire(frame)
    for bit in range(8 * len(came)):
        damaged = bytearray(came)
        damaged[bit // 8] ^= 1 << bit % 8
        framing = RtuFraming()
        framing.start(expect(frame["unit"], octets(frame["asked"])))
        outcome = framing.feed(bytes(damaged)) or framing.finish()
        assert isinstance(outcome, Failure), f"bit {bit} of {damaged.hex(' ')}"
