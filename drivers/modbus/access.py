"""Single points of a device, read and written by hand."""

from __future__ import annotations

from dataclasses import replace

from drivers.modbus.codec import Source
from drivers.modbus.device import reads_of
from drivers.modbus.readplan import ReadPlan
from drivers.modbus.requests import Notes
from drivers.modbus.write import write_request
from gateway.model import Answer, Job, MaybeValue, Status, Value
from gateway.settings.types import DeviceSettings, LineSettings

#: Bytes of a write beside those of a read of the same registers.
_MORE_REGISTERS = 4


def compile_access(line: LineSettings, device: DeviceSettings) -> ModbusAccess:
    """Access to the points of `device` over `line`; both must be Modbus (TypeError)."""
    return ModbusAccess(reads_of(line, device))


class ModbusAccess:
    """gateway.ports.PointAccess of one Modbus device. A point whose scale is another point gives its raw number times
    its own scale alone: such a point reads as BadConfigurationError here."""

    def __init__(self, reads: ReadPlan) -> None:
        self._reads = reads
        self._sources: dict[str, Source] = {source.name: source for source, _ in reads.sources}

    def read(self, point: str) -> Job:
        source = self._sources[point]
        encoding = source.encoding
        terms = self._reads.terms(encoding.table)
        start = terms.start_of(encoding.first)
        first = encoding.first if start is None or not terms.allows(start, encoding.end) else start
        job = self._reads.asking.job(encoding.table, (first, encoding.end), [source], 0.0, terms)
        return replace(job, spare=None)

    def decode(self, point: str, answer: Answer) -> tuple[MaybeValue, Status]:
        if self._sources[point].is_deferred:
            return None, Status.BadConfigurationError
        notes = self.read(point).plan
        if not isinstance(notes, Notes) or len(answer.data) < notes.octets:
            return None, Status.BadDecodingError
        flaws: dict[int, Status] = {}
        (value,) = notes.decoder.decode(answer.data, flaws)
        return value, flaws.get(0, Status.Good)

    def write(self, point: str, value: Value) -> Job:
        encoding = self._sources[point].encoding
        asking = self._reads.asking
        return Job(
            unit=asking.unit,
            request=write_request(encoding, value),
            points=(point,),
            interval_s=0.0,
            timeout_s=asking.timeout_s,
            wire_ms=asking.pace.wire_ms(encoding.table, encoding.count + _MORE_REGISTERS),
        )
