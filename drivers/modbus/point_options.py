"""The keys of a Modbus point in site files and profiles.

What a key can get wrong by itself, or together with the keys before it in the same entry, is said here and at that key.
What shows only when points and devices are seen together is in `review`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator

from drivers.modbus.address import LAST_ADDRESS, Address, parse_address
from drivers.modbus.encoding import BOOL, TYPE_NAMES, UINT16, DataType, Form, ScaleFrom, raw_span
from drivers.modbus.keys import (
    RawRange,
    parse_bits,
    parse_exact,
    parse_raw_ranges,
    parse_scale,
    parse_scale_from,
    parse_type,
    parse_words,
    wrong,
)

_RAW_SCHEMA = {"type": ["integer", "number", "string"]}
_RANGES_SCHEMA = {"oneOf": [_RAW_SCHEMA, {"type": "array", "items": _RAW_SCHEMA, "minItems": 1}]}
_REFERENCE_SCHEMA = {
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"point": {"type": "string"}, "power": {"const": 10}},
            "required": ["point"],
            "additionalProperties": False,
        },
    ]
}


def _schema(kind: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


At: TypeAlias = Annotated[
    Address,
    PlainValidator(parse_address),
    _schema(
        "string",
        pattern=r"^(coil|discrete):\d+$|^(holding|input):\d+(\.\d+(:\d+)?)?$",
        examples=["holding:40", "holding:40.3"],
    ),
]
Kind: TypeAlias = Annotated[
    DataType,
    PlainValidator(parse_type),
    _schema("string", pattern="^({})$".format("|".join(TYPE_NAMES).replace("BYTES", r"\d+"))),
]


RawRanges: TypeAlias = Annotated[tuple[RawRange, ...], PlainValidator(parse_raw_ranges), WithJsonSchema(_RANGES_SCHEMA)]


class ModbusPoint(BaseModel):
    """Where a point lies on the wire and how its registers become a value: value = raw * scale + offset."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    type: Kind | None = Field(None, description="Default uint16; bool for coils, discretes and single bits")
    at: At = Field(
        description="holding:N, input:N, coil:N, discrete:N, zero-based; holding:N.b is a bit, holding:N.b:w are w bits"
    )
    order: Literal["ABCD", "BADC", "CDAB", "DCBA"] = Field(
        "ABCD", description="Order of the bytes: ABCD big-endian, CDAB words reversed"
    )
    byte: Literal["low", "high"] | None = Field(
        None, description="Which byte of its register an int8 or uint8 is; default low"
    )
    scale: Annotated[Decimal, PlainValidator(parse_scale), _schema("number", default=1)] = Field(
        default_factory=lambda: Decimal(1), description="Factor, exact in decimal"
    )
    offset: Annotated[Decimal, PlainValidator(parse_exact), _schema("number", default=0)] = Field(
        default_factory=lambda: Decimal(0), description="Added after the scale, exact in decimal"
    )
    scale_from: Annotated[ScaleFrom, PlainValidator(parse_scale_from), WithJsonSchema(_REFERENCE_SCHEMA)] | None = (
        Field(None, description="The point whose value multiplies the scale, or {point: p, power: 10} for 10^p")
    )
    invert: bool = Field(False, description="True means false and false means true")
    enum: (
        Annotated[
            dict[int, str],
            PlainValidator(parse_words),
            _schema("object", additionalProperties={"type": "string"}, minProperties=1),
        ]
        | None
    ) = Field(None, description="Raw value to word; any other raw value is bad")
    bits: (
        Annotated[
            dict[int, str],
            PlainValidator(parse_bits),
            _schema("object", additionalProperties={"type": "string"}, minProperties=1),
        ]
        | None
    ) = Field(None, description="Bit number to word; gives one boolean point per word, <point>_<word>")
    bad_when: RawRanges = Field(
        (), description="Raw values or ranges that mean no sensor, such as 32767 or 0xFFF8..0xFFFF"
    )
    true_when: RawRanges = Field(
        (), description="Raw values or ranges that mean true, such as 47 or 2..4; any other that is not bad means false"
    )

    write_multiple: bool = Field(
        False, description="Write with function 15 or 16 where 5 or 6 would do, for devices that take no other"
    )

    @field_validator("at")
    @classmethod
    def _type_fits_address(cls, at: Address, info: ValidationInfo) -> Address:
        if "type" in info.data:
            _check_place(at, info.data["type"] or _default_type(at))
        return at

    @field_validator("order")
    @classmethod
    def _order_needs_registers(cls, value: str, info: ValidationInfo) -> str:
        at = info.data.get("at")
        if at is not None and at.table.of_bits and value != "ABCD":
            raise wrong(
                "线圈和离散输入没有字节顺序",
                "coils and discretes have no byte order",
                "请去掉 order",
                "leave order out",
            )
        return value

    @field_validator("byte")
    @classmethod
    def _byte_of_eight(cls, value: str | None, info: ValidationInfo) -> str | None:
        data_type = _type_of(info.data)
        if value is not None and data_type is not None and data_type.bits != 8:
            raise wrong(
                f"{data_type.name} 用整个寄存器，没有 byte",
                f"{data_type.with_article} is not one byte of a register",
                "请写 type: uint8 或 int8，或去掉 byte",
                "write type: uint8 or int8, or leave byte out",
            )
        return value

    @field_validator("scale", "offset", "scale_from")
    @classmethod
    def _numbers_only(cls, value: object, info: ValidationInfo) -> object:
        data_type = _type_of(info.data)
        if data_type is not None and data_type.form in (Form.BOOL, Form.STRING):
            raise wrong(
                f"{data_type.name} 不是数，不能换算",
                f"{data_type.with_article} is no number to scale",
                f"请去掉 {info.field_name}",
                f"leave {info.field_name} out",
            )
        return value

    @field_validator("invert")
    @classmethod
    def _booleans_only(cls, value: bool, info: ValidationInfo) -> bool:
        data_type = _type_of(info.data)
        if value and data_type is not None and data_type is not BOOL:
            raise wrong(
                f"{data_type.name} 不能取反",
                f"{data_type.with_article} cannot be inverted",
                "invert 只用于 bool",
                "invert is for booleans only",
            )
        return value

    @field_validator("enum")
    @classmethod
    def _words_of_integers(cls, value: dict[int, str] | None, info: ValidationInfo) -> dict[int, str] | None:
        data_type, at = _type_of(info.data), info.data.get("at")
        if value is None or data_type is None or at is None:
            return value
        if data_type.form in (Form.FLOAT, Form.STRING):
            raise wrong(
                f"{data_type.name} 没有可对照的整数",
                f"{data_type.with_article} has no whole numbers to name",
                "请改用整数类型，或去掉 enum",
                "take an integer type, or leave enum out",
            )
        if _is_scaled(info.data) or info.data.get("invert"):
            raise wrong(
                "enum 对照的是原始值，不能再换算",
                "enum names raw values, which cannot be scaled or inverted too",
                "请去掉 scale、offset、scale_from、invert",
                "leave scale, offset, scale_from and invert out",
            )
        return {_in_span(raw, data_type, at.width): word for raw, word in value.items()}

    @field_validator("bits")
    @classmethod
    def _bits_of_unsigned(cls, value: dict[int, str] | None, info: ValidationInfo) -> dict[int, str] | None:
        data_type, at = _type_of(info.data), info.data.get("at")
        if value is None or data_type is None or at is None:
            return value
        if data_type.form is not Form.INTEGER or data_type.signed:
            raise wrong(
                f"{data_type.name} 不能拆成位",
                f"{data_type.with_article} has no bits to name",
                "请写 type: uint16",
                "write an unsigned type such as uint16",
            )
        if _is_scaled(info.data) or info.data.get("enum"):
            raise wrong(
                "bits 给出的是布尔量",
                "bits gives booleans",
                "请去掉 scale、offset、scale_from、enum",
                "leave scale, offset, scale_from and enum out",
            )
        width = at.width or data_type.bits
        past = [bit for bit in value if not 0 <= bit < width]
        if past:
            raise wrong(
                f"位 {past[0]} 不在 0 到 {width - 1} 之内",
                f"bit {past[0]} is not within 0 to {width - 1}",
                "最低位是 0",
                "the least significant bit is 0",
            )
        return value

    @field_validator("bad_when")
    @classmethod
    def _sentinels_of_numbers(cls, value: tuple[RawRange, ...], info: ValidationInfo) -> tuple[RawRange, ...]:
        data_type, at = _type_of(info.data), info.data.get("at")
        if not value or data_type is None or at is None:
            return value
        if data_type.form in (Form.BOOL, Form.STRING):
            raise wrong(
                f"{data_type.name} 没有可比较的原始数",
                f"{data_type.with_article} has no raw number to compare",
                "请去掉 bad_when",
                "leave bad_when out",
            )
        if data_type.form is not Form.FLOAT:
            for item in value:
                resolve_sentinel(item, data_type, at.width)
        return value

    @field_validator("true_when")
    @classmethod
    def _flag_of_integers(cls, value: tuple[RawRange, ...], info: ValidationInfo) -> tuple[RawRange, ...]:
        data_type, at = _type_of(info.data), info.data.get("at")
        if not value or data_type is None or at is None:
            return value
        if data_type.form not in (Form.INTEGER, Form.BCD):
            raise wrong(
                f"{data_type.name} 没有可比较的整数",
                f"{data_type.with_article} has no whole number to compare",
                "请写整数类型，或去掉 true_when",
                "write an integer type, or leave true_when out",
            )
        if _is_scaled(info.data) or info.data.get("enum") or info.data.get("bits"):
            raise wrong(
                "true_when 给出的是布尔量",
                "true_when gives a boolean",
                "请去掉 scale、offset、scale_from、enum、bits",
                "leave scale, offset, scale_from, enum and bits out",
            )
        for item in value:
            if resolve_sentinel(item, data_type, at.width) is None:
                raise wrong(
                    f"{item.written} 不是 BCD 数",
                    f"{item.written} is no BCD number",
                    "请写十进制数，如 47",
                    "write a decimal number such as 47",
                )
        return value

    @property
    def data_type(self) -> DataType:
        return self.type or _default_type(self.at)


