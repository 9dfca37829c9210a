"""Which sites and devices have fallen silent, and the rows that say so. Pure: it is given messages and the time.

Everything it writes is a function of what the sites last said, so that any number of workers write the same rows:
`unknown` readiness at `valid_until` + n * 60 s, an alarm `site_silent` at the site's last `valid_until` + n * 10 min.
Retained messages tell it all it knows; nothing is kept on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.ingest import silence
from gateway.ports import Fact
from gateway.wire import Malformed, decode, topics
from gateway.wire.facts import facts
from gateway.wire.messages import DeviceReadiness, GatewayStatus, SiteReadiness
from gateway.wire.topics import Channel, Topic

FILTERS = (f"{topics.PREFIX}/+/+/readiness", f"{topics.PREFIX}/+/{topics.GATEWAY}/status")

#: A gateway publishes readiness every 60 s; who has not heard one for longer after connecting may believe it is gone.
GRACE_S = 90.0
#: Up to this difference a site's clock counts as right, and `valid_until` is taken as it stands.
CLOCK_TOLERANCE_MS = 120_000
#: How long a site that is back has to show, by what it sends late, that it was running all the time.
VERDICT_S = 120.0
ROW_EVERY_MS = 60_000
ALARM_EVERY_MS = 600_000
#: Rows written at most for the time before this worker looked, beside the first.
LATE_ROWS = 60
MAX_ENTRIES = 200_000
MAX_SITES = 20_000

Readiness = DeviceReadiness | SiteReadiness


@dataclass(slots=True)
class _Entry:
    """One readiness topic: what it last said and until when that holds."""

    topic: Topic
    said: Readiness
    expires_s: float
    """Monotonic."""
    next_row: int = 0


@dataclass(slots=True)
class _Return:
    """A site that is back, of which it is not known yet where it has been."""

    silent_from: int
    last_ts: int
    back_ts: int
    expired_at_s: float
    decide_by_s: float
    earliest_late: int | None = None
    """The oldest time stamp within the silence that it has sent late."""


@dataclass(slots=True)
class _Site:
    entries: dict[str, _Entry] = field(default_factory=dict)
    status: GatewayStatus | None = None
    status_at_s: float = float("-inf")
    silent_from: int | None = None
    """`valid_until` of the last word, once that has passed."""
    next_alarm: int = 0
    returned: _Return | None = None
    was_heard: bool = False
    """Whether something that held when it came was seen of it."""

    @property
    def expires_s(self) -> float:
        return max(entry.expires_s for entry in self.entries.values())

    @property
    def valid_until(self) -> int:
        return max(entry.said.valid_until for entry in self.entries.values())

    @property
    def last(self) -> Readiness:
        return max((entry.said for entry in self.entries.values()), key=lambda said: (said.valid_until, said.ts))


class Watch:
    """Give it every message of `FILTERS` (`see`), and take from it what is due (`due`)."""

    def __init__(self, grace_s: float = GRACE_S, verdict_s: float = VERDICT_S) -> None:
        self._grace_s = grace_s
        self._verdict_s = verdict_s
        self._sites: dict[str, _Site] = {}
        self._entries = 0
        self._settled_at_s = float("inf")
        self._is_blind = True
        self.refused = 0
        """Messages not watched because there are more than MAX_SITES or MAX_ENTRIES."""
        self.fell_silent = 0
        """How often a site fell silent."""
        self.news: list[tuple[str, str]] = []
        """(site, `silent` or why it was) since somebody last cleared them."""

    @property
    def silent_sites(self) -> int:
        return sum(site.silent_from is not None for site in self._sites.values())

    @property
    def watched(self) -> int:
        """Devices and sites whose readiness is watched."""
        return self._entries

    def connected(self, now_s: float) -> None:
        """The broker is there (again): sites may take a while to be there too."""
        self._is_blind = False
        self._settled_at_s = now_s + self._grace_s

    def disconnected(self) -> None:
        """Nothing can be seen: what expires now is unknown, but no site is to blame."""
        self._is_blind = True

    def see(self, topic: str, payload: bytes, *, retained: bool, now_s: float, wall_ms: int) -> list[Fact]:
        """Take in one message; gives the rows that its coming makes due."""
        parts = topics.parse(topic)
        if parts is None:
            return []
        if not payload:
            return self._forget(parts, wall_ms)
        try:
            message = decode(parts, payload)
        except Malformed:  # the worker has it in its dead letters
            return []
        if isinstance(message, GatewayStatus):
            if site := self._site(parts.site):
                site.status, site.status_at_s = message, now_s
            return []
        if isinstance(message, (DeviceReadiness, SiteReadiness)):
            return self._see_readiness(parts, message, retained, now_s, wall_ms)
        return []

    def due(self, now_s: float) -> list[Fact]:
        """All rows whose time has come since the last call."""
        if now_s < self._settled_at_s and not self._is_blind:
            return []
        rows: list[Fact] = []
        for name, site in self._sites.items():
            if not site.entries:
                continue
            rows += self._due_readiness(site, now_s)
            if not self._is_blind:
                rows += self._due_verdict(name, site, now_s)
                rows += self._due_alarm(name, site, now_s)
        return rows

    # what came

    def _site(self, name: str) -> _Site | None:
        """The site, met now or before; None where there are too many."""
        if name not in self._sites:
            if len(self._sites) >= MAX_SITES:
                self.refused += 1
                return None
            self._sites[name] = _Site()
        return self._sites[name]

    def _see_readiness(self, topic: Topic, said: Readiness, retained: bool, now_s: float, wall_ms: int) -> list[Fact]:
        site = self._site(topic.site)
        if site is None:
            return []
        back = site.returned
        if said.backlog and back and back.last_ts < said.ts < back.back_ts:
            back.earliest_late = min(said.ts, back.earliest_late or said.ts)
        known = site.entries.get(topic.device)
        if known is not None and (said.ts, said.id.seq) <= (known.said.ts, known.said.id.seq):
            return []
        expires_s = _expiry(said, retained, now_s, wall_ms)
        rows: list[Fact] = []
        if expires_s > now_s:
            if site.silent_from is not None:
                rows = self._come_back(topic.site, site, site.silent_from, said, now_s)
            elif retained and not site.was_heard:
                rows = silence.alarm_over(topic.site, said, said.ts)  # it may have come back while nobody looked
            site.was_heard = True
        if known is None:
            if self._entries >= MAX_ENTRIES:
                self.refused += 1
                return rows
            self._entries += 1
            site.entries[topic.device] = _Entry(topic, said, expires_s)
        else:
            known.said, known.expires_s, known.next_row = said, expires_s, 0
        if site.silent_from is not None and site.silent_from != site.valid_until:
            site.silent_from, site.next_alarm = site.valid_until, 0  # its last word was a later one
        return rows

    def _come_back(self, name: str, site: _Site, silent_from: int, said: Readiness, now_s: float) -> list[Fact]:
        rows = self._verdict(name, site, site.returned) if site.returned else []
        last_ts = max(entry.said.ts for entry in site.entries.values())
        back_ts = max(said.ts, silent_from + 1)
        site.returned = _Return(silent_from, last_ts, back_ts, site.expires_s, now_s + self._verdict_s)
        site.silent_from, site.next_alarm = None, 0
        return [*rows, *silence.alarm_over(name, said, back_ts)]

    def _forget(self, topic: Topic, wall_ms: int) -> list[Fact]:
        """A device, or with its last device a site, was taken out of service."""
        site = self._sites.get(topic.site)
        if site is None:
            return []
        rows: list[Fact] = []
        if topic.channel is Channel.STATUS:
            site.status = None
        elif (entry := site.entries.pop(topic.device, None)) is not None:
            self._entries -= 1
            if not site.entries:
                if site.silent_from is not None:
                    rows = silence.alarm_over(topic.site, entry.said, max(wall_ms, site.silent_from + 1))
                site.silent_from = site.returned = None
        if not site.entries and site.status is None:
            del self._sites[topic.site]
        return rows

    # what is due

    def _due_readiness(self, site: _Site, now_s: float) -> Iterator[Fact]:
        silent_from = site.valid_until
        for entry in site.entries.values():
            if now_s < entry.expires_s:
                continue
            latest = int((now_s - entry.expires_s) * 1000) // ROW_EVERY_MS
            for number in _numbers(entry.next_row, latest):
                ts = entry.said.valid_until + number * ROW_EVERY_MS
                why = silence.why(is_blind=self._is_blind, is_site_silent=ts >= silent_from)
                yield from facts(entry.topic, silence.unknown(entry.said, why, ts))
            entry.next_row = max(entry.next_row, latest + 1)

    def _due_alarm(self, name: str, site: _Site, now_s: float) -> Iterator[Fact]:
        if now_s < site.expires_s:
            return
        if site.silent_from is None:
            if site.returned:
                yield from self._verdict(name, site, site.returned)
            site.silent_from, site.next_alarm = site.valid_until, 0
            self.fell_silent += 1
            self.news.append((name, "silent"))
        latest = int((now_s - site.expires_s) * 1000) // ALARM_EVERY_MS
        for number in _numbers(site.next_alarm, latest):
            ts = site.silent_from + number * ALARM_EVERY_MS
            yield from silence.alarm(name, site.last, site.silent_from, ts, site.status, len(site.entries))
        site.next_alarm = max(site.next_alarm, latest + 1)

    def _due_verdict(self, name: str, site: _Site, now_s: float) -> list[Fact]:
        back = site.returned
        if back is None:
            return []
        was_running = _was_running(site, back)
        return self._verdict(name, site, back) if was_running or now_s >= back.decide_by_s else []

    def _verdict(self, name: str, site: _Site, back: _Return) -> list[Fact]:
        site.returned = None
        was_running = _was_running(site, back)
        self.news.append((name, "cut_off" if was_running else "off"))
        return silence.returned(name, site.last, back.silent_from, back.back_ts, was_running=was_running)


def _was_running(site: _Site, back: _Return) -> bool:
    """Whether the gateway ran while it was silent, as far as is known: it began before, or it sends late what it saw
    before it began anew (what it saw since then only shows that it has been on for a moment)."""
    status = site.status
    began = back.back_ts - CLOCK_TOLERANCE_MS
    if status and status.online and status.since is not None and site.status_at_s >= back.expired_at_s:
        began = status.since
        if began <= back.last_ts:
            return True
    return back.earliest_late is not None and back.earliest_late < began


def _expiry(said: Readiness, retained: bool, now_s: float, wall_ms: int) -> float:
    """Monotonic time at which `said` ceases to hold: at `valid_until`, and never later than if it had been said just
    now. Where the site's clock is wrong a fresh message holds as long as it would on its own clock."""
    at_most_s = now_s + (said.valid_until - said.ts) / 1000
    is_fresh = not retained and not said.backlog
    if is_fresh and abs(wall_ms - said.ts) > CLOCK_TOLERANCE_MS:
        return at_most_s
    return min(at_most_s, now_s + (said.valid_until - wall_ms) / 1000)


def _numbers(first: int, latest: int) -> Iterable[int]:
    """Row numbers from `first` to `latest`: the very first always, and no more than LATE_ROWS others."""
    if first == 0 <= latest:
        yield 0
        first = 1
    yield from range(max(first, latest - LATE_ROWS + 1), latest + 1)
