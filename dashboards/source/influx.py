"""InfluxQL queries, the one language that InfluxDB 1.x, 2.x and 3.x share, and how Grafana is told of them.

What all of them keep to:
- What is the case *now* is the last row of a short window, so that what is old is not shown as new. Rows of unknown
  readiness come from ingest, every minute, for sites and devices that say nothing.
- `last` stands in a subquery and is filtered outside: a filter beside it would find the last row that passes it.
- An "All" of a variable is `.*`, which also holds for series without that tag.
"""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

DATASOURCE = "vigil"
"""The uid of the data source."""


def data_source() -> DataSourceRef:
    return DataSourceRef(type_val="influxdb", uid=DATASOURCE)


#: Readiness is told every 60 s and holds for 180 s; ingest writes `unknown` from then on.
NOW = "time > now() - 5m"
#: An alarm that nobody ended stays listed this long, also while its site is silent.
OPEN = "time > now() - 7d"
HOUR = "time > now() - 1h"
DAY = "time > now() - 24h"
RANGE = "$timeFilter"

PLACE = '"city" =~ /^${city:regex}$/ AND "county" =~ /^${county:regex}$/ AND "town" =~ /^${town:regex}$/'
SITES = f'{PLACE} AND "site" =~ /^${{site:regex}}$/'
DEVICES = f'{SITES} AND "device" =~ /^${{device:regex}}$/'


@dataclass
class Query(Builder[Dataquery], Dataquery):
    """One target. A table has a column for the time, each tag and each field; series are named by `alias`."""

    text: str
    ref: str = "A"
    alias: str = ""
    table: bool = False

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        target: dict[str, object] = {
            "refId": self.ref,
            "datasource": {"type": "influxdb", "uid": DATASOURCE},
            "query": self.text,
            "rawQuery": True,
            "resultFormat": "table" if self.table else "time_series",
        }
        return target | ({"alias": self.alias} if self.alias else {})


def by_site(selected: str, *, where: str = SITES, fill: str = "none") -> str:
    """The gateways' own figures over time, a series for each site."""
    return f'SELECT {selected} FROM "gateway" WHERE {RANGE} AND {where} GROUP BY time($__interval), "site" fill({fill})'


def refs(count: int) -> list[str]:
    """`A`, `B`, ... `Z`, `AA`, ..."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [(letters[n // 26 - 1] if n >= 26 else "") + letters[n % 26] for n in range(count)]


def open_alarms(where: str = SITES, *, lang: str = "zh", window: str = OPEN) -> str:
    """Subquery: every alarm as it stands, one row each. Filter `level` outside."""
    return (
        f'(SELECT last("level") AS "level", "state" AS "state", "active" AS "active", "acked" AS "acked", '
        f'"suppression" AS "suppression", "text_{lang}" AS "text", "because" AS "because" '
        f'FROM "alarm" WHERE {window} AND {where} GROUP BY "site", "device", "rule")'
    )


STANDING = '"level" > 0 AND "suppression" = \'NONE\''
"""Alarms that ask for somebody: neither over nor set aside."""


def raised(where: str = SITES) -> str:
    """Subquery: how often each alarm was raised in periods of ten minutes.

    A standing alarm repeats its row every ten minutes, so what counts is by how much a period has more rows than the
    one before it.
    """
    return (
        '(SELECT non_negative_difference(count("level")) AS "raised" FROM "alarm" '
        f"WHERE {RANGE} AND {where} AND \"state\" = 'UNACK' "
        'GROUP BY time(10m), "site", "device", "rule" fill(0))'
    )
