"""What a validator's verdict means to an installer, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model import Text

MISSING = Text("缺少这个键", "this key is missing")
EMPTY = Text("冒号后面没有写内容", "nothing is written after the colon")
WRITE_SOMETHING = Text("写上内容，或删去这个键", "write a value, or remove the key")

MAPPING = Text("这里应当是“键: 值”", "`key: value` entries are expected here")
_LIST = Text("这里应当是列表", "a list is expected here"), Text("写 [a, b]", "write [a, b]")
WORDS = Text("这里应当是文字", "a text is expected here"), Text("用引号括起来", "put it into quotes")
_NUMBER = Text("这里应当是数", "a number is expected here"), None
_WHOLE = Text("这里应当是整数", "a whole number is expected here"), None
_TRUTH = (
    Text("这里应当是 true 或 false", "true or false is expected here"),
    Text("写 true 或 false", "write true or false"),
)

_FIXED: Mapping[str, tuple[Text, Text | None]] = {
    "missing": (MISSING, None),
    "dict_type": (MAPPING, None),
    "mapping_type": (MAPPING, None),
    "model_type": (MAPPING, None),
    "model_attributes_type": (MAPPING, None),
    "dataclass_type": (MAPPING, None),
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "string_type": WORDS,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "string_pattern_mismatch": (Text("写法不对", "this is not written as it should be"), None),
}

_LIMITS: Mapping[str, tuple[str, str, str]] = {
    "greater_than": ("gt", "必须大于 {}", "must be above {}"),
    "greater_than_equal": ("ge", "不能小于 {}", "must be {} or more"),
    "less_than": ("lt", "必须小于 {}", "must be below {}"),
    "less_than_equal": ("le", "不能大于 {}", "must be {} or less"),
    "multiple_of": ("multiple_of", "必须是 {} 的倍数", "must be a multiple of {}"),
    "string_too_short": ("min_length", "至少 {} 个字", "must have {} characters or more"),
    "string_too_long": ("max_length", "最多 {} 个字", "must have {} characters or fewer"),
    "too_short": ("min_length", "至少 {} 项", "must have {} entries or more"),
    "too_long": ("max_length", "最多 {} 项", "must have {} entries or fewer"),
}


def of_pydantic(kind: str, context: Mapping[str, Any], message: str, empty: bool) -> tuple[Text, Text | None]:
    """Text and hint for one of pydantic's error types; its own message only for a type none of our models gives."""
    if kind in ("literal_error", "enum"):
        choice = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        several = ", " in choice
        hint = Text(f"{'可以写：' if several else '写 '}{choice}", f"write {'one of ' if several else ''}{choice}")
        return (EMPTY if empty else Text("这个值不在可选范围内", "this is none of the possible values")), hint
    if kind in _LIMITS:
        name, zh, en = _LIMITS[kind]
        shown = _shown(context[name])
        return Text(zh.format(shown), en.format(shown)), None
    if kind in _FIXED:
        fixed, instead = _FIXED[kind]
        return (EMPTY, None) if empty else (fixed, instead)
    return Text(f"这个值不能用（{message}）", f"this value cannot be used ({message})"), None


_WRITE_MAPPING = Text("写 {键: 值}", "write {key: value}")
_WRITE_NUMBER = Text("写一个数，例如 5", "write a number, such as 5")
_WRITE_WHOLE = Text("写一个整数，例如 5", "write a whole number, such as 5")
_INSTEAD: Mapping[Text, Text] = {MAPPING: _WRITE_MAPPING, _NUMBER[0]: _WRITE_NUMBER, _WHOLE[0]: _WRITE_WHOLE}
_LENGTHS: Mapping[str, Text] = {
    "string_too_short": Text("写上文字", "write a text"),
    "string_too_long": Text("写短一些", "write less"),
    "too_short": Text("再写一项", "write one more"),
    "too_long": Text("删去几项", "remove some"),
}
#: By how much a number has to be off a limit that is not among the values itself.
_BESIDE = {"greater_than": 1, "less_than": -1}


def instead_of(kind: str, context: Mapping[str, Any], key: object) -> Text | None:
    """What to write for one of pydantic's error types where no example of `key` is known."""
    if kind == "missing":
        return Text(f"写上 {key}: ...", f"write {key}: ...")
    if kind in _LENGTHS:
        return _LENGTHS[kind]
    if kind in _LIMITS:
        return such_as(_shown(context[_LIMITS[kind][0]] + _BESIDE.get(kind, 0)))
    fixed = _FIXED.get(kind)
    return _INSTEAD.get(fixed[0]) if fixed is not None else None


def such_as(example: str) -> Text:
    return Text(f"例如 {example}", f"such as {example}")


def between(low: float, high: float) -> Text:
    least, most = _shown(low), _shown(high)
    return Text(f"写 {least} 到 {most} 之间的数", f"write a number from {least} to {most}")


def _shown(limit: object) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def no_kind(name: object) -> Text:
    return Text(f"没有 {name} 这一类", f"there is no kind {name}")


def no_profile(name: object) -> Text:
    return Text(f"没有型号文件 {name}", f"there is no profile {name}")


def no_protocol(name: object) -> Text:
    return Text(f"没有协议 {name}", f"there is no protocol {name}")


def needs(other: str) -> Text:
    return Text(f"还需要 {other}", f"{other} is needed with it")
