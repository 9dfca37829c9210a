"""Simulated equipment behind real registers: a site file with every point the plant shows, and a gateway beside it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from gateway import app
from gateway.model import Value, ValueType
from gateway.sim.plant.site import Plant
from gateway.sim.simulation import Simulation, serve
from tests.integration.mqtt_peer import Peer
from tests.rules.plant_site import PACKS, VOCABULARY
from tests.servers import free_port
from tests.unit.sim.sites import device, site

Equipment = Mapping[str, tuple[str, Mapping[str, Value]]]
"""Device id to kind and facts."""
INTERVAL = "200ms"

HANGS_S = 60
"""Who has not come so far by then never will, however busy the machine is."""


def site_file(
    folder: Path,
    equipment: Equipment,
    *,
    mqtt: int,
    overrides: Mapping[str, object] | None = None,
    depends_on: Mapping[str, Sequence[str]] | None = None,
    **more: object,
) -> Path:
    """A site with this equipment, one TCP line each; `more` are further keys of the file."""
    kinds = {kind for kind, _ in equipment.values()}
    content = {
        "schema": 1,
        "site": {
            "id": "depot-1",
            "name": {"zh": "一号库", "en": "Depot 1"},
            "kind": "warehouse",
            "timezone": "Asia/Shanghai",
        },
        "lines": {name: {"tcp": f"127.0.0.1:{free_port()}"} for name in equipment},
        "devices": [
            {
                "id": name,
                "kind": kind,
                "line": name,
                "unit": 1,
                "interval": INTERVAL,
                "facts": dict(facts),
                "depends_on": list((depends_on or {}).get(name, ())),
                "points": _points(name, kind, facts),
            }
            for name, (kind, facts) in equipment.items()
        ],
        "rules": [pack.name for pack in PACKS.packs if pack.kind in {*kinds, "any", "gateway"}],
        "rule_overrides": dict(overrides or {}),
        "report": {"every": "60s"},
        "uplink": {"mqtt": {"url": f"mqtt://127.0.0.1:{mqtt}"}},
        "state_dir": "state",
        **more,
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def _points(name: str, kind: str, facts: Mapping[str, Value]) -> dict[str, dict[str, object]]:
    """Every point the plant shows of this kind: numbers as float32, truths as coils, words as numbered."""
    known = VOCABULARY[kind]
    defaults = {each: fact.default for each, fact in known.facts.items() if fact.default is not None}
    shown = Plant(site(device(name, kind, defaults | dict(facts)))).parts[name].values()
    points: dict[str, dict[str, object]] = {}
    register = coil = 0
    for point in shown:
        if point not in known.points:
            continue
        words = list(known.points[point].words)
        if known.points[point].type is ValueType.BOOLEAN:
            points[point] = {"at": f"coil:{coil}"}
            coil += 1
        elif known.points[point].type is ValueType.NUMBER:
            points[point] = {"at": f"holding:{register}", "type": "float32"}
            register += 2
        elif words:
            points[point] = {"at": f"holding:{register}", "enum": dict(enumerate(words))}
            register += 1
    return points


def at_once(rules: Iterable[str]) -> dict[str, object]:
    """Overrides that take the delays of these rules away, so that a test need not wait for them."""
    found = {rule.name: rule for pack in PACKS.packs for rule in pack.rules}
    soon = "50ms"
    return {
        name: {
            **({"when_for": soon} if found[name].when_for_s else {}),
            "levels": {
                level.priority.value: {key: soon for key in ("for", "on", "off") if getattr(level, f"{key}_s")}
                for level in found[name].levels
            },
        }
        for name in rules
    }


class Machines:
    """The plant behind the registers: inputs are put and time is let go by hand."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    async def do(self, target: str, seconds: float = 2.0, **inputs: Value) -> None:
        plant = self.simulation.plant
        for name in plant.devices(target):
            for key, value in inputs.items():
                plant.parts[name].inputs[key].put(value)
        await self.pass_s(seconds)

    async def pass_s(self, seconds: float) -> None:
        step = max(1.0, seconds / 200)
        for _ in range(round(seconds / step)):
            await self.simulation.advance(step)


@asynccontextmanager
async def machines(path: Path) -> AsyncIterator[Machines]:
    """The equipment of a site file, served at its own addresses, standing still unless it is moved."""
    async with serve(app.load(path), paused=True) as simulation:
        found = Machines(simulation)
        await found.pass_s(20)
        yield found


class Heard:
    """What the broker had of one site."""

    def __init__(self, peer: Peer, site: str = "depot-1") -> None:
        self.peer = peer
        self._prefix = f"vigil/v1/{site}/"

    def messages(self, topic: str) -> list[dict[str, Any]]:
        """All on `<device>/readiness` or the like, oldest first."""
        found = [payload for name, payload in self.peer.heard if name == self._prefix + topic and payload]
        return [json.loads(payload) for payload in found]

    def state(self, device: str) -> tuple[str, frozenset[str]] | None:
        """State and rules among the reasons, as last told."""
        told = self.messages(f"{device}/readiness")
        return (told[-1]["state"], frozenset(each["rule"] for each in told[-1]["reasons"])) if told else None

    async def until(self, device: str, state: str, rules: Iterable[str]) -> None:
        """Wait for this readiness."""
        wanted = (state, frozenset(rules))
        try:
            await self.peer.until(lambda: self.state(device) == wanted, HANGS_S)
        except TimeoutError:
            raise AssertionError(f"{device} should be {wanted}, is {self.state(device)}") from None

    def alarms(self, device: str) -> dict[str, str]:
        """Rule to state of every alarm of a device that is active, as last told."""
        found = {}
        for rule in {name.rsplit("/", 1)[1] for name, _ in self.peer.heard if f"{self._prefix}{device}/alarm/" in name}:
            told = self.messages(f"{device}/alarm/{rule}")
            if told and told[-1]["active"]:
                found[rule] = str(told[-1]["state"])
        return found

    async def until_alarms(self, device: str, rules: Iterable[str]) -> None:
        """Wait until exactly these alarms of the device are active."""
        wanted = set(rules)
        try:
            await self.peer.until(lambda: self.alarms(device).keys() == wanted, HANGS_S)
        except TimeoutError:
            raise AssertionError(f"{device} should have {wanted}, has {self.alarms(device)}") from None
