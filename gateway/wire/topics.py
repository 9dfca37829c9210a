"""MQTT topic names: `vigil/v1/<site>/<device>/<channel>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

PREFIX = "vigil/v1"
SITE = "_site"
"""Stands for the device where a message is about the whole site."""
GATEWAY = "_gateway"
"""Stands for the device where a message is about the gateway itself."""


class Channel(StrEnum):
    TELEMETRY = "telemetry"
    READINESS = "readiness"
    ALARM = "alarm"
    EVENT = "event"
    STATUS = "status"
    STORED = "stored"
    COMMAND = "cmd"
    REPLY = "cmd/reply"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic taken apart. `rule` stands only on the alarm channel; `device` may be `_site` or `_gateway`."""

    site: str
    device: str
    channel: Channel
    rule: str | None = None

    def __str__(self) -> str:
        tail = f"/{self.rule}" if self.rule is not None else ""
        return f"{PREFIX}/{self.site}/{self.device}/{self.channel.value}{tail}"


@lru_cache(maxsize=8192)
def telemetry(site: str, device: str) -> str:
    return f"{PREFIX}/{site}/{device}/telemetry"


def readiness(site: str, device: str) -> str:
    return f"{PREFIX}/{site}/{device}/readiness"


def alarm(site: str, device: str, rule: str) -> str:
    return f"{PREFIX}/{site}/{device}/alarm/{rule}"


def event(site: str, device: str) -> str:
    return f"{PREFIX}/{site}/{device}/event"


def status(site: str) -> str:
    return f"{PREFIX}/{site}/{GATEWAY}/status"


def stored(site: str) -> str:
    return f"{PREFIX}/{site}/{GATEWAY}/stored"


def command(site: str, device: str) -> str:
    return f"{PREFIX}/{site}/{device}/cmd"


def reply(site: str, device: str) -> str:
    return f"{PREFIX}/{site}/{device}/cmd/reply"


#: Who may stand for <device> on a channel, beside real devices.
_SPECIAL: dict[Channel, frozenset[str]] = {
    Channel.TELEMETRY: frozenset({GATEWAY}),
    Channel.READINESS: frozenset({SITE}),
    Channel.ALARM: frozenset({SITE, GATEWAY}),
    Channel.EVENT: frozenset({SITE, GATEWAY}),
    Channel.STATUS: frozenset({GATEWAY}),
    Channel.STORED: frozenset({GATEWAY}),
    Channel.COMMAND: frozenset({SITE, GATEWAY}),
    Channel.REPLY: frozenset({SITE, GATEWAY}),
}
_ONLY_GATEWAY = frozenset({Channel.STATUS, Channel.STORED})
_TOPIC = re.compile(
    r"vigil/v1/(?P<site>[a-z0-9-]{1,32})/(?P<device>[a-z0-9-]{1,32}|_site|_gateway)/"
    r"(?:alarm/(?P<rule>[A-Za-z0-9_.-]{1,64})|(?P<channel>telemetry|readiness|event|status|stored|cmd|cmd/reply))"
)


@lru_cache(maxsize=8192)
def parse(topic: str) -> Topic | None:
    """The parts of `topic`, or None where it is not one of ours."""
    found = _TOPIC.fullmatch(topic)
    if not found:
        return None
    site, device, rule = found["site"], found["device"], found["rule"]
    channel = Channel.ALARM if rule is not None else Channel(found["channel"])
    if device.startswith("_"):
        if device not in _SPECIAL[channel]:
            return None
    elif channel in _ONLY_GATEWAY:
        return None
    return Topic(site, device, channel, rule)
