"""What Grafana does between a dashboard and the screen: variables into queries, answers into frames, transformations.

Only what our dashboards use; anything else is an error, so that a new transformation is not tested by accident.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TIME = "Time"
NOT_FOUND = "Not Found"

Json = dict[str, Any]
Ask = Callable[[str], list[Json]]
"""Gives the series InfluxQL answers with."""


@dataclass
class Frame:
    """Columns of equal length."""

    ref: str
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def rows(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*self.columns.values(), strict=True)]


def of_rows(ref: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Frame:
    return Frame(ref, {name: [row.get(name) for row in rows] for name in columns})


# variables

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
_BUILT_IN = {"timeFilter", "__interval"}


def variables_of(text: str) -> set[str]:
    """Names of the dashboard's variables in a query."""
    return {found[1] or found[3] for found in _VARIABLE.finditer(text)} - _BUILT_IN


def opened(ask: Ask, dashboard: Json) -> dict[str, str | list[str]]:
    """The variables as they stand when the dashboard is opened: what it says, or the first value there is."""
    found: dict[str, str | list[str]] = {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] != "query":
            found[variable["name"]] = variable["current"]["value"]
        elif "allValue" in variable:
            found[variable["name"]] = variable["allValue"]
        else:
            values = listed(ask, variable["query"], found)
            found[variable["name"]] = values if variable["includeAll"] else values[:1]
    return found


def listed(ask: Ask, query: str, variables: Mapping[str, str | list[str]]) -> list[str]:
    """What a variable offers."""
    series = ask(interpolate(query, variables, 0, 0, "1m"))
    return sorted({row[1] for each in series for row in each["values"]})