def _default_type(at: Address) -> DataType:
    return BOOL if at.table.of_bits or (at.bit is not None and at.width is None) else UINT16


def _type_of(data: dict[str, Any]) -> DataType | None:
    """The type of the entry as validated so far; None where it or the address is wrong already."""
    if "type" not in data or "at" not in data:
        return None
    chosen: DataType | None = data["type"]
    return chosen or _default_type(data["at"])


def _check_place(at: Address, data_type: DataType) -> None:
    """A value of this type can lie there, its bits within it."""
    table, first, bit, width = at.table.value, at.first, at.bit, at.width
    if data_type is not BOOL and (at.table.of_bits or (bit is not None and width is None)):
        raise wrong(
            "单独一位只能是 bool", f"a single bit cannot be {data_type.with_article}", "请去掉 type", "leave type out"
        )
    last_place = LAST_ADDRESS + 1 - data_type.registers
    if first > last_place:
        raise wrong(
            f"{data_type.name} 从 {first} 起会超过地址 {LAST_ADDRESS}",
            f"{data_type.with_article} at {first} runs past address {LAST_ADDRESS}",
            f"它占 {data_type.registers} 个寄存器，最后可从 {last_place} 起",
            f"it takes {data_type.registers} registers, so the last place for it is {last_place}",
        )
    if bit is None:
        return
    if width is None:
        if bit > 15:
            raise wrong(
                f"寄存器只有第 0 到 15 位，没有第 {bit} 位",
                f"a register has bits 0 to 15, no bit {bit}",
                f"第二个寄存器的位请写 {table}:{first + bit // 16}.{bit % 16}",
                f"a bit of a later register is for instance {table}:{first + bit // 16}.{bit % 16}",
            )
        return
    if data_type.form is not Form.INTEGER and not (data_type is BOOL and width == 1):
        raise wrong(
            f"{data_type.name} 里没有位字段",
            f"{data_type.with_article} has no bit fields",
            "请写整数类型",
            "write an integer type",
        )
    size = 16 if data_type is BOOL else data_type.bits
    if width < 1 or bit + width > size:
        raise wrong(
            f"第 {bit} 位起的 {width} 位超出 {data_type.name} 的 {size} 位",
            f"{width} bits from bit {bit} up do not fit the {size} bits of {data_type.with_article}",
            "请改位号或位数，或用更宽的 type",
            "change bit or width, or write a wider type",
        )


