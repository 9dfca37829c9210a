"""Alarms as a viewer sees them, in one language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from gateway.model import AlarmCondition, AlarmState, Suppression
from gateway.web.alarm_words import (
    ALARM_WORDS,
    CONDITIONS,
    EVENTS,
    PRIORITY_SIGNS,
    PRIORITY_WORDS,
    SUPPRESSIONS,
)
from gateway.web.board import arrange, is_open, tally, urgency
from gateway.web.history import Step
from gateway.web.showing import Showing, Shown
from gateway.web.words import duration

MOST_SHOWN = 60
"""Alarms of one list; in a flood the most urgent are here, and how many more there are."""
MOST_FOLLOWERS = 20


def badge_shown(showing: Showing, language: str) -> Shown:
    """What every page says of alarms."""
    found = tally(showing.alarms)
    loudest = min((each for each in showing.alarms if is_open(each)), key=urgency, default=None)
    return {
        "text": f"{showing.place(loudest.device, language)} · {loudest.text[language]}" if loudest else "",
        "open": found.open,
        "unacked": found.unacked,
        "priority": found.worst.value if found.worst else "",
        "sign": PRIORITY_SIGNS[found.worst] if found.worst else "",
        "words": f"{found.unacked} {ALARM_WORDS['unacked'][language]}" if found.unacked else "",
    }


def board_shown(showing: Showing, language: str) -> Shown:
    """All alarms in their places; of each place the most urgent."""
    board = arrange(showing.alarms)

    def some(alarms: tuple[AlarmState, ...]) -> list[Shown]:
        return [alarm_shown(showing, each, language) for each in alarms[:MOST_SHOWN]]

    listed = [
        {
            **alarm_shown(showing, group.first, language),
            "followers": [alarm_shown(showing, each, language) for each in group.followers[:MOST_FOLLOWERS]],
            "more": max(0, len(group.followers) - MOST_FOLLOWERS),
        }
        for group in board.open[:MOST_SHOWN]
    ]
    return {
        "open": listed,
        "more": sum(1 + len(group.followers) for group in board.open[MOST_SHOWN:]),
        "folds": [
            {
                "id": name,
                "words": ALARM_WORDS[f"{name}_alarms"][language],
                "count": len(alarms),
                "alarms": some(alarms),
                "is_open": name == "stale",
            }
            for name, alarms in (
                ("stale", board.stale),
                ("shelved", board.shelved),
                ("suppressed", board.suppressed),
                ("serviced", board.out_of_service),
            )
            if alarms
        ],
    }


def device_alarms_shown(showing: Showing, device: str, language: str) -> list[Shown]:
    """Every alarm of one device, the most urgent first."""
    board = arrange(each for each in showing.alarms if each.device == device)
    found = [each for group in board.open for each in (group.first, *group.followers)]
    found += [*board.stale, *board.shelved, *board.suppressed, *board.out_of_service]
    return [alarm_shown(showing, each, language) for each in found[:MOST_SHOWN]]


def alarm_shown(showing: Showing, alarm: AlarmState, language: str) -> Shown:
    """One alarm: what, where, since when, why, what to do, and what may be done with it."""
    now = showing.view.clock.wall_ms()
    return {
        "id": f"alarm-{alarm.device}-{alarm.rule}",
        "device": alarm.device,
        "rule": alarm.rule,
        "place": showing.place(alarm.device, language),
        "is_device": alarm.device in showing.devices,
        "priority": alarm.priority.value,
        "sign": PRIORITY_SIGNS[alarm.priority],
        "colour": PRIORITY_WORDS[alarm.priority][language],
        "text": alarm.text[language],
        "action": alarm.action[language],
        "because": showing.because(alarm.device, alarm.because, language),
        "condition": alarm.condition.value.lower(),
        "word": CONDITIONS[alarm.condition][language],
        "is_acked": alarm.condition.is_acked,
        "is_active": alarm.condition.is_active,
        "is_first_out": alarm.is_first_out and _has_followers(showing, alarm),
        "since": showing.time(alarm.since),
        "lasting": duration(max(0, now - alarm.since), language) if alarm.since else "",
        "notes": list(_notes(showing, alarm, language)),
        "acks": [{"by": each.by, "time": showing.time(each.ts), "note": each.note} for each in alarm.acks],
        "can": sorted(possible_acts(alarm)),
        "is_half_acked": is_half_acked(alarm),
        "ackers": [each.by for each in alarm.acks],
    }


def is_half_acked(alarm: AlarmState) -> bool:
    """Somebody acknowledged it, and one more has to."""
    return not alarm.condition.is_acked and 0 < len(alarm.acks) < alarm.acks_needed


_POSSIBLE: dict[str, Callable[[AlarmState], bool]] = {
    "ack": lambda alarm: not alarm.condition.is_acked,
    "reset": lambda alarm: alarm.condition is AlarmCondition.LATCHED_ACKED,
    "shelve": lambda alarm: alarm.shelved_until is None and alarm.work_order is None,
    "unshelve": lambda alarm: bool(alarm.shelf),
    "out_of_service": lambda alarm: alarm.work_order is None,
    "return": lambda alarm: alarm.work_order is not None,
}


def possible_acts(alarm: AlarmState) -> set[str]:
    """What makes sense to ask of it now; whether it is allowed is the desk's to say."""
    return {act for act, is_possible in _POSSIBLE.items() if is_possible(alarm)}