def interpolate(query: str, variables: Mapping[str, str | list[str]], since_ms: int, until_ms: int, every: str) -> str:
    built_in = {"timeFilter": f"time >= {since_ms}ms and time <= {until_ms}ms", "__interval": every}

    def fill(found: re.Match[str]) -> str:
        name, form = found[1] or found[3], found[2]
        if name in built_in:
            return built_in[name]
        value = variables[name]
        if form == "regex" and isinstance(value, list):
            escaped = [re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", each) for each in value]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
        assert isinstance(value, str), f"{name} needs a format"
        return value

    return _VARIABLE.sub(fill, query)


# answers


def frames(ask: Ask, target: Json, query: str) -> list[Frame]:
    """What a target gives, in the shape of its `resultFormat`; nothing where the database has no rows."""
    series = ask(query)
    if target["resultFormat"] == "table":
        return [_table(target["refId"], series)] if series else []
    return [frame for each in series for frame in _series(target, each)]


def _table(ref: str, series: list[Json]) -> Frame:
    tags = list(series[0].get("tags", {}))
    fields = series[0]["columns"][1:]
    assert len({TIME, *tags, *fields}) == 1 + len(tags) + len(fields), "two columns of one name"
    rows = [
        {TIME: values[0], **each.get("tags", {}), **dict(zip(fields, values[1:], strict=True))}
        for each in series
        for values in each["values"]
    ]
    return of_rows(ref, rows, [TIME, *tags, *fields])


def _series(target: Json, series: Json) -> Iterator[Frame]:
    times = [row[0] for row in series["values"]]
    for index, column in enumerate(series["columns"][1:], start=1):
        name = target.get("alias") or f"{series['name']}.{column}"
        name = name.replace("$col", column)
        for tag, value in sorted(series.get("tags", {}).items(), key=lambda pair: -len(pair[0])):
            name = name.replace(f"$tag_{tag}", value)
        assert "$" not in name, f"alias {target['alias']!r} of {series.get('tags')}"
        yield Frame(target["refId"], {TIME: times, name: [row[index] for row in series["values"]]})


# transformations


def transform(found: list[Frame], steps: Sequence[Json]) -> list[Frame]:
    for step in steps:
        found = _STEPS[step["id"]](found, step["options"])
    return found


def _merge(found: list[Frame], _options: Json) -> list[Frame]:
    columns = list(dict.fromkeys(name for frame in found for name in frame.columns))
    return [of_rows("merged", [row for frame in found for row in frame.rows()], columns)] if found else []


def _join(found: list[Frame], options: Json) -> list[Frame]:
    key = options["byField"]
    assert options["mode"] == "outer"
    assert all(key in frame.columns for frame in found), f"no column {key} to join by"
    joined: dict[Any, dict[str, Any]] = {}
    names: list[str] = [key]
    for number, frame in enumerate(found, start=1):
        own = {name: f"{TIME} {number}" if name == TIME else name for name in frame.columns if name != key}
        names += own.values()
        for row in frame.rows():
            joined.setdefault(row[key], {key: row[key]}).update({own[name]: row[name] for name in own})
    return [of_rows("joined", list(joined.values()), names)]


def _extract(found: list[Frame], options: Json) -> list[Frame]:
    def at(path: str, value: Any) -> Any:
        for part in re.findall(r"\w+", path):
            try:
                value = value[int(part) if isinstance(value, list) else part]
            except (KeyError, IndexError):
                return NOT_FOUND
        return value

    for frame in found:
        values = [json.loads(text) if text else None for text in frame.columns[options["source"]]]
        for path in options["jsonPaths"]:
            frame.columns[path["alias"]] = [at(path["path"], value) for value in values]
    return found


def _group(found: list[Frame], options: Json) -> list[Frame]:
    by = [name for name, how in options["fields"].items() if how["operation"] == "groupby"]
    summed = [name for name, how in options["fields"].items() if how["operation"] == "aggregate"]
    assert all(options["fields"][name]["aggregations"] == ["sum"] for name in summed)
    made = []
    for frame in found:
        totals: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in frame.rows():
            key = tuple(row[name] for name in by)
            total = totals.setdefault(key, {name: row[name] for name in by})
            for name in summed:
                total[f"{name} (sum)"] = total.get(f"{name} (sum)", 0) + row[name]
        made.append(of_rows(frame.ref, list(totals.values()), [*by, *(f"{name} (sum)" for name in summed)]))
    return made


def _filter(found: list[Frame], options: Json) -> list[Frame]:
    (rule,) = options["filters"]
    assert (rule["config"]["id"], options["type"]) == ("greater", "include")
    name, limit = rule["fieldName"], rule["config"]["options"]["value"]
    return [of_rows(each.ref, [row for row in each.rows() if row[name] > limit], list(each.columns)) for each in found]


def _sort(found: list[Frame], options: Json) -> list[Frame]:
    (how,) = options["sort"]
    return [
        of_rows(
            each.ref, sorted(each.rows(), key=lambda row: row[how["field"]], reverse=how["desc"]), list(each.columns)
        )
        for each in found
    ]


def _limit(found: list[Frame], options: Json) -> list[Frame]:
    return [of_rows(each.ref, each.rows()[: options["limitField"]], list(each.columns)) for each in found]


def _rename(found: list[Frame], options: Json) -> list[Frame]:
    pattern = re.compile(options["regex"])
    new = re.sub(r"\$(\d)", r"\\\1", options["renamePattern"])
    return [
        Frame(each.ref, {pattern.sub(new, name): values for name, values in each.columns.items()}) for each in found
    ]


def _organize(found: list[Frame], options: Json) -> list[Frame]:
    hidden = {name for name, is_hidden in options["excludeByName"].items() if is_hidden}
    order = options["indexByName"]
    for frame in found:
        assert set(order) <= set(frame.columns), f"no columns {set(order) - set(frame.columns)}"
        frame.columns = {name: values for name, values in frame.columns.items() if name not in hidden}
    return found


_STEPS: Mapping[str, Callable[[list[Frame], Json], list[Frame]]] = {
    "merge": _merge,
    "joinByField": _join,
    "extractFields": _extract,
    "groupBy": _group,
    "filterByValue": _filter,
    "sortBy": _sort,
    "limit": _limit,
    "renameByRegex": _rename,
    "organize": _organize,
}
