"""What a value looks like in registers: data types, orders, and the encoding of one point with every key resolved."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from drivers.modbus.address import Table


class Form(Enum):
    """The families of data types."""

    BOOL = "bool"
    INTEGER = "integer"
    FLOAT = "float"
    BCD = "bcd"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class DataType:
    """One `type:` of a point. `bits` is the size of the value itself, 0 for strings."""

    name: str
    form: Form
    bits: int
    signed: bool = False
    length: int = 0
    """Bytes of a string."""

    @property
    def registers(self) -> int:
        return (self.length + 1) // 2 if self.form is Form.STRING else max(1, self.bits // 16)

    @property
    def with_article(self) -> str:
        """As an English sentence names one: `an int16`, `a uint16`."""
        return f"an {self.name}" if self.name.startswith("int") else f"a {self.name}"


def raw_span(data_type: DataType, width: int | None = None) -> tuple[int, int]:
    """Smallest and largest raw value of an integer, BCD or boolean type, or of a field of `width` bits of it."""
    bits = data_type.bits if width is None else width
    if data_type.form is Form.BCD:
        return 0, 10 ** (bits // 4) - 1
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if data_type.signed else (0, (1 << bits) - 1)


BOOL = DataType("bool", Form.BOOL, 1)
UINT16 = DataType("uint16", Form.INTEGER, 16)

_FIXED = {
    data_type.name: data_type
    for data_type in (
        BOOL,
        *(DataType(f"int{bits}", Form.INTEGER, bits, signed=True) for bits in (8, 16, 32, 64)),
        *(DataType(f"uint{bits}", Form.INTEGER, bits) for bits in (8, 16, 32, 64)),
        *(DataType(f"float{bits}", Form.FLOAT, bits, signed=True) for bits in (16, 32, 64)),
        *(DataType(f"bcd{bits}", Form.BCD, bits) for bits in (16, 32)),
    )
}
TYPE_NAMES = (*_FIXED, "string:BYTES")
#: What one read can carry: 125 registers (Modbus Application Protocol V1.1b3, 6.3).
LONGEST_STRING = 250


def find_type(name: str) -> DataType | None:
    """The data type a file calls `name`; None if there is none."""
    if name.startswith("string:"):
        digits = name.removeprefix("string:")
        if digits.isascii() and digits.isdecimal() and len(digits) <= 4 and 1 <= int(digits) <= LONGEST_STRING:
            return DataType(name, Form.STRING, 0, length=int(digits))
        return None
    return _FIXED.get(name)


class Order(Enum):
    """How the bytes of a value are laid into registers; the two halves say what is turned round."""

    ABCD = "ABCD"
    BADC = "BADC"
    CDAB = "CDAB"
    DCBA = "DCBA"

    @property
    def swaps_bytes(self) -> bool:
        """The two bytes within each register are exchanged."""
        return self in (Order.BADC, Order.DCBA)

    @property
    def reverses_words(self) -> bool:
        """The lowest register comes first."""
        return self in (Order.CDAB, Order.DCBA)


@dataclass(frozen=True, slots=True)
class ScaleFrom:
    """The point another one's scale comes from: its value, or 10 to the power of it."""

    point: str
    power: bool


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one point lies on the wire: the keys of its entry with every default filled in."""

    entry: str
    """The name in `points:`; differs from the point's own for the words of `bits`."""
    table: Table
    first: int
    count: int
    """Registers, or bits in coils and discretes."""
    type: DataType
    order: Order = Order.ABCD
    high_byte: bool = False
    """Where an 8-bit value lies in its register."""
    field: tuple[int, int] | None = None
    """Lowest bit and width of a bit field within the value of `type`."""
    mask: int | None = None
    """The bits of the raw value that make this point, a boolean, true."""
    invert: bool = False
    scale: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)
    scale_from: ScaleFrom | None = None
    words: tuple[tuple[int, str], ...] = ()
    """`enum`: raw value and word."""
    bad_when: tuple[tuple[Decimal, Decimal], ...] = ()
    """Closed ranges of the raw value that mean "no sensor"."""
    bad_patterns: tuple[tuple[int, int], ...] = ()
    """The same for bit patterns no BCD number has (`0xFFFF`)."""
    true_when: tuple[tuple[int, int], ...] = ()
    """Closed ranges of the raw value that make this point, a boolean, true; any other makes it false."""
    write_multiple: bool = False
    """Written with function 15 or 16 where 5 or 6 would do."""

    @property
    def end(self) -> int:
        """One past the last address."""
        return self.first + self.count
