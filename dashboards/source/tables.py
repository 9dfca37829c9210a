"""Tables: what each column is called, and how its cells look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as build

from dashboards.source.influx import Query
from dashboards.source.palette import Mappings
from dashboards.source.panels import Look, Override, Scale, panel
from gateway.model import Text

_OPEN = Text("打开", "Open")

TIME = "Time"
"""What Grafana calls the column of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column as the query names it. Without a title it is there for links alone and not shown."""

    name: str
    title: Text | None = None
    mappings: Mappings | None = None
    scale: Scale | None = None
    width: int | None = None
    coloured: bool = False
    """The cell takes the colour of its value."""
    link: str | None = None
    link_title: Text = _OPEN

    def override(self, lang: str) -> Override:
        if self.title is None:
            return Override(self.name, {"custom.hidden": True})
        found: dict[str, object] = {"displayName": self.title[lang], "noValue": "—"}
        if self.mappings is not None:
            found["mappings"] = self.mappings
        if self.scale is not None:
            found["unit"] = self.scale.unit
            found["thresholds"] = self.scale.thresholds(behind=self.coloured)
            if self.scale.decimals is not None:
                found["decimals"] = self.scale.decimals
        elif self.coloured:
            found["thresholds"] = Scale().thresholds(behind=True)
        if self.width is not None:
            found["custom.width"] = self.width
        if self.coloured:
            found["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
        if self.link is not None:
            found["links"] = [{"title": self.link_title[lang], "url": self.link, "targetBlank": False}]
        return Override(self.name, found)


def table(
    lang: str,
    look: Look,
    queries: Sequence[Query],
    columns: Sequence[Column],
    *,
    sort: tuple[str, bool] | None = None,
    transform: Sequence[tuple[str, Mapping[str, object]]] = (),
) -> build.Panel:
    """Rows in the order of `columns`; `sort` is a column's name in the query and whether the greatest comes first."""
    by_name = {column.name: column for column in columns}
    title = by_name[sort[0]].title if sort else None
    options = {
        "showHeader": True,
        "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"], "countRows": False, "fields": ""},
        "sortBy": [{"displayName": title[lang], "desc": sort[1]}] if sort and title else [],
    }
    order = {column.name: index for index, column in enumerate(columns)}
    # A join numbers the times of its parts.
    shown = {} if TIME in by_name else dict.fromkeys((TIME, f"{TIME} 1", f"{TIME} 2"), True)
    return panel(
        lang,
        "table",
        look,
        queries,
        options=options,
        custom={"align": "auto", "filterable": True, "cellOptions": {"type": "auto"}, "inspect": False},
        overrides=[column.override(lang) for column in columns],
        transform=[
            *transform,
            ("organize", {"excludeByName": shown, "indexByName": order, "renameByName": {}}),
        ],
    )


def reasons(lang: str) -> tuple[str, Mapping[str, object]]:
    """Transformation: the first three sentences out of the JSON in the column `reasons`."""
    paths = [{"path": f"[{index}].text.{lang}", "alias": f"reason_{index + 1}"} for index in range(3)]
    return (
        "extractFields",
        {"source": "reasons", "format": "json", "jsonPaths": paths, "keepTime": False, "replace": False},
    )
