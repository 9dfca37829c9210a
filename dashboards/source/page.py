"""A dashboard: its variables, the ways out of it, and its panels row by row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from dashboards.source import texts
from dashboards.source.influx import PLACE, SITES, data_source
from gateway.model import Text

FLEET, SITE, EQUIPMENT = "fleet", "site", "equipment"
"""Levels, from above: each is a folder."""


def uid(name: str, lang: str) -> str:
    return f"vigil-{name}-{lang}"


def url(name: str, lang: str, **variables: str) -> str:
    """The address of another dashboard of ours with its variables and the time that is looked at."""
    words = "&".join([*(f"var-{key}={value}" for key, value in variables.items()), "${__url_time_range}"])
    return f"/d/{uid(name, lang)}?{words}"


def cell(name: str) -> str:
    """In a link: what stands in another cell of the row."""
    return f"${{__data.fields.{name}}}"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable at the top. `query` lists its values; without one `values` does, or it is free text."""

    name: str
    title: Text
    about: Text
    query: str | None = None
    values: Sequence[tuple[Text, str]] = ()
    text: str | None = None
    single: bool = False
    expanded: bool = False
    """“All” stands for what is listed, and not for everything there is."""

    def make(self, lang: str) -> build.QueryVariable | build.CustomVariable | build.TextBoxVariable:
        if self.query is not None:
            return self._of_query(lang, self.query)
        if self.text is not None:
            box = build.TextBoxVariable(self.name).label(self.title[lang]).description(self.about[lang])
            option = model.VariableOption(selected=True, text=self.text, value=self.text)
            return box.default_value(self.text).current(option).options([option])
        listed = ",".join(f"{title[lang]} : {value}" for title, value in self.values)
        options = [
            model.VariableOption(selected=index == 0, text=title[lang], value=value)
            for index, (title, value) in enumerate(self.values)
        ]
        custom = build.CustomVariable(self.name).label(self.title[lang]).description(self.about[lang])
        return custom.values(listed).options(options).current(options[0])

    def _of_query(self, lang: str, query: str) -> build.QueryVariable:
        made = build.QueryVariable(self.name).label(self.title[lang]).description(self.about[lang])
        made = made.datasource(data_source()).query(query).definition(query)
        made = made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        made = made.sort(model.VariableSort.ALPHABETICAL_ASC)
        if self.single:
            return made.multi(False).include_all(False)
        every = model.VariableOption(selected=True, text=["All"], value=["$__all"])
        made = made.multi(True).include_all(True).current(every)
        return made if self.expanded else made.all_value(".*")


def _values(key: str, where: str, measurement: str = "site") -> str:
    return f'SHOW TAG VALUES FROM "{measurement}" WITH KEY = "{key}"{" WHERE " + where if where else ""}'


_CITY, _COUNTY, _TOWN = PLACE.split(" AND ")
CITY = Variable(
    "city", texts.CITY, Text("“All”也包括没有标注市的站点", "“All” includes sites without a city"), _values("city", "")
)
COUNTY = Variable(
    "county",
    texts.COUNTY,
    Text("“All”也包括没有标注县区的站点", "“All” includes sites without a county"),
    _values("county", _CITY),
)
TOWN = Variable(
    "town",
    texts.TOWN,
    Text("“All”也包括没有标注乡镇的站点", "“All” includes sites without a town"),
    _values("town", f"{_CITY} AND {_COUNTY}"),
)
SITE_VARIABLE = Variable("site", texts.SITE, Text("站点编号", "The site's id"), _values("site", PLACE))
ONE_SITE = Variable("site", texts.SITE, Text("站点编号", "The site's id"), _values("site", PLACE), single=True)


_DEVICE_ABOUT = Text("设备编号", "The device's id")
DEVICE = Variable("device", texts.DEVICE, _DEVICE_ABOUT, _values("device", SITES, "alarm"))


def devices_of(kind: str) -> Variable:
    """The devices of one kind at the chosen sites. Quality knows no kind, so that “All” has to be these."""
    where = f"{SITES} AND \"kind\" = '{kind}'"
    return Variable("device", texts.DEVICE, _DEVICE_ABOUT, _values("device", where, "readiness"), expanded=True)


@dataclass(slots=True)
class Page:
    """One dashboard in one language. Panels flow from left to right; each line fills 24 columns."""

    name: str
    level: str
    lang: str
    title: Text
    about: Text
    variables: Sequence[Variable]
    back: Sequence[tuple[str, Text]] = ()
    since: str = "now-6h"
    refresh: str = "30s"
    _parts: list[build.Panel | build.Row] = field(default_factory=list)

    @property
    def uid(self) -> str:
        return uid(self.name, self.lang)

    def row(self, title: Text) -> None:
        self._parts.append(build.Row(title[self.lang]))

    def add(self, *panels: build.Panel) -> None:
        self._parts += panels

    def json(self) -> str:
        """The dashboard as Grafana reads it."""
        made = build.Dashboard(f"{Text('守望', 'Vigil')[self.lang]} · {self.title[self.lang]}").uid(self.uid)
        made = made.description(self.about[self.lang]).tags(["vigil", f"vigil-{self.lang}"]).timezone("browser")
        made = made.time(self.since, "now").refresh(self.refresh).tooltip(model.DashboardCursorSync.CROSSHAIR)
        made = made.readonly().version(1)
        for variable in self.variables:
            made = made.with_variable(variable.make(self.lang))
        for name, title in self.back:
            made = made.link(self._way(title, name))
        more = build.DashboardLink(Text("更多", "More")[self.lang]).type(model.DashboardLinkType.DASHBOARDS)
        more = more.tags([f"vigil-{self.lang}"]).as_dropdown(True).keep_time(True)
        made = made.link(more)
        for index, part in enumerate(self._parts, start=1):
            made = made.with_row(part.id(index)) if isinstance(part, build.Row) else made.with_panel(part.id(index))
        found = json.loads(json.dumps(made.build(), cls=JSONEncoder))
        for link in found["links"]:
            del link["placement"]  # newer Grafanas would hide the links in a menu
        return json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n"

    def _way(self, title: Text, name: str) -> build.DashboardLink:
        made = build.DashboardLink(title[self.lang]).type(model.DashboardLinkType.LINK)
        made = made.url(f"/d/{uid(name, self.lang)}").icon("dashboard").include_vars(True).keep_time(True)
        return made.tooltip(title[self.lang])
