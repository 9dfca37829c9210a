"""How the values of point keys are read: numbers, raw values and ranges, words, references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches

from drivers.modbus.encoding import LONGEST_STRING, TYPE_NAMES, DataType, ScaleFrom, find_type
from gateway.model import Text
from gateway.settings.protocol import Wrong

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_INTEGER = re.compile(r"-?(?:0[xX][0-9a-fA-F]{1,16}|\d{1,20})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]{1,16}|\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?)", re.ASCII)
#: Beyond these no quantity is meant, and exact arithmetic stays small.
_LARGEST, _SMALLEST = Decimal("1e30"), Decimal("1e-30")


def wrong(zh: str, en: str, zh_hint: str, en_hint: str) -> Wrong:
    return Wrong(Text(zh, en), Text(zh_hint, en_hint))


def parse_type(text: object) -> DataType:
    """The `type` of a point."""
    found = find_type(text) if isinstance(text, str) else None
    if found is not None:
        return found
    if isinstance(text, str) and text.startswith("string"):
        raise wrong(
            f"{text!r} 没有可用的长度",
            f"{text!r} has no usable length",
            f"请写 string:字节数，1 到 {LONGEST_STRING}，如 string:16",
            f"write string:BYTES with 1 to {LONGEST_STRING} bytes, for instance string:16",
        )
    near = get_close_matches(str(text), TYPE_NAMES, n=1)
    names = " ".join(TYPE_NAMES)
    raise wrong(
        f"没有叫 {text!r} 的类型",
        f"there is no type called {text!r}",
        f"请写 {near[0]}" if near else f"可用：{names}",
        f"write {near[0]}" if near else f"there are {names}",
    )


def parse_exact(value: object) -> Decimal:
    """A number exactly as written: 0.1 is one tenth."""
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        number = value if isinstance(value, Decimal) else Decimal(repr(value))
        if number == 0 or (number.is_finite() and _SMALLEST <= abs(number) <= _LARGEST):
            return number
    raise wrong(
        f"{value!r} 不是可用的数",
        f"{value!r} is not a number that can be used",
        "请写数字，如 0.1",
        "write a number such as 0.1",
    )


def parse_scale(value: object) -> Decimal:
    """A factor; never zero."""
    number = parse_exact(value)
    if number == 0:
        raise wrong(
            "乘以 0 会丢掉数值", "a scale of 0 makes every value 0", "请写不为 0 的数", "write another number than 0"
        )
    return number


def parse_scale_from(value: object) -> ScaleFrom:
    """`p`, or `{point: p, power: 10}`."""
    point: object = value
    power = False
    if isinstance(value, Mapping):
        point = value.get("point")
        power = value.get("power") == 10 and not isinstance(value.get("power"), bool)
        if set(value) - {"point", "power"} or ("power" in value and not power):
            point = None
    if isinstance(point, str) and _NAME.fullmatch(point):
        return ScaleFrom(point, power)
    raise wrong(
        f"{value!r} 不是点的引用",
        f"{value!r} does not name a point",
        "请写点名，或 {point: 点名, power: 10}",
        "write the name of a point, or {point: name, power: 10}",
    )


def parse_words(value: object) -> dict[int, str]:
    """`enum`: raw value to word."""
    words: dict[int, str] = {}
    for key, word in _pairs(value).items():
        raw = parse_integer(key)
        if not isinstance(word, str) or not word.strip():
            raise wrong(
                f"{word!r} 不是词",
                f"{word!r} is not a word",
                "true、false 和数字请加引号",
                "put true, false and numbers into quotes",
            )
        if raw in words:
            raise wrong(f"原始值 {raw} 写了两次", f"raw value {raw} stands twice", "请删去一个", "remove one of them")
        words[raw] = word
    return words


def parse_bits(value: object) -> dict[int, str]:
    """`bits`: bit number to the word that ends the name of its point."""
    bits: dict[int, str] = {}
    for key, word in _pairs(value).items():
        bit = parse_integer(key)
        if not isinstance(word, str) or not _NAME.fullmatch(word):
            raise wrong(
                f"{word!r} 不能成为点名的结尾",
                f"{word!r} cannot end the name of a point",
                "请用小写字母、数字和下划线，如 low_oil_pressure",
                "use lower-case letters, digits and underscores, such as low_oil_pressure",
            )
        if bit in bits or word in bits.values():
            raise wrong(
                f"位 {bit} 或词 {word} 写了两次",
                f"bit {bit} or word {word} stands twice",
                "每个只写一次",
                "write each once",
            )
        bits[bit] = word
    return bits


@dataclass(frozen=True, slots=True)
class RawRange:
    """One item of `bad_when` or `true_when`, both ends included; `written` is the item as it stands in the file."""

    low: Decimal
    high: Decimal
    written: str


def parse_raw_ranges(value: object) -> tuple[RawRange, ...]:
    """One raw value or range, or a list of them: `32767`, `0xFFF8..0xFFFF`, `[20000, 50000]`."""
    items = value if isinstance(value, list) else [value]
    if not items:
        raise wrong(
            "列表是空的", "the list is empty", "请写原始值，或去掉这个键", "write raw values, or leave the key out"
        )
    return tuple(_parse_raw_range(item) for item in items)


def parse_integer(value: object) -> int:
    """A whole number, decimal or 0x..., as number or text."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value, 16 if "x" in value.lower() else 10)
    raise wrong(
        f"{value!r} 不是整数", f"{value!r} is not a whole number", "请写如 3 或 0x03", "write for instance 3 or 0x03"
    )


def _parse_raw_range(item: object) -> RawRange:
    if isinstance(item, str) and ".." in item:
        low_text, _, high_text = item.partition("..")
        low, high = _parse_raw(low_text.strip(), item), _parse_raw(high_text.strip(), item)
    else:
        low = high = _parse_raw(item, item)
    if low > high:
        raise wrong(
            f"范围 {item} 倒了", f"the range {item} runs backwards", "小的写在前", "write the smaller number first"
        )
    return RawRange(low, high, str(item))


def _parse_raw(value: object, item: object) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(int(value, 16)) if "x" in value.lower() else Decimal(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(repr(value))
    raise wrong(
        f"{item!r} 不是原始值或范围",
        f"{item!r} is neither a raw value nor a range",
        "请写如 32767 或 0xFFF8..0xFFFF",
        "write for instance 32767 or 0xFFF8..0xFFFF",
    )


def _pairs(value: object) -> Mapping[object, object]:
    if isinstance(value, Mapping) and value:
        return value
    raise wrong(
        "这里应是对照表",
        "a table is wanted here",
        "请写如 {0: stopped, 1: running}",
        "write for instance {0: stopped, 1: running}",
    )
