"""What may be written is what profile and site both allow, and interlocks say what they mean."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from drivers.modbus import MODBUS
from gateway.errors import ConfigError
from gateway.model import MaybeValue
from gateway.settings import load_site
from gateway.settings.interlock import parse_interlock, unfulfilled
from gateway.settings.protocol import Wrong
from gateway.settings.types import Clause, WritePolicy

SITE = """\
schema: 1
site: {{id: a, name: {{zh: 甲, en: A}}, kind: warehouse}}
lines: {{lan: {{tcp: "10.0.0.5:502"}}}}
devices:
  - id: it
    kind: {kind}
    line: lan
    unit: 1
    points:
      speed_limit: {{at: "holding:0", scale: 0.1, unit: Hz{point}}}
      state: {{at: "holding:1", enum: {{0: stopped, 1: running}}}}
      door: {{at: "discrete:3"{discrete}}}
    {device}
"""
POINT = ", write: {roles: [engineer, chief], range: [0, 50], interlock: \"state == 'stopped'\"}"


def write_site(folder: Path, *, point: str = POINT, device: str = "", kind: str = "meter", discrete: str = "") -> Path:
    path = folder / "site.yaml"
    path.write_text(SITE.format(point=point, device=device, kind=kind, discrete=discrete), encoding="utf-8")
    return path


def writes(folder: Path, **keys: str) -> dict[str, WritePolicy]:
    return dict(load_site(write_site(folder, **keys), {"modbus": MODBUS}).devices[0].writes)


def problems(folder: Path, **keys: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        writes(folder, **keys)
    return [str(problem).removeprefix(f"{folder}/site.yaml:") for problem in caught.value.problems]


def test_nothing_may_be_written_unless_both_allow_it(tmp_path: Path) -> None:
    assert writes(tmp_path) == {}
    assert writes(tmp_path, point="") == {}
    both = writes(tmp_path, device="write: {speed_limit: {}}")
    assert both == {
        "speed_limit": WritePolicy(("engineer", "chief"), (0, 50), (Clause("state", "==", "stopped"),), False)
    }
    (problem,) = problems(tmp_path, point="", device="write: {speed_limit: {}}")
    assert problem.startswith("13:13: devices[0].write.speed_limit: speed_limit is not a point that may be written")


def test_the_site_only_narrows(tmp_path: Path) -> None:
    narrowed = writes(
        tmp_path, device="write: {speed_limit: {roles: [chief, guest], range: [10, 90], interlock: door == false}}"
    )
    assert narrowed["speed_limit"] == WritePolicy(
        ("chief",), (10, 50), (Clause("state", "==", "stopped"), Clause("door", "==", False)), False
    )
    assert "no role is left" in problems(tmp_path, device="write: {speed_limit: {roles: [guest]}}")[0]
    assert "no value lies within both" in problems(tmp_path, device="write: {speed_limit: {range: [60, 90]}}")[0]


def test_machines_are_always_armed_first(tmp_path: Path) -> None:
    allowed = "write: {speed_limit: {}}"
    assert not writes(tmp_path, device=allowed)["speed_limit"].two_step
    assert writes(tmp_path, device="write: {speed_limit: {arm: true}}")["speed_limit"].two_step
    for kind in ("generator", "pump", "ats"):
        assert writes(tmp_path, device="write: {speed_limit: {arm: false}}", kind=kind)["speed_limit"].two_step


@pytest.mark.parametrize(
    ("device", "text"),
    [
        ("write: {speed_limits: {}}", "there is no point speed_limits (did you mean speed_limit?)"),
        ("write: {state: {}}", "state is not a point that may be written"),
        ("write: {speed_limit: {role: [chief]}}", "there is no key role here (did you mean roles?)"),
        ("write: {speed_limit: {interlock: level > 1}}", "interlock: there is no point level"),
        ("write: {speed_limit: {interlock: state > 1}}", "interlock: state cannot be compared with 1"),
        ("write: {speed_limit: {interlock: \"state == 'idle'\"}}", "interlock: state has no word idle"),
        ("write: {speed_limit: {interlock: state or door}}", "is no comparison of a point with a value"),
    ],
)
def test_what_cannot_be_is_told(device: str, text: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, device=device)
    assert text in problem


def test_a_point_that_can_only_be_read_is_never_writable(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, discrete=", write: {roles: [chief]}")
    assert "discrete addresses can only be read" in problem


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("level > 1.5", {"level": 1.6}, True),
        ("level > 1.5", {"level": 1.5}, False),
        ("level >= 1.5", {"level": Decimal("1.5")}, True),
        ("level == 0.3", {"level": 0.3}, True),
        ("level != 1", {"level": 2}, True),
        ("level <= -1", {"level": -2}, True),
        ("level > 1", {}, False),
        ("level != 1", {"level": None}, False),
        ("level != 1", {"level": "2"}, False),
        ("level == 1", {"level": True}, False),
        ("mode == 'stop'", {"mode": "stop"}, True),
        ("mode != 'stop'", {"mode": "stop"}, False),
        ("mode != 'stop'", {"mode": None}, False),
        ("running == false", {"running": False}, True),
        ("running == false", {"running": 0}, False),
        ("running != true", {"running": False}, True),
        ("mode == 'stop and go' and level < 3", {"mode": "stop and go", "level": 2}, True),
        ("mode == 'stop' and level < 3", {"mode": "stop", "level": 3}, False),
    ],
)
def test_an_interlock_holds_only_where_it_can_be_told(text: str, values: dict[str, MaybeValue], holds: bool) -> None:
    assert (unfulfilled(parse_interlock(text), values) is None) is holds


@pytest.mark.parametrize(
    "text",
    ["", "level", "level > 'a'", "level > x", "1 < level", "a == 1 or b == 1", "a == 1 and", "a = 1", 5, "not a == 1"],
)
def test_other_conditions_are_refused(text: object) -> None:
    with pytest.raises(Wrong):
        parse_interlock(text)
