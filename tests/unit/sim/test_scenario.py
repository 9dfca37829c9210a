"""Scenario files: what is read, when it happens, what is refused and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.model import ValueType
from gateway.settings.bundled import config_dir
from gateway.sim.devices import SimulatedDevice
from gateway.sim.faults import FaultBoard, FaultName, LineFault
from gateway.sim.frames import Request, RtuFraming
from gateway.sim.plant.site import Plant
from gateway.sim.scenario import Change, Disturbance, Scenario, Script
from gateway.sim.scenario_file import load_scenario
from gateway.sim.staging import Stage
from tests.unit.sim.sites import device, point, site

SITE = site(
    device("gen-1", "generator", points=[point("mode", ValueType.STRING), point("running", ValueType.BOOLEAN)], unit=3),
    device("gen-2", "generator", points=[point("fuel_level")], unit=4),
    device("store", "warehouse", points=[point("door_open", ValueType.BOOLEAN), point("odd")], line="lan"),
)


class Theatre:
    """A plant with a stage, and no sockets."""

    def __init__(self) -> None:
        self.plant = Plant(SITE)
        self.devices = {each.id: SimulatedDevice(each, self.plant) for each in SITE.devices}
        self.faults = {"bus": FaultBoard("bus"), "lan": FaultBoard("lan")}
        self.stage = Stage(SITE, self.plant, self.devices, self.faults)

    def play(self, scenario: Scenario, until_s: float) -> None:
        self.stage.check(scenario)
        script = Script(scenario)
        while self.plant.elapsed_s < until_s:
            self.plant.advance(1.0)
            self.stage.expire(self.plant.elapsed_s)
            for action in script.due(self.plant.elapsed_s):
                self.stage.perform(action, self.plant.elapsed_s)

    def answers(self, line: str, unit: int) -> int:
        return len(self.faults[line].replies(RtuFraming(), Request(unit, b"\x03\0\0\0\1"), b"\x03\x02\0\0"))


def scenario_of(tmp_path: Path, text: str) -> Scenario:
    path = tmp_path / "scenario.yaml"
    path.write_text("schema: 1\n" + text)
    return load_scenario(path)


def times(script: Script, until_s: float, step_s: float) -> list[tuple[float, str]]:
    return [
        (index * step_s, action.name if isinstance(action, Change) else action.target)
        for index in range(1, round(until_s / step_s) + 1)
        for action in script.due(index * step_s)
    ]


def test_events_come_in_order_of_time(tmp_path: Path) -> None:
    scenario = scenario_of(
        tmp_path,
        """
events:
  - {at: 5s, do: {store: {door: open}}}
  - {at: 2s, do: {mains: {power: fail}}}
  - {at: 2s, do: {weather: {rain: 3}}}
  - {at: 1s, every: 3s, fault: silent, of: bus}
""",
    )
    assert times(Script(scenario), 8, 0.5) == [
        (1.0, "bus"),
        (2.0, "power"),
        (2.0, "rain"),
        (4.0, "bus"),
        (5.0, "door"),
        (7.0, "bus"),
    ]


def test_a_long_step_misses_nothing(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, "events:\n- {at: 1s, every: 1s, do: {mains: {power: fail}}}\n")
    assert len(Script(scenario).due(60.0)) == 60


def test_a_repeated_scenario_starts_over(tmp_path: Path) -> None:
    scenario = scenario_of(
        tmp_path,
        "repeat: 10s\nevents:\n- {at: 2s, do: {mains: {power: fail}}}\n- {at: 4s, every: 4s, fault: cut, of: bus}\n",
    )
    assert times(Script(scenario), 20, 1.0) == [
        (2, "power"),
        (4, "bus"),
        (8, "bus"),
        (12, "power"),
        (14, "bus"),
        (18, "bus"),
    ]


def test_changes_reach_devices_kinds_and_the_nth_of_a_kind(tmp_path: Path) -> None:
    theatre = Theatre()
    theatre.play(
        scenario_of(
            tmp_path,
            """
events:
  - {at: 1s, do: {generator: {fuel: 40}, store: {door: open}}}
  - {at: 2s, do: {"generator#1": {mode: manual}, "generator#7": {mode: manual}, tank: {fill: 3}}}
""",
        ),
        3,
    )
    assert theatre.devices["gen-1"].read("mode") == "manual"
    assert theatre.plant.parts["gen-2"].values()["mode"] == "auto"
    assert theatre.devices["gen-2"].read("fuel_level") == pytest.approx(40, abs=1)
    assert theatre.devices["store"].read("door_open") is True


def test_a_point_without_a_model_is_held_until_released(tmp_path: Path) -> None:
    theatre = Theatre()
    text = """
events:
  - {at: 1s, do: {store: {odd: 77}, gen-1: {running: true}}}
  - {at: 5s, do: {gen-1: {running: release}}}