@cache
def _words(language: str) -> Mapping[str, str]:
    return {key: text[language] for key, text in ALARM_WORDS.items()}


def _notes(showing: Showing, alarm: AlarmState, language: str) -> list[str]:
    """What else there is to know, in few words."""
    words = _words(language)
    found = []
    if alarm.suppression is Suppression.SHELVED:
        asked = alarm.shelf[-1] if alarm.shelf else None
        who = f" · {asked.by}: {asked.note}" if asked else ""
        found.append(f"{words['shelved_until']} {showing.time(alarm.shelved_until)}{who}")
    elif alarm.suppression is Suppression.OUT_OF_SERVICE:
        found.append(f"{SUPPRESSIONS[alarm.suppression][language]} · {words['by_work_order']} {alarm.work_order}")
    elif alarm.suppression is Suppression.SUPPRESSED:
        found.append(f"{SUPPRESSIONS[alarm.suppression][language]} · {_suppressor(showing, alarm, language)}")
    if alarm.is_stale:
        found.append(words["stale_note"])
    if is_half_acked(alarm):
        found.append(f"{words['ack_half']} ({len(alarm.acks)}/{alarm.acks_needed} · {alarm.acks[-1].by})")
    elif not alarm.condition.is_acked and alarm.acks_needed > 1:
        found.append(words["ack_two"])
    if alarm.shelf and alarm.shelved_until is None:
        found.append(f"{words['shelve_half']} ({alarm.shelf[-1].by}: {alarm.shelf[-1].note})")
    if alarm.occurrences > 1:
        found.append(f"{words['times']} {alarm.occurrences}")
    return found


def _has_followers(showing: Showing, alarm: AlarmState) -> bool:
    return any(each.first_out == alarm.rule and each.device == alarm.device for each in showing.alarms)


def _suppressor(showing: Showing, alarm: AlarmState, language: str) -> str:
    """What keeps it from being announced."""
    what, _, which = alarm.suppressed_by.partition(" ")
    words = ALARM_WORDS.get(f"suppressed_{what}")
    return f"{words[language]} {showing.place(which, language) if which else ''}".rstrip() if words else ""


def step_shown(showing: Showing, step: Step, language: str) -> Shown:
    """One step in the life of an alarm."""
    return {
        "time": showing.time(step.ts),
        "word": EVENTS[step.event][language],
        "priority": step.priority.value,
        "condition": CONDITIONS[step.condition][language],
        "by": step.by,
        "note": step.note,
    }
