"""Dead letters told as events of the sites they came from, so that the database itself says what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.ingest.dead_letters import FactLetter, Letter
from gateway.ports import Fact
from gateway.wire import topics
from gateway.wire.facts import facts
from gateway.wire.messages import Event
from gateway.wire.topics import GATEWAY, Channel, Topic

TYPE = "dead_letter"
CENTRE = "_centre"
"""Stands for the site where none can be told, and for those beyond the first MOST_SITES."""
MOST_SITES = 20
LONGEST_REASON = 200
_OWN_TAGS = frozenset({"site", "device", "kind", "rule", "point", "type"})


@dataclass(slots=True)
class _Tally:
    labels: Mapping[str, str]
    why: str
    count: int = 0


def events(letters: Iterable[Letter], at_ms: int) -> list[Fact]:
    """A row for each site: how many letters, and why the first one is dead."""
    found: dict[str, _Tally] = {}
    for letter in letters:
        site, labels = _origin(letter)
        if site not in found and len(found) >= MOST_SITES:
            site, labels = CENTRE, {}
        found.setdefault(site, _Tally(labels, letter.reason[:LONGEST_REASON])).count += 1
    return [
        row
        for site, tally in found.items()
        for row in facts(
            Topic(site, GATEWAY, Channel.EVENT),
            Event("gateway", tally.labels, TYPE, {"count": tally.count, "why": tally.why}, ts=at_ms),
        )
    ]


def _origin(letter: Letter) -> tuple[str, Mapping[str, str]]:
    """The site and, where a row was made already, its labels."""
    if isinstance(letter, FactLetter):
        tags = dict(letter.fact.tags)
        return tags.get("site", CENTRE), {name: value for name, value in tags.items() if name not in _OWN_TAGS}
    parts = topics.parse(letter.topic)
    return (CENTRE if parts is None else parts.site), {}
