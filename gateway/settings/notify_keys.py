"""The keys of `notify` and `annunciator` in the site file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema
from pydantic.functional_validators import PlainValidator

from gateway.model import Text
from gateway.settings.durations import DURATION_SCHEMA, parse_duration
from gateway.settings.protocol import Wrong
from gateway.settings.values import LONGEST_S, Duration, FileModel, Id, Snake, Truth, Words

PriorityName = Literal["critical", "high", "medium", "low"]
Priorities = tuple[PriorityName, ...]

_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"


def _wait(value: object) -> float:
    seconds = parse_duration(value)
    if seconds > LONGEST_S:
        raise Wrong(Text("时长不超过 366 天", "a duration is at most 366 days"), Text("例如 30s", "such as 30s"))
    return seconds


def _minute_of_day(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(_CLOCK, value):
        raise Wrong(
            Text("这里应当是几点几分", "a time of day is expected here"),
            Text("例如 22:00", "such as 22:00"),
        )
    return int(value[:2]) * 60 + int(value[3:])


#: Seconds; 0s too.
Wait = Annotated[float, PlainValidator(_wait), WithJsonSchema(DURATION_SCHEMA)]
TimeOfDay = Annotated[
    int,
    PlainValidator(_minute_of_day),
    WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$", "examples": ["22:00"]}),
]


class ChannelKeys(FileModel):
    """One way to people: exactly one of `apprise`, `mqtt` and `annunciator`."""

    apprise: Annotated[
        Words | None,
        Field(description="File that holds Apprise addresses, one on each line.", examples=["duty.urls"]),
    ] = None
    mqtt: Annotated[
        Truth | None, Field(description="true: the words of the notice go to the centre as an event of type message.")
    ] = None
    annunciator: Annotated[
        Truth | None, Field(description="true: the horn or lamp of `annunciator` sounds, for routes and escalations.")
    ] = None
    language: Annotated[
        Literal["zh", "en", "both"] | None, Field(description="Language of the notices; default that of `notify`.")
    ] = None
    form: Annotated[
        Literal["short", "long"] | None,
        Field(description="short: one paragraph, as for an SMS. long: with values, actions and times; the default."),
    ] = None
    pace: Annotated[
        Wait | None,
        Field(description="Distance of notices after three at once; what comes in between is told together. 10s."),
    ] = None


class MatchKeys(FileModel):
    """Which alarms are meant; an absent key means all."""

    devices: Annotated[tuple[Words, ...], Field(description="By device; _gateway and _site too.")] = ()
    kinds: Annotated[tuple[Snake, ...], Field(description="By kind of device.")] = ()
    priorities: Annotated[Priorities, Field(description="By priority.")] = ()
    roles: Annotated[tuple[Snake, ...], Field(description="By the role that the rule names.")] = ()
    rules: Annotated[tuple[Snake, ...], Field(description="By rule.")] = ()


class EscalationKeys(FileModel):
    """Who is told when nobody acknowledged in time."""

    after: Annotated[Duration, Field(description="Since the alarm was raised.", examples=["5m"])]
    to: Annotated[tuple[Id, ...] | None, Field(description="Channels; those of the route again where absent.")] = None
    priorities: Annotated[Priorities, Field(description="For these only.")] = ()


class RouteKeys(MatchKeys):
    """Which alarms go where."""

    to: Annotated[tuple[Id, ...], Field(description="Channels; all are told.", examples=[["duty"]])]
    backup: Annotated[
        tuple[Id, ...], Field(description="Channels that are told instead, in this order, while one of `to` fails.")
    ] = ()
    group_wait: Annotated[
        Wait | None, Field(description="How long a first notice waits for what follows; 30s, for critical 0s.")
    ] = None
    group_interval: Annotated[
        Wait | None, Field(description="Between two notices about one device; 5m, for critical 0s.")
    ] = None
    repeat_interval: Annotated[Duration | None, Field(description="Told again while nobody has acknowledged; 4h.")] = (
        None
    )
    escalate: Annotated[
        tuple[EscalationKeys, ...] | None,
        Field(
            description="When nobody acknowledged in time; by default the route's own channels once more, critical "
            "after 5m, high after 15m, medium after 1h. [] for never.",
            examples=[[{"after": "5m", "to": ["township"]}, {"after": "10m", "to": ["county"]}]],
        ),
    ] = None
    goes_on: Annotated[Truth, Field(alias="continue", description="true: the routes below are looked at as well.")] = (
        False
    )


class InhibitKeys(FileModel):
    """Alarms that are not told while others stand."""

    source: Annotated[MatchKeys, Field(description="While one of these stands ...", examples=[{"rules": ["flood"]}])]
    target: Annotated[MatchKeys, Field(description="... these are not told.", examples=[{"priorities": ["low"]}])]
    same: Annotated[Literal["device", "site"], Field(description="Of the same device, or anywhere at the site.")] = (
        "device"
    )


class QuietKeys(FileModel):
    """Hours in which what can wait does."""

    start: Annotated[TimeOfDay, Field(alias="from", description="Local time.", examples=["22:00"])]
    end: Annotated[TimeOfDay, Field(alias="to", description="Local time.", examples=["06:30"])]
    priorities: Annotated[Priorities, Field(description="What waits; never critical.")] = ("medium", "low")


class NotifyKeys(FileModel):
    """Who is told of alarms."""

    channels: Annotated[
        dict[Id, ChannelKeys],
        Field(description="Ways to people.", examples=[{"duty": {"apprise": "duty.urls"}}]),
    ]
    routes: Annotated[
        tuple[RouteKeys, ...] | None,
        Field(
            description="Which alarms go where; the first that fits is taken. Without it critical, high and medium "
            "ones go to every channel.",
        ),
    ] = None
    inhibit: Annotated[tuple[InhibitKeys, ...], Field(description="Alarms that others make superfluous.")] = ()
    language: Annotated[
        Literal["zh", "en", "both"] | None, Field(description="Language of notices; the site's by default.")
    ] = None
    quiet: Annotated[QuietKeys | None, Field(description="Hours in which what can wait does.")] = None
    backup_after: Annotated[
        Duration | None, Field(description="How long a channel may fail before its backup is told; 1m.")
    ] = None
    give_up: Annotated[Duration | None, Field(description="How long what could not be sent is tried again; 3d.")] = None


class AnnunciatorKeys(FileModel):
    """A horn or lamp at the site."""

    device: Annotated[Id, Field(description="The device that switches it.", examples=["relay-1"])]
    point: Annotated[
        Snake, Field(description="A boolean point that the role annunciator may write.", examples=["siren"])
    ]
    priorities: Annotated[Priorities, Field(description="New alarms that sound it, whatever the routes say.")] = (
        "critical",
    )
    duration: Annotated[Duration | None, Field(description="It ends by itself after this time; 5m.")] = None
    silence: Annotated[
        Duration | None,
        Field(
            description="Silenced, it sounds again after this time if nobody acknowledged; without it only with the "
            "next new alarm."
        ),
    ] = None
