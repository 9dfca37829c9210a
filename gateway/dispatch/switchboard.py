"""The stages put together: what is to be said on each channel, and what became of it. Pure but for what it remembers.

route -> inhibit -> group -> deduplicate on the log of what was sent -> send (gateway.dispatch.crew) -> record -> repeat
-> escalate. Every method that changes something gives the documents to keep; `now` is board time, `wall` UTC ms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import TypeAlias

from gateway.dispatch import advance
from gateway.dispatch.group import Batch, batch, choose
from gateway.dispatch.incident import Delivery, Incident, What, is_kept_back, stands
from gateway.dispatch.inhibit import is_inhibited, is_source
from gateway.dispatch.keeping import PREFIX, document, document_key, from_document
from gateway.dispatch.pace import Pace
from gateway.dispatch.route import route_of
from gateway.dispatch.schedule import deliveries, quiet_until
from gateway.model import AlarmState, Transition
from gateway.settings.notify_types import NotifySettings

Kept: TypeAlias = dict[str, bytes | None]

MOST_INCIDENTS = 5_000
"""Alarms that are followed at once; of more, those of the lowest priority are not told, which is counted."""
NEVER = float("inf")
_SPOKEN_AT_ONCE = (What.ESCALATED, What.REPEATED)


class Switchboard:
    """All incidents of a site and the books of its channels."""

    def __init__(self, settings: NotifySettings, site: str, zone: tzinfo) -> None:
        self._site = site
        self._zone = zone
        self.settings = settings
        self.paces = {name: Pace(round(each.pace_s * 1000)) for name, each in settings.channels.items()}
        self._incidents: dict[str, Incident] = {}
        self._on: dict[str, dict[str, tuple[Delivery, ...]]] = {name: {} for name in settings.channels}
        self._untold: dict[str, int] = {}
        """Transitions of an alarm that are not on disk yet."""
        self._last: dict[tuple[str, str], int] = {}
        """When a channel last heard of a device."""
        self._soonest: dict[str, float] = {}
        """No delivery of the channel is due before; may be too early, never too late."""
        self._stuck: dict[str, tuple[str, frozenset[str]]] = {}
        """The notice of a channel that is to be tried again as it was."""
        self.dropped = 0

    # coming in

    def restore(self, found: Mapping[str, bytes], now: int) -> None:
        """Go on with what was kept by the last run."""
        longest_ms = round(
            max((max(route.group_wait_s.values()) for route in self.settings.routes), default=0.0) * 1000
        )
        for key, data in found.items():
            incident = from_document(data, now, max(longest_ms, advance.ENDED_WAIT_MS))
            self._put(key.removeprefix(PREFIX), incident)
            for channel, told in incident.told.items():
                at = (channel, incident.alarm.device)
                self._last[at] = max(self._last.get(at, 0), told.at)

    def correct(self, alarms: Iterable[AlarmState], now: int) -> Kept:
        """Bring what was restored to how the alarms stand: transitions may have happened while nobody was told."""
        found = {alarm.key: alarm for alarm in alarms}
        changed: Kept = {}
        for key, incident in tuple(self._incidents.items()):
            after = advance.corrected(incident, found.get(key), self.settings.routes, now)
            if after is not incident:
                changed |= self._keep(key, after)
        return changed

    def plan(self, transition: Transition, now: int, wall: int) -> Kept:
        """Take a transition in that is about to be kept."""
        key = transition.after.key
        known = self._incidents.get(key)
        incident = advance.advance(known, transition, self.settings.routes, now, wall)
        if incident is None and known is None:
            return {}
        evicted: Kept = {}
        if known is None and len(self._incidents) >= MOST_INCIDENTS and incident is not None:
            evicted = self._make_room(incident)
            if not evicted:
                return {}
        self._untold[key] = self._untold.get(key, 0) + 1
        return evicted | self._keep(key, incident)

    def told(self, transition: Transition) -> None:
        """It is on disk."""
        key = transition.after.key
        left = self._untold.pop(key, 0) - 1
        if left > 0:
            self._untold[key] = left
            return
        for on_channel in self._on.values():
            for each in on_channel.get(key, ()):
                self._expect(each)  # who looked meanwhile passed it over

    def replace(self, settings: NotifySettings, zone: tzinfo) -> Kept:
        """These settings hold from now on; channels that are the same keep their books."""
        before, self.settings, self._zone = self.settings, settings, zone
        same = {name for name, each in settings.channels.items() if before.channels.get(name) == each}
        self.paces = {
            name: self.paces[name] if name in same else Pace(round(each.pace_s * 1000))
            for name, each in settings.channels.items()
        }
        self._stuck = {name: each for name, each in self._stuck.items() if name in same}
        self._soonest.clear()
        self._on = {name: {} for name in settings.channels}
        changed: Kept = {}
        for key, incident in tuple(self._incidents.items()):
            after = advance.without(incident, settings.channels)
            changed |= self._keep(key, after) if after != incident else {}
            if after is not None:
                self._put(key, after)
        return changed

    # going out

    def take(self, channel: str, now: int, wall: int) -> tuple[str, Batch] | None:
        """The next notice of a channel with its id, if one is due and the channel may go."""
        at, pace = self.next_at(channel, now, wall), self.paces[channel]
        if at is None or at > now or pace.next_at(now) > now:
            return None
        waiting = self._waiting(channel)
        due = [each for each in waiting if self._due(each, now, wall) <= now]
        if not due:
            return None
        again = self._again(channel, waiting, due)
        if again is not None:
            return again
        chosen = choose(due, max(1, pace.room(now)))
        devices, ids = {each.device for each in chosen}, {each.id for each in chosen}
        is_digest = len(devices) > 1
        company = [
            each
            for each in waiting
            if (is_digest or each.device in devices) and each.id not in ids and self._may_join(each)
        ]
        made = batch(channel, [*chosen, *company], self._incidents)
        digest = hashlib.blake2s("\n".join(sorted(made.ids)).encode(), digest_size=4)
        return f"{self._site}-{digest.hexdigest()}", made

    def next_at(self, channel: str, now: int, wall: int) -> int | None:
        """When to look again; None: not before something happens."""
        if not self._on[channel]:
            return None
        due: float = self._soonest.get(channel, 0)
        if due <= now:
            due = min((self._due(each, now, wall) for each in self._waiting(channel)), default=NEVER)
            self._soonest[channel] = due
        if due == NEVER:
            return None
        pace = self.paces[channel]
        at = max(round(due), pace.next_at(now))
        if pace.is_failing and pace.failing_since is not None:
            backup_at = pace.failing_since + round(self.settings.backup_after_s * 1000)
            return min(at, backup_at) if backup_at > now else at
        return at

    def sent(self, made: Batch, now: int) -> Kept:
        """The notice was taken by the other side."""
        self._stuck.pop(made.channel, None)
        changed: Kept = {}
        for line in made.lines:
            done = [each for each in made.deliveries if each.key == line.alarm.key]
            self._last[made.channel, line.alarm.device] = now
            incident = self._incidents.get(line.alarm.key)
            if incident is not None:
                changed |= self._keep(
                    line.alarm.key, advance.sent(incident, done, line.alarm, self.settings.routes, now)
                )
        return changed

    def failed(self, id_: str, made: Batch, now: int) -> tuple[list[Delivery], Kept]:
        """The notice is to be tried again as it is, unless something more urgent comes. What is given up because it was
        tried for too long."""
        self._stuck[made.channel] = id_, made.ids
        limit = now - self.settings.give_up_s * 1000
        late = [each for each in self._waiting(made.channel) if each.due < limit and each.planned < limit]
        self.paces[made.channel].failed += bool(late)
        return late, self._drop(late, now)

    def refused(self, made: Batch, now: int) -> Kept:
        """The channel will never take this notice: others are told at once."""
        self._stuck.pop(made.channel, None)
        changed = self._hand_on(made.deliveries, now)
        return changed | self._drop(made.deliveries, now)

    def hand_on(self, now: int) -> Kept:
        """Tell the backups of what waits on channels that have failed for too long."""
        changed: Kept = {}
        for channel, pace in self.paces.items():
            since = pace.failing_since
            if pace.is_failing and since is not None and now - since >= self.settings.backup_after_s * 1000:
                changed |= self._hand_on([each for each in self._waiting(channel) if each.due <= now], now)
        return changed

    @property
    def waiting(self) -> int:
        """Things to be said that are planned and not said, over all channels."""
        return sum(len(incident.pending) for incident in self._incidents.values())

    def incidents(self) -> Mapping[str, Incident]:
        """Everything that is followed, by alarm."""
        return self._incidents

    # inside

    def _waiting(self, channel: str) -> list[Delivery]:
        """All deliveries of a channel, now or later, of alarms whose last transition is on disk and that no other makes
        superfluous."""
        rules = self.settings.inhibit
        found = [each for key, several in self._on[channel].items() if key not in self._untold for each in several]
        if not rules or not found:
            return found
        sources = [
            each.alarm
            for each in self._incidents.values()
            if stands(each.alarm) and not is_kept_back(each.alarm) and is_source(each.alarm, rules)
        ]
        if not sources:
            return found
        return [each for each in found if not is_inhibited(self._incidents[each.key].alarm, sources, rules)]

    def _due(self, each: Delivery, now: int, wall: int) -> int:
        due = self._spaced(each)
        quiet = self.settings.quiet
        if quiet is not None and due <= now and each.priority in quiet.priorities:
            until = quiet_until(quiet, wall, self._zone)
            return due if until is None else now + max(1, until - wall)
        return due

    def _spaced(self, each: Delivery) -> int:
        """When it is due by what the channel last heard of the device."""
        last = None if each.what in _SPOKEN_AT_ONCE else self._last.get((each.channel, each.device))
        if last is None:
            return each.due
        route = route_of(self._incidents[each.key].alarm, each.channel, self.settings.routes)
        return each.due if route is None else max(each.due, last + round(route.group_interval_s[each.priority] * 1000))

    def _may_join(self, each: Delivery) -> bool:
        """Waiting for nothing but company; what is quiet stays so."""
        quiet = self.settings.quiet
        is_planned = each.what not in _SPOKEN_AT_ONCE
        return is_planned and not (quiet is not None and each.priority in quiet.priorities)

    def _again(self, channel: str, waiting: Sequence[Delivery], due: Sequence[Delivery]) -> tuple[str, Batch] | None:
        stuck = self._stuck.get(channel)
        if stuck is None:
            return None
        same = [each for each in waiting if each.id in stuck[1]]
        if not same:
            del self._stuck[channel]
            return None
        if max(each.priority.level for each in due) > max(each.priority.level for each in same):
            return None
        return stuck[0], batch(channel, same, self._incidents)

    def _hand_on(self, failing: Iterable[Delivery], now: int) -> Kept:
        changed: Kept = {}
        for each in failing:
            incident = self._incidents.get(each.key)
            route = None if incident is None else route_of(incident.alarm, each.channel, self.settings.routes)
            if incident is None or route is None or each.what is What.REPEATED or each.channel in route.backup:
                continue
            backup = next((name for name in route.backup if not self.paces[name].is_failing), None)
            if backup is not None:
                after = advance.handed_on(incident, each, backup, now)
                if after is not incident:
                    changed |= self._keep(each.key, after)
        return changed

    def _drop(self, late: Sequence[Delivery], now: int) -> Kept:
        changed: Kept = {}
        for key in {each.key for each in late}:
            incident = self._incidents.get(key)
            if incident is not None:
                changed |= self._keep(key, advance.dropped(incident, [each for each in late if each.key == key], now))
        return changed

    def _make_room(self, wanted: Incident) -> Kept:
        """Forget the incident of the lowest priority, if it is lower than that of `wanted`; nothing where none is."""
        self.dropped += 1
        key, least = min(self._incidents.items(), key=lambda item: (item[1].alarm.priority.level, -item[1].called))
        return self._keep(key, None) if least.alarm.priority.level < wanted.alarm.priority.level else {}

    def _keep(self, key: str, incident: Incident | None) -> Kept:
        self._put(key, incident)
        return {document_key(key): None if incident is None else document(incident)}

    def _put(self, key: str, incident: Incident | None) -> None:
        for known in self._on.values():
            known.pop(key, None)
        if self.settings.inhibit:
            self._soonest.clear()
        if incident is None:
            self._incidents.pop(key, None)
            return
        self._incidents[key] = incident
        for each in deliveries(incident, self.settings.routes):
            if each.channel in self._on:
                of_channel = self._on[each.channel]
                of_channel[key] = (*of_channel.get(key, ()), each)
                self._expect(each)

    def _expect(self, each: Delivery) -> None:
        """Look again when this is due, at the latest."""
        self._soonest[each.channel] = min(self._soonest.get(each.channel, 0), self._spaced(each))
