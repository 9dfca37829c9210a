"""From a message as it came to the rows it stands for, or to the reason why it stands for none."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ports import Fact
from gateway.wire import Malformed, decode, topics
from gateway.wire.facts import facts
from gateway.wire.json_text import NotJson, loads
from gateway.wire.members import parse_id
from gateway.wire.messages import NO_ID, MessageId

#: The channels that become rows; status, stored, commands and replies are not subscribed.
FILTERS = tuple(f"{topics.PREFIX}/+/+/{channel}" for channel in ("telemetry", "readiness", "alarm/+", "event"))


@dataclass(frozen=True, slots=True)
class Taken:
    """What one message gave. `id` is NO_ID where it has none; `fault` says why a malformed one could not be read."""

    facts: tuple[Fact, ...]
    site: str = ""
    id: MessageId = NO_ID
    fault: str = ""


EMPTY = Taken(())


def take(topic: str, payload: bytes) -> Taken:
    """Read one message. An empty payload clears a retained topic and says nothing else."""
    if not payload:
        return EMPTY
    parts = topics.parse(topic)
    if parts is None:
        return Taken((), fault="the topic is none of ours")
    try:
        message = decode(parts, payload)
    except Malformed as error:
        return Taken((), parts.site, _salvage_id(payload), str(error) or "malformed")
    return Taken(tuple(facts(parts, message)), parts.site, getattr(message, "id", NO_ID))


def _salvage_id(payload: bytes) -> MessageId:
    """The id of a message that cannot be read otherwise: its sender waits to hear that it is safe."""
    try:
        found = loads(payload)
    except NotJson:
        return NO_ID
    text = found.get("id") if isinstance(found, dict) else None
    return (parse_id(text) if isinstance(text, str) else None) or NO_ID
