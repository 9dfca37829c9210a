"""The small typed values of our files: what is accepted, what is said otherwise, and their JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, WithJsonSchema
from pydantic.functional_validators import PlainValidator, WrapValidator

from gateway.model import ReportPolicy, Text
from gateway.settings import texts
from gateway.settings.durations import DURATION_SCHEMA, parse_duration
from gateway.settings.interlock import parse_interlock
from gateway.settings.protocol import Wrong
from gateway.settings.types import Clause

LONGEST_S = 366 * 86400.0

_ID = r"[a-z0-9-]{1,32}"
_SNAKE = r"[a-z][a-z0-9_]{0,63}"
_MQTT_VERSIONS = {"auto": "auto", "5": "5", "5.0": "5", "3.1.1": "3.1.1"}
_PROFILE = r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)+"


class FileModel(BaseModel):
    """A mapping in one of our files: no key but the known ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class NotText(Wrong):
    """YAML made a number or a truth value of what is to be text."""

    def __init__(self) -> None:
        super().__init__(*texts.WORDS)


def expect_text(value: object) -> str:
    """A text as it is; NotText for anything else."""
    if not isinstance(value, str):
        raise NotText
    return value


def _id(value: object) -> str:
    text = expect_text(value)
    if text.startswith("_"):
        raise Wrong(
            Text("以 _ 开头的名字是保留的", "names that start with _ are reserved"),
            Text(f"例如 {text.strip('_') or 'gen-1'}", f"such as {text.strip('_') or 'gen-1'}"),
        )
    if not re.fullmatch(_ID, text):
        better = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:32]
        better = better or "gen-1"
        hint = Text(f"例如 {better}", f"such as {better}")
        raise Wrong(
            Text(
                f"{text!r} 不能作为编号，只用小写字母、数字和 -，最多 32 个",
                f"{text!r} is no id: lower-case letters, digits and -, at most 32",
            ),
            hint,
        )
    return text


def _snake(value: object) -> str:
    text = expect_text(value)
    if not re.fullmatch(_SNAKE, text):
        better = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")[:64]
        better = better if re.fullmatch(_SNAKE, better) else "engineer_1"
        hint = Text(f"例如 {better}", f"such as {better}")
        raise Wrong(
            Text(
                f"{text!r} 不能作为名字，只用小写字母、数字和 _，以字母开头",
                f"{text!r} is no name: lower-case letters, digits and _, a letter first",
            ),
            hint,
        )
    return text


def _words(value: object) -> str:
    text = expect_text(value)
    if not text.strip():
        raise Wrong(
            Text("这里不能是空的", "this may not be empty"),
            Text("写上文字，例如 城东库", "write a text, such as Depot"),
        )
    if "\n" in text or "\r" in text or len(text) > 500:
        raise Wrong(
            Text("只能是一行，最多 500 字", "one line, at most 500 characters"),
            Text("写短一些，不换行", "write less, without line breaks"),
        )
    return text


def _profile(value: object) -> str:
    text = expect_text(value)
    if not re.fullmatch(_PROFILE, text):
        raise Wrong(
            Text(f"{text!r} 不是型号文件的名字", f"{text!r} is no profile name"),
            Text("写成 厂家/型号，例如 smartgen/hgm6100n", "write vendor/model, such as smartgen/hgm6100n"),
        )
    return text


def _duration(value: object) -> float:
    seconds = parse_duration(value)
    if not 0.001 <= seconds <= LONGEST_S:
        raise Wrong(
            Text("时长必须大于 0，不超过 366 天", "a duration must be above 0 and at most 366 days"),
            Text("例如 5s", "such as 5s"),
        )
    return seconds


def _span(value: object) -> tuple[float, float]:
    hint = Text("写 [下限, 上限]，例如 [0, 100]", "write [low, high], such as [0, 100]")
    if not isinstance(value, list) or len(value) != 2:
        raise Wrong(Text("这里应当是两个数", "two numbers are expected here"), hint)
    if any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in value):
        raise Wrong(Text("上下限必须是数", "both ends must be numbers"), hint)
    low, high = float(value[0]), float(value[1])
    if low >= high:
        raise Wrong(Text("下限必须小于上限", "the low end must be below the high end"), hint)
    return low, high


def _mqtt_version(value: object) -> str:
    version = _MQTT_VERSIONS.get(str(value))
    if version is None:
        raise Wrong(
            Text("没有这个 MQTT 版本", "there is no such MQTT version"),
            Text("写 auto、5 或 3.1.1", "write auto, 5 or 3.1.1"),
        )
    return version


