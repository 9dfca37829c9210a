"""An automatic transfer switch: asks the generator to start, moves the load to the living source, and back."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, choice, flag, to
from gateway.sim.plant.world import World

_RETURN_DELAY_S, _TRANSFER_S = 10.0, 0.6


class TransferSwitch:
    """Source 1 is the mains, source 2 the generator. Of several in one site the last one decides for the load."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:  # noqa: ARG002 - one shape for all
        self._world = world
        world.has_transfer_switch = True
        self.mode = "auto"
        self.position = "source1"
        self.stuck = False
        self.tripped = "none"
        self.transfer_failed = False
        self.transfers = 37
        self._goal = "source1"
        self._moving_s = 0.0
        self._stable_s = 1e9
        self._inputs = {
            "mode": choice(to(self, "mode"), "auto", "manual", "off"),
            "mechanism": flag(to(self, "stuck"), "stuck", "free"),
            "breaker_tripped": choice(to(self, "tripped"), "none", "source1", "source2"),
            "fault_reset": flag(self._reset),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        world = self._world
        self._stable_s = self._stable_s + dt_s if world.mains_present else 0.0
        world.start_requested = self.mode == "auto" and self._stable_s < _RETURN_DELAY_S and self._stable_s < 1e8
        if self.mode == "auto":
            self._goal = self._wanted()
        self._transfer(dt_s)
        alive = {"source1": world.mains_present, "source2": world.generators_ready > 0}
        powered = alive.get(self.position, False) and self.tripped != self.position
        world.source = {"source1": "mains", "source2": "generator"}[self.position] if powered else "none"

    def _wanted(self) -> str:
        world = self._world
        if world.mains_present and (self._stable_s >= _RETURN_DELAY_S or not world.generators_ready):
            return "source1"
        return "source2" if world.generators_ready else self.position if self.position != "transferring" else "source1"

    def _transfer(self, dt_s: float) -> None:
        if self.position == self._goal:
            return
        if self.stuck:
            self.transfer_failed = True
            return
        if self.position != "transferring":
            self.position, self._moving_s = "transferring", 0.0
        self._moving_s += dt_s
        if self._moving_s >= _TRANSFER_S:
            self.position = self._goal
            self.transfers += 1

    def _reset(self, wanted: bool) -> None:
        if wanted:
            self.transfer_failed = False
            self.tripped = "none"

    def values(self) -> Mapping[str, Value]:
        world = self._world
        generator = world.generators_ready > 0
        power = world.demand_kw if world.is_supplied else 0.0
        values: dict[str, Value] = {
            "mode": self.mode,
            **{f"mode_{mode}": self.mode == mode for mode in ("auto", "manual", "off", "test")},
            "position": self.position,
            "source1_available": world.mains_present,
            "source2_available": generator,
            "source1_connected": self.position == "source1",
            "source2_connected": self.position == "source2",
            "source1_frequency": world.mains_frequency,
            "source2_frequency": 50.0 if generator else 0.0,
            "transfer_failed": self.transfer_failed,
            "breaker1_tripped": self.tripped == "source1",
            "breaker2_tripped": self.tripped == "source2",
            "load_unpowered": not world.is_supplied,
            "source1_undervoltage": not world.mains_present,
            "generator_start_requested": world.start_requested,
            "common_alarm": self.transfer_failed or self.tripped != "none",
            "transfer_count": self.transfers,
            "battery_voltage": 13.5,
            "power": power,
            "water_detected": world.flooded,
        }
        for phase in ("l1", "l2", "l3"):
            values[f"source1_voltage_{phase}"] = world.mains_voltage
            values[f"source2_voltage_{phase}"] = world.generator_voltage if generator else 0.0
            values[f"current_{phase}"] = power * 1.58
        return values