def _is_scaled(data: dict[str, Any]) -> bool:
    return data.get("scale", 1) != 1 or data.get("offset", 0) != 0 or data.get("scale_from") is not None


def _in_span(raw: int, data_type: DataType, width: int | None) -> int:
    """The raw value meant: itself, or for signed types the value of a bit pattern such as 0x8000."""
    low, high = raw_span(data_type, width)
    bits = width or data_type.bits
    if data_type.signed and high < raw < 1 << bits:
        return raw - (1 << bits)
    if not low <= raw <= high:
        raise wrong(
            f"原始值 {raw} 不在 {low} 到 {high} 之内",
            f"raw value {raw} is not within {low} to {high}",
            f"这是 {data_type.name} 的范围",
            f"that is all {data_type.with_article} can be",
        )
    return raw


def resolve_sentinel(item: RawRange, data_type: DataType, width: int | None) -> tuple[int, int] | None:
    """The range of raw integers `item` means; None where it means bit patterns that are no BCD numbers."""
    if item.low != int(item.low) or item.high != int(item.high):
        raise wrong(
            f"{item.written} 不是整数",
            f"{item.written} is not a whole number",
            "整数类型的原始值是整数",
            "raw values of integer types are whole",
        )
    low, high = int(item.low), int(item.high)
    if data_type.form is Form.BCD and raw_span(data_type)[1] < low and high < 1 << data_type.bits:
        return None
    low, high = _in_span(low, data_type, width), _in_span(high, data_type, width)
    if low > high:
        raise wrong(
            f"范围 {item.written} 跨过了符号位",
            f"the range {item.written} crosses the sign bit",
            "请分成两个范围",
            "write it as two ranges",
        )
    return low, high
