"""Second stage: alarms that are superfluous while others stand. They wait; what has ended meanwhile is not told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.dispatch.route import fits
from gateway.model import AlarmState
from gateway.settings.notify_types import Inhibit


def is_source(alarm: AlarmState, rules: Sequence[Inhibit]) -> bool:
    """Whether others may be superfluous because of it."""
    return any(fits(rule.source, alarm) for rule in rules)


def is_inhibited(alarm: AlarmState, standing: Iterable[AlarmState], rules: Sequence[Inhibit]) -> bool:
    """Whether one of the `standing` alarms makes this one superfluous. None does so to itself, nor do two to each
    other: what is itself a source by the same rule is told."""
    wanted = [rule for rule in rules if fits(rule.target, alarm) and not fits(rule.source, alarm)]
    if not wanted:
        return False
    return any(
        fits(rule.source, source) and (not rule.same_device or source.device == alarm.device)
        for source in standing
        if source.key != alarm.key
        for rule in wanted
    )
