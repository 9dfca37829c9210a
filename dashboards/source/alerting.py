"""Alert rules for what only the centre can see, and templates for who is told.

A site raises and announces its own alarms, with or without a link; nothing here repeats them. All texts stand in both
languages, so that there is one set of rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml
from grafana_foundation_sdk.builders import alerting as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import alerting as model

from dashboards.source.influx import DATASOURCE, OPEN, Query
from dashboards.source.vocabulary import KINDS, kind
from gateway.model import Priority, Text
from gateway.web.words import PRIORITIES

FOLDER_UID = "vigil-alerts"
FOLDER = "守望 告警 · Vigil alerts"
GROUP = "vigil"
INTERVAL_S = 60
RECEIVER = "vigil-duty"

_EXPRESSIONS = "__expr__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Fires for each site (or device) whose last value of `query` is above or below the limit for `wait`."""

    uid: str
    title: Text
    query: str
    summary: Text
    priority: Priority
    above: float | None = None
    below: float | None = None
    wait: str = "0s"
    nothing: str = "OK"
    """What no rows at all mean."""


@dataclass
class _Expression(Query):
    """One step of the condition."""

    members: Mapping[str, object] | None = None

    def to_json(self) -> dict[str, object]:
        datasource = {"type": _EXPRESSIONS, "uid": _EXPRESSIONS}
        return {"refId": self.ref, "datasource": datasource, **(self.members or {})}


def rules() -> Iterator[Rule]:
    """Every rule, the gravest first."""
    yield Rule(
        uid="vigil-site-silent",
        title=Text("站点失联", "Site silent"),
        query=(
            f'SELECT "level" FROM (SELECT last("level") AS "level" FROM "alarm" WHERE {OPEN} '
            'AND "rule" = \'site_silent\' GROUP BY "site") WHERE "level" > 0 GROUP BY "site"'
        ),
        summary=Text(
            "站点 {site} 的网关不再上报，现状不明。请打电话到现场检查电源和网络。",
            "The gateway of site {site} no longer reports; nothing is known of it. Call and check power and network.",
        ),
        priority=Priority.HIGH,
        above=0,
    )
    yield Rule(
        uid="vigil-data-old",
        title=Text("数据超过 5 分钟未更新", "Data older than 5 minutes"),
        query=(
            'SELECT moving_average(count("uptime"), 5) AS "rows" FROM "gateway" WHERE time > now() - 3h '
            'GROUP BY time(1m), "site" fill(0)'
        ),
        summary=Text(
            "站点 {site} 在数据库中 5 分钟没有新数据；没有站点名时是中心的采集或数据库停了。",
            "No new data of site {site} in the database for 5 minutes; without a site's name, ingest or database "
            "stand still.",
        ),
        priority=Priority.HIGH,
        below=0.01,
        wait="1m",
        nothing="Alerting",
    )
    for name in KINDS:
        label = kind(name).label
        yield Rule(
            uid=f"vigil-short-of-{name.replace('_', '-')}",
            title=Text(f"{label.zh}可用数低于应备数", f"Too few usable: {label.en}"),
            query=(
                f'SELECT last("{name}_usable") - last("{name}_required") AS "margin" FROM "site" '
                'WHERE time > now() - 5m GROUP BY "site"'
            ),
            summary=Text(
                f"站点 {{site}} 的{label.zh}可用数低于应备数。",
                f"Site {{site}} has fewer usable than required: {label.en}.",
            ),
            priority=Priority.CRITICAL,
            below=0,
        )
    for priority, wait in ((Priority.CRITICAL, "5m"), (Priority.HIGH, "15m"), (Priority.MEDIUM, "1h")):
        colour = PRIORITIES[priority]
        yield Rule(
            uid=f"vigil-not-acknowledged-{priority.value}",
            title=Text(f"{colour.zh}色告警超时未确认", f"Alarm not acknowledged in time: {colour.en}"),
            query=(
                'SELECT "level" FROM (SELECT last("level") AS "level", "acked" AS "acked", '
                f'"suppression" AS "suppression" FROM "alarm" WHERE {OPEN} AND "rule" != \'site_silent\' '
                'GROUP BY "site", "device", "rule") '
                f'WHERE "level" = {priority.level} AND "acked" = false AND "suppression" = \'NONE\' '
                'GROUP BY "site", "device", "rule"'
            ),
            summary=Text(
                f"站点 {{site}} 设备 {{device}} 的{colour.zh}色告警 {{rule}} 超过 {_zh(wait)}无人确认。",
                f"Nobody acknowledged the {colour.en} alarm {{rule}} of {{device}} at site {{site}} within {wait}.",
            ),
            priority=priority,
            above=0,
            wait=wait,
        )
    yield Rule(
        uid="vigil-refused-messages",
        title=Text("网关有被拒的消息", "Messages refused by the broker"),
        query=(
            'SELECT max("rows_refused") - min("rows_refused") AS "refused" FROM "gateway" '
            'WHERE time > now() - 15m GROUP BY "site"'
        ),
        summary=Text(
            "站点 {site} 的消息被服务器拒收，搁置在网关上。检查服务器的权限和大小限制。",
            "The broker refused messages of site {site}; they stay at the gateway. Check its permissions and limits.",
        ),
        priority=Priority.MEDIUM,
        above=0,
    )
    yield Rule(
        uid="vigil-dead-letters",
        title=Text("采集有死信", "Dead letters at the centre"),
        query=(
            'SELECT sum("count") AS "letters" FROM "event" WHERE time > now() - 15m AND "type" = \'dead_letter\' '
            'GROUP BY "site"'
        ),
        summary=Text(
            "站点 {site} 的消息无法读取或被数据库拒收，已存为死信。排除原因后运行 vigil ingest --replay-dead-letters。",
            "Messages of site {site} could not be read or were refused by the database and are kept as dead letters. "
            "Cure the cause, then write them again with vigil ingest --replay-dead-letters.",
        ),
        priority=Priority.MEDIUM,
        above=0,
    )


