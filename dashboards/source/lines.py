"""Lines of a gateway: how busy they are, and what fails on them."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source.influx import RANGE, SITES, Query, refs
from dashboards.source.panels import Look, Scale, trend
from dashboards.source.vocabulary import GATEWAY, label
from gateway.health.itself import DISCARDS
from gateway.model import Text


def line_load(lang: str, *, where: str = SITES, width: int = 8) -> build.Panel:
    """Requests of each line; the fields are named after the lines."""
    query = (
        f'SELECT non_negative_derivative(last(/^line_.*_requests$/), 1s) FROM "gateway" WHERE {RANGE} AND {where} '
        'GROUP BY time($__interval), "site" fill(none)'
    )
    look = Look(
        title=Text("线路负荷", "Load of the lines"),
        about=Text(
            "每条线路每秒的请求数；错过的轮询增多说明线路太满。",
            "Requests on each line in a second; where polls are missed the line is too full.",
        ),
        width=width,
        height=9,
    )
    missed = (
        f'SELECT non_negative_derivative(last("polls_missed"), 1s) AS "missed" FROM "gateway" '
        f'WHERE {RANGE} AND {where} GROUP BY time($__interval), "site" fill(none)'
    )
    name = label(GATEWAY, "polls_missed")[lang]
    queries = [Query(query, ref="A", alias="$tag_site $col"), Query(missed, ref="B", alias=f"$tag_site {name}")]
    shorter = (
        "renameByRegex",
        {"regex": "^(.*) non_negative_derivative_line_(.*)_requests$", "renamePattern": "$1 $2"},
    )
    return trend(lang, look, queries, scale=Scale(unit="reqps", low=0), interval="2m", transform=[shorter])


def line_failures(lang: str, *, where: str = SITES, width: int = 8) -> build.Panel:
    query = (
        f'SELECT non_negative_difference(last(/^line_.*_(timeouts|discarded)$/)) FROM "gateway" '
        f'WHERE {RANGE} AND {where} GROUP BY time($__interval), "site" fill(none)'
    )
    look = Look(
        title=Text("线路上的失败", "Failures on the lines"),
        about=Text(
            "每条线路的应答超时次数和丢弃报文数。",
            "Time-outs and discarded frames of each line.",
        ),
        width=width,
        height=9,
    )
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
        [Query(query, alias="$tag_site $col")],
        scale=Scale(unit="short", low=0),
        bars=True,
        interval="2m",
        transform=shorter,
    )


def discarded(lang: str, *, where: str = SITES, width: int = 8) -> build.Panel:
    """Frames that failed a check, by the check; no value ever came of them."""
    queries = [
        Query(
            f'SELECT non_negative_difference(last("frames_discarded_{reason}")) AS "frames" FROM "gateway" '
            f'WHERE {RANGE} AND {where} GROUP BY time($__interval), "site" fill(none)',
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
