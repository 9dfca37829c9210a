"""From the entries of `points:` to points: one each, or one per word of `bits`, every default filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from drivers.modbus.address import Table
from drivers.modbus.encoding import BOOL, UINT16, DataType, Encoding, Form, Order
from drivers.modbus.keys import RawRange
from drivers.modbus.point_options import ModbusPoint, resolve_sentinel
from gateway.model import Text, ValueType
from gateway.settings.protocol import SourcePoint


def expand(name: str, options: ModbusPoint) -> Sequence[SourcePoint]:
    """The points one entry stands for; their `options` are Encodings."""
    encoding = encode_entry(name, options)
    fixed = _read_only(encoding)
    if options.bits is not None:
        return [
            SourcePoint(f"{name}_{word}", ValueType.BOOLEAN, replace(encoding, mask=1 << bit), read_only=fixed)
            for bit, word in sorted(options.bits.items())
        ]
    if encoding.words:
        words = tuple(dict.fromkeys(word for _, word in encoding.words))
        return [SourcePoint(name, ValueType.STRING, encoding, words, fixed)]
    value_type = ValueType.BOOLEAN if encoding.true_when else _value_type(options.data_type)
    return [SourcePoint(name, value_type, encoding, read_only=fixed)]


def _read_only(encoding: Encoding) -> Text | None:
    if encoding.table in (Table.INPUT, Table.DISCRETE):
        return Text(f"{encoding.table.value} 只能读", f"{encoding.table.value} addresses can only be read")
    if encoding.scale_from is not None:
        return Text("scale_from 的测点不能写", "a point with scale_from cannot be written")
    if encoding.true_when:
        return Text("true_when 的测点不能写", "a point with true_when cannot be written")
    return None


def encode_entry(name: str, options: ModbusPoint) -> Encoding:
    """The encoding of the entry as a whole, without the words of `bits`."""
    at, data_type, field, mask = options.at, options.data_type, None, None
    if data_type is BOOL:
        data_type = BOOL if at.table.of_bits else UINT16
        if options.enum is None:
            mask = (1 if at.table.of_bits else 0xFFFF) if at.bit is None else 1 << at.bit
        elif at.bit is not None:
            field = (at.bit, 1)
    elif at.bit is not None and at.width is not None:
        field = (at.bit, at.width)
    ranges, patterns = _sentinels(options.bad_when, data_type, at.width)
    true_when = tuple(
        span for item in options.true_when if (span := resolve_sentinel(item, data_type, at.width)) is not None
    )
    return Encoding(
        entry=name,
        table=at.table,
        first=at.first,
        count=data_type.registers,
        type=data_type,
        order=Order(options.order),
        high_byte=options.byte == "high",
        field=field,
        mask=mask,
        invert=options.invert,
        scale=options.scale,
        offset=options.offset,
        scale_from=options.scale_from,
        words=tuple((options.enum or {}).items()),
        bad_when=ranges,
        bad_patterns=patterns,
        true_when=true_when,
        write_multiple=options.write_multiple,
    )


def _value_type(data_type: DataType) -> ValueType:
    if data_type is BOOL:
        return ValueType.BOOLEAN
    return ValueType.STRING if data_type.form is Form.STRING else ValueType.NUMBER


def _sentinels(
    items: Sequence[RawRange], data_type: DataType, width: int | None
) -> tuple[tuple[tuple[Decimal, Decimal], ...], tuple[tuple[int, int], ...]]:
    """`bad_when` as ranges of the raw number, and as bit patterns that are no BCD number."""
    if data_type.form is Form.FLOAT:
        return tuple((item.low, item.high) for item in items), ()
    ranges: list[tuple[Decimal, Decimal]] = []
    patterns: list[tuple[int, int]] = []
    for item in items:
        span = resolve_sentinel(item, data_type, width)
        if span is None:
            patterns.append((int(item.low), int(item.high)))
        else:
            ranges.append((Decimal(span[0]), Decimal(span[1])))
    return tuple(ranges), tuple(patterns)