def _text_schema(pattern: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$", **more})


Id = Annotated[str, PlainValidator(_id), _text_schema(_ID)]
Snake = Annotated[str, PlainValidator(_snake), _text_schema(_SNAKE)]
Words = Annotated[str, PlainValidator(_words), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 500})]
ProfileName = Annotated[str, PlainValidator(_profile), _text_schema(_PROFILE, examples=["smartgen/hgm6100n"])]
Unit = Annotated[str, PlainValidator(expect_text), WithJsonSchema({"type": "string"})]
Duration = Annotated[float, PlainValidator(_duration), WithJsonSchema(DURATION_SCHEMA)]
MqttVersion = Annotated[str, PlainValidator(_mqtt_version), WithJsonSchema({"enum": ["auto", 5, "3.1.1"]})]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Whole = Annotated[int, Strict()]
Truth = Annotated[bool, Strict()]
Span = Annotated[
    tuple[float, float],
    PlainValidator(_span),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]


Interlock = Annotated[
    tuple[Clause, ...], PlainValidator(parse_interlock), WithJsonSchema({"type": "string", "minLength": 1})
]


class Bilingual(FileModel):
    """The same words in Chinese and English."""

    zh: Words
    en: Words

    def text(self) -> Text:
        return Text(self.zh, self.en)


def _bilingual(value: object, handler: Callable[[object], Bilingual]) -> Text:
    if isinstance(value, str):
        raise Wrong(
            Text("中英文都要写", "words are needed in Chinese and English"),
            Text(f"{{zh: {value}, en: ...}}", f"{{zh: ..., en: {value}}}"),
        )
    return handler(value).text()


#: Gives `gateway.model.Text`.
BothLanguages = Annotated[Bilingual, WrapValidator(_bilingual)]


@dataclass(frozen=True, slots=True)
class ReportRule:
    """A `report` key at one level; what it leaves open comes from the level above."""

    poll: bool = False
    every_s: float | None = None
    deadband: float | None = None

    def over(self, base: ReportPolicy) -> ReportPolicy:
        """The policy at this level."""
        if self.poll:
            return ReportPolicy(base.every_s, None, poll=True)
        every_s = base.every_s if self.every_s is None else self.every_s
        return ReportPolicy(every_s, base.deadband if self.deadband is None else self.deadband)


class ReportKeys(FileModel):
    """When a point is sent."""

    deadband: Annotated[
        Annotated[Number, Field(ge=0)] | None, Field(description="Send when the value changed by more than this.")
    ] = None
    every: Annotated[Duration | None, Field(description="Send at least this often.")] = None


def _report(value: object, handler: Callable[[object], ReportKeys]) -> ReportRule:
    if value == "poll":
        return ReportRule(poll=True)
    if not isinstance(value, Mapping):
        raise Wrong(
            Text("不认识的上报方式", "this is no way to report"),
            Text("写 poll 或 {deadband: 0.1, every: 60s}", "write poll or {deadband: 0.1, every: 60s}"),
        )
    keys = handler(value)
    return ReportRule(every_s=keys.every, deadband=keys.deadband)


#: Gives `ReportRule`.
Report = Annotated[
    ReportKeys,
    WrapValidator(_report),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "poll", "description": "Send every poll."},
                {
                    "type": "object",
                    "properties": {"deadband": {"type": "number", "minimum": 0}, "every": DURATION_SCHEMA},
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


_RANGE = "Smallest and largest value that may be written."
_INTERLOCK = "Condition that must hold, such as `mode == 'stop' and level > 1.5`."
_ARM = "Arm first, write second; always so for machines."


class SiteWriteKeys(FileModel):
    """The site's own word on a point that its profile allows to be written; narrows what that says."""

    roles: Annotated[tuple[Snake, ...] | None, Field(min_length=1, description="Which of the roles may write.")] = None
    range: Annotated[Span | None, Field(description=_RANGE)] = None
    interlock: Annotated[Interlock | None, Field(description=_INTERLOCK)] = None
    arm: Annotated[Truth | None, Field(description=_ARM)] = None


class WriteKeys(FileModel):
    """Who may write a point, within which limits, under which condition; the site must allow it as well."""

    roles: Annotated[tuple[Snake, ...], Field(min_length=1, description="Operator roles that may write.")]
    range: Annotated[Span | None, Field(description=_RANGE)] = None
    interlock: Annotated[Interlock | None, Field(description=_INTERLOCK)] = None
    arm: Annotated[Truth | None, Field(description=_ARM)] = None
