"""From the settings of Modbus lines, devices and points to what a server must do.

The options belong to the drivers, which the simulator does not import: only the attributes named here are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, cast

from gateway.model import Point
from gateway.settings.types import DeviceSettings, LineSettings
from gateway.sim.frames import AsciiFraming, Framing, RtuFraming, TcpFraming
from gateway.sim.registers import Field, Table
from gateway.sim.servers.bus import Timing


class _Word(Protocol):
    @property
    def value(self) -> str: ...


class _DataType(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def length(self) -> int: ...


class _Scale(Protocol):
    @property
    def point(self) -> str: ...
    @property
    def power(self) -> bool: ...


class PointOptions(Protocol):
    """How one point lies on the wire, every default filled in."""

    @property
    def table(self) -> _Word: ...
    @property
    def first(self) -> int: ...
    @property
    def type(self) -> _DataType: ...
    @property
    def order(self) -> _Word: ...
    @property
    def high_byte(self) -> bool: ...
    @property
    def field(self) -> tuple[int, int] | None: ...
    @property
    def mask(self) -> int | None: ...
    @property
    def invert(self) -> bool: ...
    @property
    def scale(self) -> Decimal: ...
    @property
    def offset(self) -> Decimal: ...
    @property
    def scale_from(self) -> _Scale | None: ...
    @property
    def words(self) -> Iterable[tuple[int, str]]: ...
    @property
    def bad_when(self) -> Iterable[tuple[Decimal, Decimal]]: ...
    @property
    def true_when(self) -> Iterable[tuple[int, int]]: ...


class DeviceOptions(Protocol):
    @property
    def unit(self) -> int: ...
    @property
    def max_gap(self) -> int | None: ...


class LineOptions(Protocol):
    """Exactly one of `serial`, `tcp` and `udp` is set; a pydantic model."""

    @property
    def serial(self) -> str | None: ...
    @property
    def tcp(self) -> str | None: ...
    @property
    def udp(self) -> str | None: ...
    @property
    def framing(self) -> str: ...
    @property
    def baudrate(self) -> int: ...
    @property
    def turnaround(self) -> float: ...
    def model_copy(self, *, update: dict[str, Any]) -> Any: ...


_FRAMINGS: dict[str, type[TcpFraming | RtuFraming | AsciiFraming]] = {
    "tcp": TcpFraming,
    "rtu": RtuFraming,
    "ascii": AsciiFraming,
}
#: Start, eight data, parity or second stop, stop.
_BITS_PER_BYTE = 11


def line_options(line: LineSettings) -> LineOptions:
    return cast("LineOptions", line.options)


def unit_of(device: DeviceSettings) -> int:
    return cast("DeviceOptions", device.options).unit


def refuses_gaps(device: DeviceSettings) -> bool:
    """Whether the real device is known to refuse reads that cross an address without a point."""
    return cast("DeviceOptions", device.options).max_gap == 0


def framing_of(line: LineSettings) -> type[Framing]:
    return _FRAMINGS[line_options(line).framing]


def timing_of(line: LineSettings) -> Timing:
    """The line's own turnaround and speed; half the turnaround, which is what settings plan with."""
    options = line_options(line)
    per_byte = _BITS_PER_BYTE / options.baudrate * (2 if options.framing == "ascii" else 1)
    return Timing(options.turnaround / 2, 0.0 if options.framing == "tcp" else per_byte)


def network_address(line: LineSettings) -> tuple[str, int]:
    """Host and port of a line over TCP or UDP."""
    options = line_options(line)
    host, _, port = (options.tcp or options.udp or "").rpartition(":")
    return host.strip("[]"), int(port)


def serial_path(line: LineSettings, folder: Path) -> Path:
    """The configured port; relative paths stand beside the site file, in `folder`."""
    return folder / (line_options(line).serial or "")


def redirected(line: LineSettings, endpoint: str) -> tuple[str, object]:
    """`endpoint` and `options` of the line when it is served at `endpoint` (`tcp:127.0.0.1:1502`)."""
    medium, _, address = endpoint.partition(":")
    return endpoint, line_options(line).model_copy(update={medium: address})


def field_of(point: Point) -> Field:
    options = cast("PointOptions", point.options)
    name = options.type.name
    bit, width = options.field or (None, 1)
    return Field(
        table=Table(options.table.value),
        address=options.first,
        type="string" if name.startswith("string") else name,
        length=options.type.length,
        bit=bit,
        width=width,
        mask=options.mask,
        high_byte=options.high_byte,
        order=options.order.value,
        scale=options.scale,
        offset=options.offset,
        scale_point=options.scale_from.point if options.scale_from else None,
        scale_is_power=bool(options.scale_from and options.scale_from.power),
        invert=options.invert,
        words=dict(options.words or ()),
        true_when=tuple(options.true_when),
        bad_when=tuple((int(low), int(high)) for low, high in options.bad_when) if options.true_when else (),
    )
