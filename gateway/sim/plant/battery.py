"""A lead-acid starting battery: charge, ageing and sulphation, and what its terminals show."""

from __future__ import annotations

from random import Random

from gateway.sim.plant.parts import Noise, clamp, relax

_MONTH_S = 30.44 * 86400.0
#: Rest voltage of six cells, full and empty.
_FULL_V, _EMPTY_V = 12.75, 11.6
_FLOAT_V = 13.6
_CELL_AH = 100.0
#: A healthy battery's life; sulphation eats it up in a season.
_LIFE_MONTHS, _SULPHATED_MONTHS = 48.0, 4.0


class StarterBattery:
    """`strings` is 1 for 12 V, 2 for 24 V. All voltages are at the terminals, of the whole battery."""

    def __init__(self, random: Random, nominal_voltage: float = 24.0) -> None:
        self.strings = nominal_voltage / 12.0
        self.charge = 1.0
        """State of charge, 0 .. 1."""
        self.health = 1.0
        """1 is new, 0 is scrap."""
        self.sulphating = False
        self._surface = 0.0
        """What charging leaves on the plates for a while, volts of six cells."""
        self._noise = Noise(random, 0.012)
        self.voltage = self.rest_voltage
        self.dip: float | None = None
        """Lowest voltage while last cranking."""

    @property
    def rest_voltage(self) -> float:
        """After hours without current."""
        shorted = 1.9 * (1.0 - self.health)
        flat = 2.0 * max(0.0, 0.1 - self.charge) / 0.1
        return self.strings * (_EMPTY_V + (_FULL_V - _EMPTY_V) * self.charge - shorted - flat)

    @property
    def cranking_voltage(self) -> float:
        """What would be left while the starter turns."""
        resistance = 1.6 + 1.4 * (1.0 - self.health) + 1.6 * max(0.0, 0.6 - self.charge)
        return max(0.0, self.rest_voltage - self.strings * resistance)

    @property
    def can_crank(self) -> bool:
        """The starter still turns the engine fast enough."""
        return self.cranking_voltage >= 8.5 * self.strings

    def set_charge_percent(self, percent: float) -> None:
        self.charge = clamp(percent / 100.0, 0.0, 1.0)

    def set_health_percent(self, percent: float) -> None:
        self.health = clamp(percent / 100.0, 0.0, 1.0)

    def step(self, dt_s: float, *, charging: bool, drain_a: float, cranking: bool) -> None:
        """Let time pass with `drain_a` amperes taken; `charging` by charger or alternator."""
        months = dt_s / _MONTH_S
        self.health = clamp(self.health - months / (_SULPHATED_MONTHS if self.sulphating else _LIFE_MONTHS), 0.0, 1.0)
        usable_ah = _CELL_AH * max(0.1, self.health)
        current = -drain_a - (400.0 if cranking else 0.0) - 0.02 / max(0.1, self.health)
        if charging and not cranking:
            current += 10.0 * clamp((1.0 - self.charge) * 10.0, 0.05, 1.0)
        self.charge = clamp(self.charge + current * dt_s / 3600.0 / usable_ah, 0.0, 1.0)
        # A leaking cell keeps the charger from reaching its float voltage.
        held = _FLOAT_V - 2.6 * (1.0 - self.health) ** 1.5
        surface_goal = max(0.0, held - self.rest_voltage / self.strings) if charging else 0.0
        surface_goal *= clamp((self.charge - 0.3) / 0.6, 0.2, 1.0)
        self._surface = relax(self._surface, surface_goal, dt_s, 30.0 if charging else 300.0)
        noise = self._noise.step(dt_s)
        if cranking:
            self.voltage = self.cranking_voltage + noise
            self.dip = self.voltage if self.dip is None else min(self.dip, self.voltage)
            return
        self.voltage = max(0.0, self.rest_voltage + self.strings * self._surface + noise)
