"""Where a value lies on the wire: table, zero-based address and, within a register, bits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from gateway.model import Text
from gateway.settings.protocol import Wrong

LAST_ADDRESS = 65535


class Table(Enum):
    """The four tables of a Modbus server; `value` is the name in files."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    @property
    def function(self) -> int:
        """Function code that reads it (Modbus Application Protocol V1.1b3, section 6)."""
        return _READ_FUNCTIONS[self]

    @property
    def of_bits(self) -> bool:
        """Coils and discretes: one bit per address, not one register."""
        return self in (Table.COIL, Table.DISCRETE)


_READ_FUNCTIONS = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}


@dataclass(frozen=True, slots=True)
class Address:
    """`holding:40`, `holding:40.3` (bit 3, 0 = least significant) or `holding:40.3:2` (2 bits from bit 3 up)."""

    table: Table
    first: int
    bit: int | None = None
    width: int | None = None
    """Bits of a field; None for a single bit or none."""


@dataclass(frozen=True, slots=True)
class AddressRange:
    """`holding:10..20`: addresses of one table, both ends included."""

    table: Table
    first: int
    last: int


_ADDRESS = re.compile(r"([a-z]+):(\d{1,9})(?:\.(\d{1,4})(?::(\d{1,4}))?)?", re.ASCII)
_RANGE = re.compile(r"([a-z]+):(\d{1,9})(?:\.\.(\d{1,9}))?", re.ASCII)
_TABLE_NAMES = ", ".join(f"{table.value}:N" for table in Table)


def parse_address(text: object) -> Address:
    """The `at` of a point; Wrong where it names no place on the wire."""
    match = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Wrong(
            Text(f"{text!r} 不是地址", f"{text!r} is not an address"),
            Text(
                "请写 holding:N、input:N、coil:N 或 discrete:N，N 从 0 起；一位写 holding:N.b，几位写 holding:N.b:w",
                "write holding:N, input:N, coil:N or discrete:N with N from 0 as on the wire; "
                "one bit is holding:N.b, a field of w bits holding:N.b:w",
            ),
        )
    table = _parse_table(match[1])
    first = _check_address(int(match[2]))
    if match[3] is None:
        return Address(table, first)
    if table.of_bits:
        raise Wrong(
            Text(f"{table.value} 的每个地址本身就是一位", f"each address of {table.value} is one bit already"),
            Text(f"请写 {table.value}:{first}", f"write {table.value}:{first}"),
        )
    return Address(table, first, int(match[3]), None if match[4] is None else int(match[4]))


def parse_range(text: object) -> AddressRange:
    """`holding:10..20`, or `holding:10` for one address; Wrong otherwise."""
    match = _RANGE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Wrong(
            Text(f"{text!r} 不是地址范围", f"{text!r} is not a range of addresses"),
            Text("请写如 holding:10..20", "write for instance holding:10..20"),
        )
    table = _parse_table(match[1])
    first = _check_address(int(match[2]))
    last = first if match[3] is None else _check_address(int(match[3]))
    if last < first:
        raise Wrong(
            Text(f"范围 {text} 倒了", f"the range {text} runs backwards"),
            Text(f"请写 {table.value}:{last}..{first}", f"write {table.value}:{last}..{first}"),
        )
    return AddressRange(table, first, last)


def _parse_table(name: str) -> Table:
    try:
        return Table(name)
    except ValueError:
        raise Wrong(
            Text(f"没有叫 {name} 的寄存器表", f"there is no table called {name}"),
            Text(f"可用：{_TABLE_NAMES}", f"there are {_TABLE_NAMES}"),
        ) from None


def _check_address(address: int) -> int:
    if address > LAST_ADDRESS:
        raise Wrong(
            Text(f"地址 {address} 超过 {LAST_ADDRESS}", f"address {address} is past {LAST_ADDRESS}"),
            Text(
                "地址与线上一致，从 0 起；手册中的 400041 请写 holding:40",
                "addresses count from 0 as on the wire; what a manual calls 400041 is holding:40",
            ),
        )
    return address
