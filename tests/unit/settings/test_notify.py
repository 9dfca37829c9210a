"""Who is told of alarms, from the site file; and which point a horn may hang on."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.modbus import MODBUS
from gateway.app import load
from gateway.errors import ConfigError
from gateway.model import Priority
from gateway.settings import load_site
from gateway.settings.notify_types import (
    DEFAULT_ESCALATION,
    GROUP_WAIT_S,
    AnnunciatorSettings,
    ChannelSettings,
    Escalation,
    Inhibit,
    Match,
    NotifySettings,
    Quiet,
    RouteSettings,
)
from gateway.settings.types import SiteSettings

SITE = """\
schema: 1
site: {{id: a, name: {{zh: 甲, en: A}}, kind: warehouse, language: zh}}
lines: {{lan: {{tcp: "10.0.0.5:502"}}}}
devices:
  - id: relay-1
    kind: {kind}
    line: lan
    unit: 1
    points:
      siren: {{at: "coil:0", write: {{roles: [annunciator, duty]}}}}
      lamp: {{at: "coil:1", write: {{roles: [duty]}}}}
      level: {{at: "holding:1", write: {{roles: [annunciator]}}}}
      door: {{at: "coil:2"}}
    write: {{siren: {{}}, lamp: {{}}, level: {{}}}}
rules: [builtin/pump]
{more}
"""


def path_of(folder: Path, more: str, kind: str = "sensor") -> Path:
    (folder / "duty.urls").write_text("json://127.0.0.1/\n", encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(SITE.format(more=more, kind=kind), encoding="utf-8")
    return path


def site(folder: Path, more: str) -> SiteSettings:
    return load_site(path_of(folder, more), {"modbus": MODBUS})


def problems(folder: Path, more: str, kind: str = "sensor", language: str = "en") -> list[str]:
    path = path_of(folder, more, kind)
    with pytest.raises(ConfigError) as caught:
        load(path, language)
    return [str(problem).removeprefix(f"{folder}/site.yaml:") for problem in caught.value.problems]


def test_nobody_is_told_by_default(tmp_path: Path) -> None:
    assert (site(tmp_path, "").notify, site(tmp_path, "").annunciator) == (None, None)


def test_the_shortest_way_is_complete(tmp_path: Path) -> None:
    urls = tmp_path / "duty.urls"
    assert site(tmp_path, "notify: {channels: {duty: {apprise: duty.urls}}}").notify == NotifySettings(
        channels={"duty": ChannelSettings("duty", "apprise", "zh", "long", 10.0, urls)},
        routes=(
            RouteSettings(
                Match(priorities=frozenset({Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM})),
                ("duty",),
                escalate=DEFAULT_ESCALATION,
            ),
        ),
    )


FULL = """\
annunciator: {device: relay-1, point: siren, priorities: [critical, high], duration: 2m, silence: 10m}
notify:
  language: both
  channels:
    duty: {apprise: duty.urls, language: en, form: short, pace: 1m}
    centre: {mqtt: true}
    horn: {annunciator: true}
  routes:
    - {devices: [relay-1, _gateway], kinds: [pump], priorities: [low], roles: [duty], rules: [pump_dry], to: [duty],
       backup: [centre], group_wait: 0s, group_interval: 1m, repeat_interval: 1h, continue: true,
       escalate: [{after: 10m, to: [centre]}, {after: 5m, priorities: [critical]}]}
    - {to: [horn], escalate: []}
  inhibit: [{source: {rules: [pump_dry]}, target: {priorities: [low]}, same: site}]
  quiet: {from: 22:00, to: 06:30}
  backup_after: 2m
  give_up: 1d
