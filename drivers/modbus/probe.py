"""Finding out who is on a line: short questions that change nothing, and what their answers say.

Presence: one holding register; any answer, also an exception, is a unit. Identification: Modbus Application Protocol
V1.1b3, 6.21 (read device identification, basic).
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.modbus.address import Table
from drivers.modbus.codec import BlockDecoder, Source
from drivers.modbus.encoding import Encoding
from drivers.modbus.options import ModbusLine
from drivers.modbus.requests import octets_of, read_request
from drivers.modbus.timing import pace_of
from gateway.model import Job, MaybeValue, Point, Status
from gateway.settings.types import LineSettings

IDENTIFICATION = "identification"
_BASIC = bytes((43, 14, 1, 0))
_LONGEST_IDENTIFICATION = 125


@dataclass(frozen=True, slots=True)
class Probe:
    """One question: `count` addresses of a table, or `table` IDENTIFICATION."""

    table: str = Table.HOLDING.value
    first: int = 0
    count: int = 1


PRESENCE = Probe()
WHO = Probe(IDENTIFICATION)


def probe_job(line: LineSettings, probe: Probe, unit: int, timeout_s: float) -> Job:
    """The job that asks `unit`; it only reads. ValueError for a table there is not, or a count that cannot be."""
    if not isinstance(line.options, ModbusLine):
        raise TypeError(f"line {line.id} is not a Modbus line")
    pace = pace_of(line.options)
    if probe.table == IDENTIFICATION:
        wire_ms = pace.wire_ms(Table.HOLDING, _LONGEST_IDENTIFICATION)
        return Job(unit, _BASIC, (), 0.0, timeout_s, wire_ms)
    table = Table(probe.table)
    most = 2000 if table.of_bits else 125
    if not 1 <= probe.count <= most or not 0 <= probe.first <= 65536 - probe.count:
        raise ValueError(f"no read of {probe.count} from {probe.first}")
    request = read_request(table, probe.first, probe.count)
    return Job(unit, request, (), 0.0, timeout_s, pace.wire_ms(table, probe.count))


def make_probe(line: LineSettings, table: str, first: int, count: int, unit: int, timeout_s: float) -> Job:
    """The same from single words, as they come from afar."""
    return probe_job(line, Probe(table, first, count), unit, timeout_s)


def read_identification(data: bytes) -> tuple[str, ...]:
    """Vendor, product and revision as far as the answer to WHO tells them; empty where it tells nothing."""
    if len(data) < 6 or data[0] != 14:
        return ()
    found, at = [], 6
    for _ in range(data[5]):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data):
            break
        text = data[at + 2 : at + 2 + data[at + 1]].decode("utf-8", "replace").strip("\0 ")
        if text.isprintable() and text:
            found.append(text)
        at += 2 + data[at + 1]
    return tuple(found)


def mark_probe(point: Point) -> Probe:
    """What to ask for one identity mark of a profile; TypeError where it is not Modbus."""
    encoding = _encoding(point)
    return Probe(encoding.table.value, encoding.first, encoding.count)


def mark_value(point: Point, data: bytes) -> MaybeValue:
    """What the answer to `mark_probe` says; None where it says nothing."""
    encoding = _encoding(point)
    if len(data) < octets_of(encoding.table, encoding.count):
        return None
    flaws: dict[int, Status] = {}
    (value,) = BlockDecoder(encoding.first, [Source(point.name, encoding)]).decode(data, flaws)
    return value


def _encoding(point: Point) -> Encoding:
    if not isinstance(point.options, Encoding):
        raise TypeError(f"{point.name} is not a Modbus point")
    return point.options
