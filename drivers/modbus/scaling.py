"""Points whose scale is another point of the same device: value = raw * scale * other + offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from drivers.modbus.codec import Limits, Source
from drivers.modbus.encoding import Form
from drivers.modbus.numbers import exact_of, multiply_exactly, scale_exactly, to_number
from gateway.model import MaybeValue, Status

#: Powers of ten beyond this are no scale but a register that was misread.
_LARGEST_POWER = 30
#: The largest number that is published for something measured.
_LARGEST = Decimal("1e300")


@dataclass(frozen=True, slots=True)
class ScaledPoint:
    """How one such point is worked out."""

    source: str
    power: bool
    scale: Decimal
    offset: Decimal
    is_float: bool
    limits: Limits | None

    def apply(self, raw: MaybeValue, other: MaybeValue, status: Status) -> tuple[MaybeValue, Status]:
        """Value and status from the raw number and the other point; a bad other makes this one bad, an uncertain one
        uncertain."""
        if status.is_bad:
            return None, status
        if isinstance(raw, (bool, str)) or raw is None or isinstance(other, (bool, str)) or other is None:
            return None, Status.BadConfigurationError
        factor = exact_of(other)
        if self.power:
            if factor != factor.to_integral_value() or abs(factor) > _LARGEST_POWER:
                return None, Status.BadOutOfRange
            factor = Decimal(1).scaleb(int(factor))
        exact = scale_exactly(exact_of(raw), multiply_exactly(self.scale, factor), self.offset)
        if abs(exact) > _LARGEST:
            return None, Status.BadOutOfRange
        value = float(exact) + 0.0 if self.is_float else to_number(exact)
        if self.limits is not None and not self.limits[0] <= value <= self.limits[1]:
            return value, Status.UncertainEngineeringUnitsExceeded
        return value, status


def order_by_source(sources: Sequence[Source]) -> dict[str, ScaledPoint]:
    """The points scaled by others, each after the one it depends on; ValueError where they go round in a circle."""
    waiting = {source.name: source for source in sources if source.encoding.scale_from is not None}
    ordered: dict[str, ScaledPoint] = {}
    while ready := [source for source in waiting.values() if _reference(source) not in waiting]:
        for source in ready:
            del waiting[source.name]
            ordered[source.name] = _scaled(source)
    if waiting:
        raise ValueError(f"points scale each other in a circle: {', '.join(waiting)}")
    return ordered


def _reference(source: Source) -> str:
    return source.encoding.scale_from.point if source.encoding.scale_from is not None else ""


def _scaled(source: Source) -> ScaledPoint:
    encoding = source.encoding
    return ScaledPoint(
        source=_reference(source),
        power=encoding.scale_from is not None and encoding.scale_from.power,
        scale=encoding.scale,
        offset=encoding.offset,
        is_float=encoding.type.form is Form.FLOAT,
        limits=source.limits,
    )
