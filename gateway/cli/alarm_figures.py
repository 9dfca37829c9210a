"""How well the alarms of a site serve people, as lines of text: figures, their targets, and the alarms behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cli.tables import aligned
from gateway.model import Text
from gateway.settings.types import VocabularyPoint

TARGETS: Mapping[str, Text] = {
    "alarm_rate": Text("每名值班员约 1 条", "about 1 for each operator"),
    "alarm_flood": Text("少于 1% 的时间", "under 1 % of the time"),
    "alarms_chattering": Text("0", "0"),
    "alarms_fleeting": Text("逐条查看", "look at each"),
    "alarms_long_active": Text("少于 5 条", "under 5"),
    "alarm_top10_share": Text("5%", "5 %"),
    "alarm_share_critical": Text("红、橙合计约 5%", "critical and high together about 5 %"),
    "alarm_share_high": Text("红、橙合计约 5%", "critical and high together about 5 %"),
    "alarm_share_medium": Text("约 15%", "about 15 %"),
    "alarm_share_low": Text("约 80%", "about 80 %"),
    "alarm_ack_time_p50": Text("逐步缩短", "falling"),
    "alarm_ack_time_p95": Text("逐步缩短", "falling"),
    "alarms_waiting": Text("0", "0"),
}
"""Of ISA-18.2 and EEMUA 191 practice (docs/alarms.md)."""
_HEAD = (Text("指标", "figure"), Text("现值", "now"), Text("目标", "target"))
_CHATTERING = Text("抖动的告警（off 设为所列值，就只算一次）", "Chattering; with this off-delay it would have been one")
_FREQUENT = Text("7 天内最频繁的告警", "Most frequent in 7 days")
_FLEETING = Text("24 小时内不足 10 秒的告警", "Shorter than 10 s, in 24 h")


def figures_text(told: Mapping[str, Any], points: Mapping[str, VocabularyPoint], language: str) -> list[str]:
    """The answer of `alarm_figures` over the control socket; `points` are those of kind `gateway`."""
    rows = [[head[language] for head in _HEAD]]
    for name, value in told["figures"].items():
        known = points.get(name)
        label = name if known is None else known.label[language]
        unit = f" {known.unit}" if known is not None and known.unit else ""
        target = TARGETS[name][language] if name in TARGETS else ""
        rows.append([label, f"{_plain(value, language)}{unit}", target])
    lines = aligned(rows)
    delays = [[each["alarm"], f"off: {each['off_s']}s"] for each in told["chattering"]]
    lines += _listed(_CHATTERING[language], delays)
    for title, key in ((_FREQUENT, "frequent"), (_FLEETING, "fleeting")):
        lines += _listed(title[language], [[each["alarm"], f"{each['times']}×"] for each in told[key]])
    return lines


def _listed(title: str, rows: Sequence[Sequence[str]]) -> list[str]:
    return ["", title, *aligned(rows)] if rows else []


def _plain(value: object, language: str) -> str:
    if isinstance(value, bool):
        return (Text("是", "yes") if value else Text("否", "no"))[language]
    return f"{value:g}" if isinstance(value, float) else str(value)
