"""Why a rule says what it says, in the operator's language."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.model import Status
from gateway.rules.explain import explain
from gateway.rules.explanation import Decider, Delay, Explanation, LevelNow, Named, Says, Sort
from gateway.web.alarm_words import DELAYS, PRIORITY_SIGNS, PRIORITY_WORDS, SAYS, SAYS_SIGNS, SORTS
from gateway.web.rule_words import rule_word
from gateway.web.showing import Showing, Shown
from gateway.web.words import STATUSES, WORDS, duration, name_of, write_plain, write_value

_SORTS = tuple(Sort)
#: What a rule says, the most interesting first.
_ORDER = (Says.TRUE, Says.CANNOT_TELL, Says.FALSE)


def explanation_of(showing: Showing, device: str, rule: str) -> Explanation | None:
    """The rule as it stands, None where there is no such device or rule."""
    view = showing.view
    try:
        return explain(view.judge, view.snapshot, device, rule, view.clock.monotonic(), view.clock.wall_ms())
    except KeyError:
        return None


def why_shown(showing: Showing, told: Explanation, language: str) -> Shown:
    """One explanation: the answer, the values it rests on, every level with its condition."""
    return {
        "says": told.says.value,
        "sign": SAYS_SIGNS[told.says],
        "word": SAYS[told.says][language],
        "text": told.text[language],
        "action": told.action[language],
        "rule": told.rule,
        "since": showing.time(told.since),
        "why": told.why[language],
        "missing": [_label(showing, told.device, name, told.names, language) for name in told.missing],
        "asked": [
            _named(showing, told.device, each, language)
            for each in sorted(told.names, key=lambda each: _SORTS.index(each.sort))
        ],
        "levels": [_level(showing, each, language) for each in told.levels],
        "mask": {
            "condition": told.mask.condition,
            "word": SAYS[told.mask.says][language],
            "deciders": _deciders(told.mask.deciders, language),
            "delays": _delays(showing, told.mask.delays, language),
        }
        if told.mask is not None
        else None,
        "overrides": [f"{each.key}: {each.before} → {each.after}" for each in told.overrides],
    }


def rules_shown(showing: Showing, device: str, language: str) -> list[Shown]:
    """Every rule a device is judged by, with what it says; those that hold first."""
    rules = showing.view.judge.rules(device)
    verdicts = {verdict.rule: verdict for verdict in rules.verdicts()}
    found = []
    for bound in rules.binding.rules:
        verdict = verdicts.get(bound.rule.name)
        is_unsure = verdict is None or verdict.unsure
        says = Says.CANNOT_TELL if is_unsure else Says.TRUE if verdict is not None and verdict.level else Says.FALSE
        found.append(
            {
                "rule": bound.rule.name,
                "text": bound.rule.text[language],
                "says": says.value,
                "sign": SAYS_SIGNS[says],
                "word": SAYS[says][language],
                "order": _ORDER.index(says),
            }
        )
    return sorted(found, key=lambda each: each["order"])


def _label(showing: Showing, device: str, name: str, names: Iterable[Named], language: str) -> str:
    point = showing.any_point(device, name)
    if point is not None:
        return name_of(point, language)
    known = next((each for each in names if each.name == name), None)
    if known is not None and known.label is not None:
        return known.label[language]
    settings = next((each for each in showing.view.site.devices if each.id == device), None)
    kind = showing.view.site.kinds.get("gateway" if settings is None else settings.kind)
    word = rule_word(name, kind.facts if kind is not None else {})
    return word[language] if word is not None else name


def _named(showing: Showing, device: str, named: Named, language: str) -> Shown:
    point = showing.any_point(device, named.name)
    if point is not None:
        text = write_value(named.value, point, language)
    elif named.word is not None:
        text = named.word[language]
    elif isinstance(named.value, bool):
        text = WORDS["yes" if named.value else "no"][language]
    elif isinstance(named.value, float):
        text = f"{named.value:.4g}"
    else:
        text = "—" if named.value is None else write_plain(named.value)
    quality = ""
    if named.status is not None and named.status != Status.Good.name:
        quality = STATUSES[Status[named.status]][language]
    if named.is_stale:
        quality = f"{WORDS['stale'][language]} {duration(named.age_ms or 0, language)}"
    return {
        "name": named.name,
        "label": _label(showing, device, named.name, (named,), language),
        "sort": SORTS[named.sort][language],
        "text": text,
        "unit": named.unit,
        "quality": quality,
        "grade": "bad" if named.value is None else "good",
        "formula": named.formula or "",
    }


def _level(showing: Showing, level: LevelNow, language: str) -> Shown:
    return {
        "priority": level.priority.value,
        "sign": PRIORITY_SIGNS[level.priority],
        "colour": PRIORITY_WORDS[level.priority][language],
        "text": level.text[language],
        "condition": level.condition,
        "says": level.says.value,
        "word": SAYS[level.says][language],
        "deciders": _deciders(level.deciders, language),
        "clears": level.clear or "",
        "is_over": SAYS[level.is_over][language] if level.is_over is not None else "",
        "is_held": level.is_held,
        "delays": _delays(showing, level.delays, language),
    }


def _deciders(deciders: Iterable[Decider], language: str) -> list[Shown]:
    return [{"text": each.text, "says": each.says.value, "word": SAYS[each.says][language]} for each in deciders]


def _delays(showing: Showing, delays: Iterable[Delay], language: str) -> list[str]:
    """Delays that run, with the time they end."""
    return [
        f"{duration(round(each.lasts_s * 1000), language, is_exact=True)} {DELAYS[each.what][language]}"
        + (f" · {showing.time(each.ends)}" if each.ends is not None else "")
        for each in delays
    ]
