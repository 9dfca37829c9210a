"""What stands in a device's tables, as its answers to reads showed it, and which of it belongs to points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from drivers.modbus.encoding import Encoding
from drivers.modbus.requests import Notes, octets_of
from gateway.model import Answer, Job, Point

Tables = Mapping[str, Mapping[int, int]]


def tables_of(answers: Iterable[tuple[Job, Answer]]) -> dict[str, dict[int, int]]:
    """Words and bits by table and zero-based address; TypeError for jobs that are no Modbus reads."""
    tables: dict[str, dict[int, int]] = {}
    for job, answer in answers:
        notes = job.plan
        if not isinstance(notes, Notes):
            raise TypeError("a job of another protocol")
        cells = tables.setdefault(notes.table.value, {})
        data = answer.data
        if notes.table.of_bits:
            for index in range(notes.count):
                cells[notes.start + index] = data[index // 8] >> index % 8 & 1
        else:
            for index in range(len(data) // 2):
                cells[notes.start + index] = int.from_bytes(data[2 * index : 2 * index + 2], "big")
    return tables


def places_of(point: Point) -> tuple[str, range]:
    """Table and addresses of a point; TypeError where it is no Modbus point."""
    encoding = point.options
    if not isinstance(encoding, Encoding):
        raise TypeError(f"{point.name} is not a Modbus point")
    return encoding.table.value, range(encoding.first, encoding.end)


def is_text(point: Point) -> bool:
    """Whether the registers of the point hold characters."""
    return isinstance(point.options, Encoding) and point.options.type.length > 0


def answer_from(tables: Tables, job: Job) -> Answer | None:
    """What a device with these tables would answer; None where it would refuse."""
    notes = job.plan
    if not isinstance(notes, Notes):
        raise TypeError("a job of another protocol")
    cells = tables.get(notes.table.value, {})
    wanted = range(notes.start, notes.start + notes.count)
    if any(address not in cells for address in wanted):
        return None
    if notes.table.of_bits:
        packed = sum(bool(cells[address]) << index for index, address in enumerate(wanted))
        return Answer(packed.to_bytes(octets_of(notes.table, notes.count), "little"), 0.0)
    return Answer(b"".join(cells[address].to_bytes(2, "big") for address in wanted), 0.0)
