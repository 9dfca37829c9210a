"""Lines of a gateway: how busy they are, and what fails on them."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source.influx import SITES, Query, by_site, refs
from dashboards.source.panels import Look, Override, Scale, trend
from dashboards.source.vocabulary import GATEWAY, label
from gateway.health.itself import DISCARDS, LOADS
from gateway.model import Text


def line_load(lang: str, *, where: str = SITES, width: int = 8) -> build.Panel:
    """What each line was taken, beside what its plan needs; the fields are named after the lines."""
    planned = Text("计划", "planned")[lang]
    queries = [
        Query(by_site(f"mean(/^line_.*_{measured}$/)", where=where), ref=ref, alias="$tag_site $col")
        for ref, measured in zip(refs(len(LOADS)), LOADS, strict=True)
    ]
    look = Look(
        title=Text("线路负荷", "Load of the lines"),
        about=Text(
            "每条线路近一分钟被占用的时间比例；虚线为按计划应占用的比例。实测明显高于计划，说明设备应答慢、超时或有人在"
            "读写；接近 100% 时会错过轮询。",
            "The share of the last minute in which each line was taken; dashed: what its plan needs. Well above the "
            "plan, devices answer slowly or not at all, or somebody reads and writes; near 100 % polls are missed.",
        ),
        width=width,
        height=9,
    )
    shorter = [
        ("renameByRegex", {"regex": f"^(.*) mean_line_(.*)_{ending}$", "renamePattern": f"$1 $2{suffix}"})
        for ending, suffix in zip(LOADS, ("", f" {planned}"), strict=True)
    ]
    dashed = {"custom.lineStyle": {"fill": "dash", "dash": [6, 6]}, "custom.lineWidth": 1}
    limits = Scale(unit="percent", decimals=1, low=0)
    overrides = [Override("B", dashed, by="query")]
    return trend(lang, look, queries, scale=limits, interval="2m", transform=shorter, overrides=overrides)


def line_failures(lang: str, *, where: str = SITES, width: int = 8) -> build.Panel:
    query = by_site("non_negative_difference(last(/^line_.*_(timeouts|discarded)$/))", where=where)
    look = Look(
        title=Text("线路上的失败", "Failures on the lines"),
        about=Text(
            "每条线路的应答超时次数和丢弃报文数，以及因线路太满而错过的轮询次数。",
            "Time-outs and discarded frames of each line, and polls that were missed because a line was too full.",
        ),
        width=width,
        height=9,
    )
    missed = by_site('non_negative_difference(last("polls_missed")) AS "missed"', where=where)
    name = label(GATEWAY, "polls_missed")[lang]
    words = {"timeouts": Text("超时", "time-outs"), "discarded": Text("丢弃", "discarded")}
    shorter = [
        (
            "renameByRegex",
            {"regex": f"^(.*) non_negative_difference_line_(.*)_{raw}$", "renamePattern": f"$1 $2 {word[lang]}"},
        )
        for raw, word in words.items()
    ]
    return trend(
        lang,
        look,
        [Query(query, alias="$tag_site $col"), Query(missed, ref="B", alias=f"$tag_site {name}")],
        scale=Scale(unit="short", low=0),
        bars=True,
        interval="2m",
        transform=shorter,
    )


def discarded(lang: str, *, where: str = SITES, width: int = 8) -> build.Panel:
    """Frames that failed a check, by the check; no value ever came of them."""
    queries = [
        Query(
            by_site(f'non_negative_difference(last("frames_discarded_{reason}")) AS "frames"', where=where),
            ref=ref,
            alias=f"$tag_site {_short(reason, lang)}",
        )
        for ref, reason in zip(refs(len(DISCARDS)), DISCARDS, strict=True)
    ]
    look = Look(
        title=Text("丢弃的报文（按原因）", "Frames discarded, by reason"),
        about=Text(
            "未通过校验、站号、功能码等检查的报文；它们从不成为数值。",
            "Frames that failed a check of checksum, unit, function and so on; none ever becomes a value.",
        ),
        width=width,
        height=9,
    )
    return trend(lang, look, queries, scale=Scale(unit="short", low=0), bars=True, stacked=True, interval="2m")


def _short(reason: str, lang: str) -> str:
    return label(GATEWAY, f"frames_discarded_{reason}")[lang].removeprefix("Frames discarded: ").removesuffix("丢弃数")