"""
    theatre.play(scenario_of(tmp_path, text), 3)
    assert theatre.devices["store"].read("odd") == 77
    assert theatre.devices["gen-1"].read("running") is True
    theatre.play(scenario_of(tmp_path, text), 9)
    assert theatre.devices["gen-1"].read("running") is False


def test_faults_begin_and_end(tmp_path: Path) -> None:
    theatre = Theatre()
    scenario = scenario_of(
        tmp_path,
        """
events:
  - {at: 2s, fault: silent, of: gen-1, for: 3s}
  - {at: 2s, fault: cut, of: store}
  - {at: 9s, fault: none, of: lan}
""",
    )
    theatre.play(scenario, 3)
    assert (theatre.answers("bus", 3), theatre.answers("bus", 4)) == (0, 1)
    assert theatre.faults["lan"].is_cut
    assert not theatre.faults["bus"].is_cut
    theatre.play(Scenario(scenario.name, None, ()), 6)
    assert theatre.answers("bus", 3) == 1


def test_the_keys_of_a_fault(tmp_path: Path) -> None:
    scenario = scenario_of(
        tmp_path, "events:\n- {at: 1s, fault: late, of: bus, delay: 1200ms, share: 0.25, code: 6, for: 1m}\n"
    )
    (action,) = scenario.actions
    assert isinstance(action, Disturbance)
    assert action.fault == LineFault(FaultName.LATE, delay_s=1.2, code=6, share=0.25)
    assert action.for_s == 60


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("events: 3\n", "2:9", "list"),
        ("event:\n- {at: 1s}\n", "2:1", "unknown key"),
        ("events:\n- {do: {mains: {power: fail}}}\n", "3:3", "at is missing"),
        ("events:\n- {at: 5, do: {mains: {power: fail}}}\n", "3:8", "not a duration"),
        ("events:\n- {at: 5s}\n", "3:3", "either do or fault"),
        ("events:\n- {at: 5s, fault: quiet, of: bus}\n", "3:19", "no fault quiet"),
        ("events:\n- {at: 5s, fault: silent, of: bus, share: 2}\n", "3:43", "number"),
        ("events:\n- {at: 5s, fault: silent, of: bus, delay: 2}\n", "3:43", "not a duration"),
        ("events:\n- {at: 5s, every: 1ms, fault: silent, of: bus}\n", "3:19", "shorter"),
        ("events:\n- {at: 5s, do: {mains: fail}}\n", "3:24", "mapping"),
        ("events:\n- {at: 5s, for: 2s, do: {mains: {power: fail}}}\n", "3:17", "belongs to a fault"),
        ("events:\n- {at: 5s, wen: 2s, do: {mains: {power: fail}}}\n", "3:12", "unknown key"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, text: str, place: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scenario_of(tmp_path, text)
    assert any(f"scenario.yaml:{place}: " in str(each) and says in str(each) for each in caught.value.problems), str(
        caught.value
    )


@pytest.mark.parametrize(
    ("event", "stands_at", "says"),
    [
        ("do: {gen-9: {mode: auto}}", "gen-9", "did you mean gen-"),
        ("do: {gen-1: {mod: auto}}", "mod", "did you mean mode"),
        ("do: {gen-1: {mode: fast}}", "fast", "auto, manual, off, test"),
        ("do: {gen-2: {fuel: 120}}", "120", "0 .. 100"),
        ("do: {mains: {power: maybe}}", "maybe", "fail"),
        ("do: {gen-1: {running: 3}}", "3", "true, false"),
        ("do: {generator: {fuel_level: low}}", "low", "number"),
        ("fault: silent, of: gen-9", "gen-9", "did you mean gen-"),
    ],
)
def test_what_a_site_cannot_do_is_said_at_its_place(tmp_path: Path, event: str, stands_at: str, says: str) -> None:
    scenario = scenario_of(tmp_path, f"events:\n- {{at: 1s, {event}}}\n")
    with pytest.raises(ConfigError) as caught:
        Theatre().stage.check(scenario)
    (problem,) = caught.value.problems
    assert says in str(problem)
    assert (problem.line, problem.column) == (3, len("- {at: 1s, ") + event.index(stands_at) + 1), str(problem)


def test_problems_are_said_in_chinese_too(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text("schema: 0\nevents: []\n")
    with pytest.raises(ConfigError, match="应为"):
        load_scenario(path, "zh")


@pytest.mark.parametrize("path", sorted((config_dir() / "scenarios").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_scenarios_are_good(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.events
    assert scenario.name.zh
    assert scenario.name.en


def test_the_documentation_knows_every_fault() -> None:
    page = (config_dir().parent / "docs" / "simulation.md").read_text()
    assert [name.value for name in FaultName if f"| `{name.value}` |" not in page] == []


def test_the_example_of_the_documentation_is_a_scenario(tmp_path: Path) -> None:
    page = (config_dir().parent / "docs" / "simulation.md").read_text()
    path = tmp_path / "example.yaml"
    path.write_text(page.split("```yaml\n")[1].split("```")[0])
    scenario = load_scenario(path)
    assert len(list(scenario.actions)) == 4
    assert scenario.repeat_s == 180
