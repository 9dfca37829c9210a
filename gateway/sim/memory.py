"""The address space of one Modbus unit: which addresses exist, what stands there now, what may be written."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.model import Value
from gateway.sim.registers import Field, Table, pack, unpack

ReadPoint = Callable[[str], Value]
#: Take a written value; False where the point cannot be written (any more).
WritePoint = Callable[[str, Value], bool]


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of the unit and the field it stands in."""

    point: str
    place: Field


class Memory:
    """Registers and bits of one unit, encoded from current point values when they are asked for."""

    def __init__(self, cells: Sequence[Cell], read: ReadPoint, write: WritePoint, *, serves_gaps: bool = False) -> None:
        """`serves_gaps`: addresses between points read as 0, as most devices have it; else they are refused."""
        self._read = read
        self._write = write
        self._cells: Mapping[Table, dict[int, list[Cell]]] = {table: {} for table in Table}
        for cell in cells:
            for address in cell.place.addresses:
                self._cells[cell.place.table].setdefault(address, []).append(cell)
        self._readable: Mapping[Table, Container[int]] = {
            table: range(min(known), max(known) + 1) if serves_gaps and known else known
            for table, known in self._cells.items()
        }

    def read(self, table: Table, first: int, count: int) -> list[int] | None:
        """Contents of `count` addresses, or None where one of them does not exist."""
        wanted = range(first, first + count)
        if any(address not in self._readable[table] for address in wanted):
            return None
        image = dict.fromkeys(wanted, 0)
        taken = dict.fromkeys(wanted, 0)
        for cell in sorted(self._at(table, wanted), key=self._rank):
            mask, bits = pack(cell.place, self._read(cell.point), self._factor(cell.place))
            last = cell.place.registers - 1
            for index, address in enumerate(cell.place.addresses):
                if address in image:
                    shift = 16 * (last - index)
                    own = mask >> shift & 0xFFFF & ~taken[address]
                    image[address] |= bits >> shift & own
                    taken[address] |= own
        return [image[address] for address in wanted]

    def write(self, table: Table, first: int, contents: Sequence[int]) -> bool:
        """Put `contents` there; False where an address does not exist or a point on it cannot be written."""
        wanted = range(first, first + len(contents))
        if any(address not in self._cells[table] for address in wanted):
            return False
        written = dict(zip(wanted, contents, strict=True))
        accepted = True
        for cell in self._at(table, wanted):
            now = self.read(table, cell.place.address, cell.place.registers) or []
            bits = 0
            for address, content in zip(cell.place.addresses, now, strict=True):
                bits = bits << 16 | written.get(address, content)
            value = unpack(cell.place, bits, self._factor(cell.place))
            mask, before = pack(cell.place, self._read(cell.point), self._factor(cell.place))
            if bits & mask == before & mask or (cell.place.true_when and value == self._read(cell.point)):
                continue
            accepted &= self._write(cell.point, value)
        return accepted

    def _rank(self, cell: Cell) -> int:
        """Who decides where several points stand in one register: words, then a flag that is true, then a number."""
        if cell.place.true_when:
            return 1 if self._read(cell.point) else 3
        return 2 if cell.place.is_plain else 0

    def _at(self, table: Table, wanted: range) -> list[Cell]:
        cells: dict[int, Cell] = {}
        for address in wanted:
            for cell in self._cells[table].get(address, ()):
                cells[id(cell)] = cell
        return list(cells.values())

    def _factor(self, place: Field) -> Decimal:
        if place.scale_point is None:
            return Decimal(1)
        number = Decimal(str(self._read(place.scale_point)))
        return Decimal(10) ** number if place.scale_is_power else number
