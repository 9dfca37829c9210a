"""A whole site: weather, mains, sump and one model per device, advanced together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Protocol

from gateway.model import Value
from gateway.settings.types import SiteSettings
from gateway.sim.plant.ats import TransferSwitch
from gateway.sim.plant.cold_store import ColdStore
from gateway.sim.plant.field_kitchen import FieldKitchen
from gateway.sim.plant.forklift import Forklift
from gateway.sim.plant.generator import Generator
from gateway.sim.plant.light_tower import LightTower
from gateway.sim.plant.mains import Mains
from gateway.sim.plant.meter import Meter
from gateway.sim.plant.parts import Input, Part, substeps
from gateway.sim.plant.pump import Pump
from gateway.sim.plant.scba_compressor import ScbaCompressor
from gateway.sim.plant.sensor import Sensor
from gateway.sim.plant.shelter import Shelter
from gateway.sim.plant.sky import Sky
from gateway.sim.plant.sump import Sump
from gateway.sim.plant.tank import Tank
from gateway.sim.plant.ups import Ups
from gateway.sim.plant.vehicle import Vehicle
from gateway.sim.plant.warehouse import Warehouse
from gateway.sim.plant.weather import HydrologyStation, WeatherStation
from gateway.sim.plant.world import World

Facts = Mapping[str, Value]


class _Make(Protocol):
    def __call__(self, world: World, random: Random, facts: Facts) -> Part: ...


_MODELS: Mapping[str, _Make] = {
    "ats": TransferSwitch,
    "cold_store": ColdStore,
    "field_kitchen": FieldKitchen,
    "forklift": Forklift,
    "generator": Generator,
    "hydrology": HydrologyStation,
    "light_tower": LightTower,
    "meter": Meter,
    "scba_compressor": ScbaCompressor,
    "sensor": Sensor,
    "shelter": Shelter,
    "tank": Tank,
    "ups": Ups,
    "vehicle": Vehicle,
    "warehouse": Warehouse,
    "weather": WeatherStation,
}
#: What parts tell each other is one step old.
_LONGEST_STEP_S = 300.0
#: Generators before switches before consumers: who supplies is known before somebody draws.
_FIRST = {"generator": 0, "ats": 1}


class Plant:
    """`parts` by device id; everything repeatable from `seed` and the sequence of steps."""

    def __init__(self, site: SiteSettings, seed: int = 1, *, start_hour: float = 8.0) -> None:
        def random(name: str) -> Random:
            return Random(f"{seed}/{name}")  # noqa: S311 - a simulation must be repeatable

        self.world = World(time_s=start_hour * 3600.0)
        if site.latitude is not None and site.longitude is not None:
            self.world.latitude, self.world.longitude = site.latitude, site.longitude
        self.mains = Mains(self.world, random("_mains"))
        self.sky = Sky(self.world, random("_weather"))
        self.sump = Sump(self.world, random("_sump"))
        self.elapsed_s = 0.0
        self.version = 0
        """Counts the steps; values change only with it, or by an input."""
        self.parts: dict[str, Part] = {}
        for device in site.devices:
            facts = {**site.facts, **device.facts}
            self.parts[device.id] = self._make(device.kind, random(device.id), facts)
        kinds = {device.id: device.kind for device in site.devices}
        self._order = sorted(self.parts, key=lambda device: (_FIRST.get(kinds[device], 2), device))
        self._kinds = kinds

    def _make(self, kind: str, random: Random, facts: Facts) -> Part:
        if kind == "pump":
            return Pump(self.world, self.sump, random, facts)
        make: Callable[[World, Random, Facts], Part] = _MODELS.get(kind, Sensor)
        return make(self.world, random, facts)

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass for everything."""
        pieces, piece = substeps(dt_s, _LONGEST_STEP_S)
        for _ in range(pieces):
            self._step(piece)
        self.elapsed_s += dt_s
        self.version += 1

    def _step(self, dt_s: float) -> None:
        world = self.world
        self.sky.step(dt_s)
        self.mains.step(dt_s)
        world.generators_ready = 0
        world.generator_voltage = 0.0
        for device in self._order:
            self.parts[device].step(dt_s)
        self.sump.step(dt_s)
        world.settle(dt_s)

    def devices(self, target: str) -> list[str]:
        """The devices a scenario means by `target`: one by id, all of a kind, or the nth of a kind (`pump#2`)."""
        if target in self.parts:
            return [target]
        wanted, _, number = target.partition("#")
        found = [device for device, kind in self._kinds.items() if kind == wanted]
        if not number:
            return found
        return found[int(number) - 1 : int(number)] if number.isdecimal() and int(number) > 0 else []

    def surroundings(self, target: str) -> Mapping[str, Input]:
        """What can be done to `mains` or `weather`; nothing for other targets."""
        return {"mains": self.mains.inputs, "weather": self.sky.inputs}.get(target, {})
