"""A diesel engine with its start sequence: crank, fire, run, cool down; used by generator and diesel pump."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from gateway.sim.plant.battery import StarterBattery
from gateway.sim.plant.parts import Noise, clamp, relax


class Phase(StrEnum):
    STOPPED = "stopped"
    CRANKING = "cranking"
    RESTING = "resting"
    """Between two attempts."""
    STARTING = "starting"
    RUNNING = "running"
    COOLING_DOWN = "cooling_down"
    STOPPING = "stopping"
    FAILED = "failed"
    """Fail to start, overspeed or shut down: latched until reset."""


@dataclass(frozen=True, slots=True)
class StartSequence:
    crank_s: float = 8.0
    rest_s: float = 8.0
    attempts: int = 3
    fires_after_s: float = 2.5
    warm_up_s: float = 4.0
    cool_down_s: float = 20.0


class Engine:
    """`wanted` says whether it should run; the rest follows. Times are seconds, pressures kPa, temperatures C."""

    def __init__(self, random: Random, battery: StarterBattery, rated_rpm: float = 1500.0) -> None:
        self._battery = battery
        self._sequence = StartSequence()
        self.rated_rpm = rated_rpm
        self.phase = Phase.STOPPED
        self.wanted = False
        self.fuel_l = 0.0
        self.tank_l = 1.0
        self.full_burn_l_h = 13.5
        self.burn_l_h = 0.0
        self.speed = 0.0
        self.coolant = 38.0
        self.oil_kpa = 0.0
        self.attempts = 0
        self.starts = 0
        self.run_s = 0.0
        self.latest_run_s = 0.0
        self.fuel_used_l = 0.0
        self.start_to_rated_s: float | None = None
        self.will_not_fire = False
        """Air in the fuel, a stuck solenoid."""
        self.failed_to_start = False
        self.overspeed = False
        self._in_phase_s = 0.0
        self._since_wanted_s = 0.0
        self._hunt = Noise(random, 3.0, 2.0)
        self._shiver = Noise(random, 0.15, 30.0)

    @property
    def is_turning(self) -> bool:
        return self.phase in (Phase.STARTING, Phase.RUNNING, Phase.COOLING_DOWN)

    @property
    def is_at_speed(self) -> bool:
        return self.phase is Phase.RUNNING

    @property
    def is_changing(self) -> bool:
        """In a phase of seconds, so that steps must be short."""
        settled = self.phase in (Phase.STOPPED, Phase.RUNNING, Phase.FAILED)
        return not settled or (self.wanted and self.phase is Phase.STOPPED)

    def emergency_stop(self) -> None:
        """Fuel off at once; not latched here."""
        if self.phase not in (Phase.STOPPED, Phase.FAILED, Phase.STOPPING):
            self._enter(Phase.STOPPING)
        self.wanted = False

    def trip(self) -> None:
        """Shut down and stay so until `reset`."""
        self._enter(Phase.FAILED)

    def reset(self) -> None:
        self.failed_to_start = self.overspeed = False
        if self.phase is Phase.FAILED:
            self._enter(Phase.STOPPED)

    def step(self, dt_s: float, *, load: float, ambient: float, heated: bool) -> None:
        """`load` 0 .. 1 of rated; `heated` by a block heater."""
        self._in_phase_s += dt_s
        self._since_wanted_s = self._since_wanted_s + dt_s if self.wanted else 0.0
        self._move_on()
        self._turn(dt_s, load)
        goal = ambient if not heated else max(ambient, 38.0)
        if self.is_turning:
            goal = max(ambient, 0.0) * 0.15 + 74.0 + 10.0 * load
        self.coolant = relax(self.coolant, goal, dt_s, 240.0 if self.is_turning else 5400.0)
        self._shiver.step(dt_s)
        pressure = (
            410.0 * clamp(self.speed / (0.6 * self.rated_rpm), 0.0, 1.0) - 0.4 * (self.coolant - 60) * self.is_turning
        )
        self.oil_kpa = relax(self.oil_kpa, max(0.0, pressure), dt_s, 1.5)

    def shown_coolant(self) -> float:
        return self.coolant + self._shiver.value

    def _move_on(self) -> None:
        sequence = self._sequence
        match self.phase:
            case Phase.STOPPED if self.wanted:
                self.attempts = 0
                self._crank()
            case Phase.CRANKING:
                if not self.wanted:
                    self._enter(Phase.STOPPED)
                elif self._fires() and self._in_phase_s >= sequence.fires_after_s:
                    self.starts += 1
                    self.latest_run_s = 0.0
                    self._enter(Phase.STARTING)
                elif self._in_phase_s >= sequence.crank_s:
                    if self.attempts >= sequence.attempts:
                        self.failed_to_start = True
                        self._enter(Phase.FAILED)
                    else:
                        self._enter(Phase.RESTING)
            case Phase.RESTING:
                if not self.wanted:
                    self._enter(Phase.STOPPED)
                elif self._in_phase_s >= sequence.rest_s:
                    self._crank()
            case Phase.STARTING if self._in_phase_s >= sequence.warm_up_s:
                self.start_to_rated_s = self._since_wanted_s
                self._enter(Phase.RUNNING)
            case Phase.RUNNING if not self.wanted:
                self._enter(Phase.COOLING_DOWN)
            case Phase.COOLING_DOWN:
                if self.wanted:
                    self._enter(Phase.RUNNING)
                elif self._in_phase_s >= sequence.cool_down_s:
                    self._enter(Phase.STOPPING)
            case Phase.STOPPING if self.speed < 30:
                self._enter(Phase.STOPPED)
        if self.is_turning and self.fuel_l <= 0.0:
            self._enter(Phase.STOPPING)

    def _crank(self) -> None:
        self.attempts += 1
        if self.attempts == 1:
            self._battery.dip = None
        self._enter(Phase.CRANKING)

    def _fires(self) -> bool:
        return self._battery.can_crank and self.fuel_l > 0.0 and not self.will_not_fire

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._in_phase_s = 0.0

    def _turn(self, dt_s: float, load: float) -> None:
        goal, tau_s = 0.0, 2.0
        if self.phase is Phase.CRANKING:
            goal, tau_s = (210.0 if self._battery.can_crank else 60.0), 0.3
        elif self.is_turning:
            goal, tau_s = self.rated_rpm * (1.012 - 0.012 * load) * (1.18 if self.overspeed else 1.0), 1.2
        self.speed = relax(self.speed, goal, dt_s, tau_s)
        self._hunt.step(dt_s)
        self.burn_l_h = 0.0
        if self.is_turning:
            self.run_s += dt_s
            self.latest_run_s += dt_s
            # Idle takes about a quarter of the full-load burn.
            self.burn_l_h = self.full_burn_l_h * (0.25 + 0.75 * clamp(load, 0.0, 1.2))
            used = min(self.fuel_l, self.burn_l_h * dt_s / 3600.0)
            self.fuel_l -= used
            self.fuel_used_l += used

    def shown_speed(self) -> float:
        return max(0.0, self.speed + (self._hunt.value if self.is_turning else 0.0))
