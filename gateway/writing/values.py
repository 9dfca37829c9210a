"""What a person or a program wants to write, as a value of the point's type."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from gateway.model import Point, Text, Value, ValueType
from gateway.writing.refusals import bad_value

_TRUE, _FALSE = ("true", "on", "1", "yes", "是", "开", "合"), ("false", "off", "0", "no", "否", "关", "分")
_LONGEST = 250


def value_of_text(point: Point, text: str) -> Value:
    """A value as typed on a command line; WriteRefused where it is none."""
    if len(text) > _LONGEST:
        raise bad_value(Text("太长", "too long"))
    if point.type is ValueType.STRING:
        return _word_of(point, text)
    word = text.strip().lower()
    if point.type is ValueType.BOOLEAN:
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise bad_value(Text("这里要写 true 或 false", "true or false is expected here"))
    try:
        number = Decimal(word)
    except InvalidOperation:
        raise bad_value(Text(f"{text!r} 不是数", f"{text!r} is not a number")) from None
    return _sane(number)


def value_of_json(point: Point, value: object) -> Value:
    """A value as JSON has it: a number, true or false, or a word; WriteRefused where the point is of another type."""
    if point.type is ValueType.BOOLEAN and isinstance(value, bool):
        return value
    if point.type is ValueType.STRING and isinstance(value, str) and len(value) <= _LONGEST:
        return value
    if point.type is ValueType.NUMBER and isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _sane(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    raise bad_value(Text(f"{point.name} 不是这个类型", f"this is not the type of {point.name}"))


def _word_of(point: Point, text: str) -> str:
    """The word itself, also where it is given in the reader's language."""
    if text in point.words:
        return text
    return next((word for word, shown in point.words.items() if text in (shown.zh, shown.en)), text)


def _sane(number: Decimal) -> Value:
    if not number.is_finite() or not (number == 0 or Decimal("1e-40") < abs(number) < Decimal("1e40")):
        raise bad_value(Text("这个数不能用", "this number cannot be used"))
    return int(number) if number == number.to_integral_value() else number