def _zh(wait: str) -> str:
    return {"m": "{} 分钟", "h": "{} 小时"}[wait[-1]].format(wait[:-1])


def _annotation(text: str) -> str:
    # `.Labels` and not `$labels`: in provisioning files Grafana takes a dollar sign for a variable of the environment.
    for name in ("site", "device", "rule"):
        text = text.replace(f"{{{name}}}", f"{{{{ .Labels.{name} }}}}")
    return text


def _http(rule: Rule) -> build.Rule:
    """The rule as Grafana's HTTP API takes it."""
    kind_of, limit = ("gt", rule.above) if rule.above is not None else ("lt", rule.below)
    evaluator = {"type": kind_of, "params": [limit]}
    steps = (
        ("B", {"type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "dropNN"}}),
        ("C", {"type": "threshold", "expression": "B", "conditions": [{"evaluator": evaluator}]}),
    )
    data = [_query("A", DATASOURCE, Query(rule.query))]
    data += [_query(ref, _EXPRESSIONS, _Expression("", ref=ref, members=members)) for ref, members in steps]
    made = build.Rule(f"{rule.title.zh} · {rule.title.en}").uid(rule.uid).org_id(1)
    made = made.rule_group(GROUP).folder_uid(FOLDER_UID).queries([*data]).condition("C").for_val(rule.wait)
    made = made.no_data_state(rule.nothing).exec_err_state("Error").is_paused(False)  # type: ignore[arg-type]
    made = made.labels({"product": "vigil", "severity": rule.priority.value})
    return made.annotations({"summary": _annotation(f"{rule.summary.zh} {rule.summary.en}"),
                             "summary_zh": _annotation(rule.summary.zh),
                             "summary_en": _annotation(rule.summary.en)})  # fmt: skip


def _query(ref: str, datasource: str, asked: Query) -> build.Query:
    made = build.Query(ref).datasource_uid(datasource).query_type("").model(asked)
    return made.relative_time_range(model.RelativeTimeRange(from_val=600, to=0))


def group() -> dict[str, object]:
    """The group of all rules, in the form of the HTTP API."""
    made = build.RuleGroup(GROUP).folder_uid(FOLDER_UID).interval(INTERVAL_S).rules([_http(each) for each in rules()])
    found: dict[str, object] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    return found


#: What the HTTP form of a rule says and the file form leaves to its group.
_NOT_IN_FILES = frozenset({"folderUID", "ruleGroup", "orgID"})


def file_form(found: dict[str, object]) -> dict[str, object]:
    """The same group in the form of provisioning files."""
    listed: list[dict[str, object]] = found["rules"]  # type: ignore[assignment]
    kept = [{key: value for key, value in each.items() if key not in _NOT_IN_FILES} for each in listed]
    named = {"orgId": 1, "name": GROUP, "folder": FOLDER, "interval": f"{INTERVAL_S // 60}m", "rules": kept}
    return {"apiVersion": 1, "groups": [named]}


def contact_point(address: str) -> dict[str, object]:
    return {
        "uid": RECEIVER,
        "name": RECEIVER,
        "type": "email",
        "settings": {"addresses": address, "singleEmail": False},
        "disableResolveMessage": False,
    }


def route() -> dict[str, object]:
    """The branch of the notification policy for these alerts: red at once, the others gathered for half a minute."""
    return {
        "receiver": RECEIVER,
        "object_matchers": [["product", "=", "vigil"]],
        "group_by": ["grafana_folder", "alertname", "site"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": [
            {
                "receiver": RECEIVER,
                "object_matchers": [["severity", "=", "critical"]],
                "group_by": ["grafana_folder", "alertname", "site"],
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "1h",
            }
        ],
    }


_NOTIFICATIONS = """\
# A template: who is told, and how soon. Put the address into VIGIL_DUTY_EMAIL and copy this file to Grafana's folder
# provisioning/alerting/. It replaces the whole tree of notification policies of the organisation; where there is one
# already, add the branch below by hand, or let `vigil dashboards push --notify ADDRESS` add it.
# 模板：通知谁、多快通知。把地址写入环境变量 VIGIL_DUTY_EMAIL，再把本文件复制到 Grafana 的 provisioning/alerting/ 下。
# 它会替换该组织的整个通知策略；已有策略时请手工加入下面的分支，或用 vigil dashboards push --notify 地址。
"""
_RULES = "# Made by `make dashboards`; change dashboards/source/alerting.py instead.\n"


def files() -> dict[str, str]:
    """Path below `dashboards/` -> text."""
    http = group()
    point = contact_point("$VIGIL_DUTY_EMAIL")
    notifications = {
        "apiVersion": 1,
        "contactPoints": [
            {
                "orgId": 1,
                "name": RECEIVER,
                "receivers": [{key: value for key, value in point.items() if key != "name"}],
            }
        ],
        "policies": [
            {"orgId": 1, "receiver": RECEIVER, "group_by": ["grafana_folder", "alertname"], "routes": [route()]}
        ],
    }
    folder = {"uid": FOLDER_UID, "title": FOLDER}
    push = {"folder": folder, "group": http, "contact_point": contact_point(""), "route": route()}
    return {
        "alerting/alerting.json": json.dumps(push, ensure_ascii=False, indent=1, sort_keys=True) + "\n",
        "provisioning/alerting/vigil.yaml": _RULES + _yaml(file_form(http)),
        "provisioning/templates/notifications.yaml": _NOTIFICATIONS + _yaml(notifications),
    }


def _yaml(found: object) -> str:
    return yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=10_000)