"""


def test_everything_may_be_said(tmp_path: Path) -> None:
    found = site(tmp_path, FULL)
    assert found.notify == NotifySettings(
        channels={
            "duty": ChannelSettings("duty", "apprise", "en", "short", 60.0, tmp_path / "duty.urls"),
            "centre": ChannelSettings("centre", "mqtt", "both", "long", 10.0),
            "horn": ChannelSettings("horn", "annunciator", "both", "long", 0.0),
        },
        routes=(
            RouteSettings(
                Match(
                    frozenset({"relay-1", "_gateway"}),
                    frozenset({"pump"}),
                    frozenset({Priority.LOW}),
                    frozenset({"duty"}),
                    frozenset({"pump_dry"}),
                ),
                ("duty",),
                ("centre",),
                dict.fromkeys(GROUP_WAIT_S, 0.0),
                dict.fromkeys(GROUP_WAIT_S, 60.0),
                3600.0,
                (Escalation(300.0, (), frozenset({Priority.CRITICAL})), Escalation(600.0, ("centre",))),
                goes_on=True,
            ),
            RouteSettings(Match(), ("horn",)),
        ),
        inhibit=(
            Inhibit(
                Match(rules=frozenset({"pump_dry"})), Match(priorities=frozenset({Priority.LOW})), same_device=False
            ),
        ),
        quiet=Quiet(22 * 60, 6 * 60 + 30, frozenset({Priority.MEDIUM, Priority.LOW})),
        backup_after_s=120.0,
        give_up_s=86400.0,
    )
    assert found.annunciator == AnnunciatorSettings(
        "relay-1", "siren", frozenset({Priority.CRITICAL, Priority.HIGH}), 120.0, 600.0
    )


def test_secrets_are_named_and_the_file_has_to_be_there(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "notify: {channels: {duty: {apprise: county.urls}}}")
    assert problem.startswith("16:37: notify.channels.duty.apprise: there is no file")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("rules: [pump_dri]", "there is no rule pump_dri (did you mean pump_dry?)"),
        ("roles: [dutty]", "no rule names the role dutty (did you mean duty?)"),
        ("kinds: [pumps]", "there is no kind pumps (did you mean pump?)"),
    ],
)
def test_a_route_that_no_alarm_can_take_is_an_error(more: str, text: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"notify: {{channels: {{c: {{mqtt: true}}}}, routes: [{{to: [c], {more}}}]}}")
    assert text in problem
    name = more.partition(": ")[0]
    inhibit = f"inhibit: [{{source: {{{more}}}, target: {{}}}}]"
    (problem,) = problems(tmp_path, f"notify: {{channels: {{c: {{mqtt: true}}}}, {inhibit}}}")
    assert f"notify.inhibit[0].source.{name}[0]: {text}" in problem


@pytest.mark.parametrize(
    ("device", "point", "kind", "text"),
    [
        ("relay-2", "siren", "sensor", "device: there is no device relay-2 (did you mean relay-1?)"),
        ("relay-1", "sirens", "sensor", "point: relay-1 has no point sirens (did you mean siren?)"),
        ("relay-1", "level", "sensor", "point: level is no boolean"),
        ("relay-1", "lamp", "sensor", "point: the role annunciator may not write lamp (add annunciator to its roles)"),
        ("relay-1", "door", "sensor", "point: door is not a point that may be written (write: {roles: [annunciator]}"),
        ("relay-1", "siren", "pump", "point: a point that is armed first cannot be switched by itself"),
    ],
)
def test_a_horn_needs_a_coil_it_may_switch(device: str, point: str, kind: str, text: str, tmp_path: Path) -> None:
    more = f"annunciator: {{device: {device}, point: {point}}}"
    (problem,) = problems(tmp_path, more, kind)
    assert f"annunciator.{text}" in problem
    (chinese,) = problems(tmp_path, more, kind, "zh")
    assert problem.split(" ")[0] == chinese.split(" ")[0]
    assert chinese != problem


@pytest.mark.parametrize(
    ("content", "where", "text"),
    [
        ("# nobody yet\n", "site.yaml:16:37: notify.channels.duty.apprise", "holds no address"),
        ("# one\n\nmailto:secret\n", "own.urls:3:1: .", "this line is no Apprise address"),
    ],
)
def test_addresses_are_looked_at_and_never_repeated(content: str, where: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "own.urls").write_text(content, encoding="utf-8")
    (problem,) = problems(tmp_path, "notify: {channels: {duty: {apprise: own.urls}}}")
    assert problem.removeprefix(f"{tmp_path}/").startswith(where.removeprefix("site.yaml:"))
    assert text in problem
    assert "secret" not in problem
