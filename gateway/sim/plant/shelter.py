"""A shelter: people come, breathe, drink and use power."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, clamp, fact_number, flag, number, relax, to
from gateway.sim.plant.world import World

OUTDOOR_PPM = 420.0
#: Litres of CO2 a resting person breathes out in an hour.
_BREATH_L_H = 18.0
_AIR_M3_PERSON = 12.0
_AIR_CHANGES_FAN, _AIR_CHANGES_LEAK = 3.0, 0.3
_WASTE_SHARE = 0.8
#: More than this many times its capacity does not fit through the door.
_MOST_SHARE = 3.0
_PERSON_KW, _STANDING_KW, _FAN_KW = 0.04, 1.2, 2.2
_FAULTS = ("emergency_light_fault", "broadcast_fault", "siren_fault", "communication_fault", "fire_panel_fault")


class Shelter:
    """Facts used: capacity (persons), water_capacity (L), water_per_person (L/d), toilets, taps."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:
        self.world = world
        self._powers_building = facts.get("covers", "whole") in ("whole", "power")
        self.capacity = fact_number(facts, "capacity", 200.0)
        self.tank_l = fact_number(facts, "water_capacity", 10_000.0)
        self._litres_day = fact_number(facts, "water_per_person", 15.0)
        self.toilets = fact_number(facts, "toilets", 10.0)
        self.taps = fact_number(facts, "taps", 4.0)
        self._battery_kwh = 20.0
        self.water_l = 0.95 * self.tank_l
        self.waste_percent = 8.0
        self.used_l = 0.0
        self.people = 0.0
        self.inside = 0.0
        self.co2_ppm = OUTDOOR_PPM + 30.0
        self.fumes_ppm = 0.0
        self.co_ppm = 0.5
        self.temperature = 20.5
        self.humidity = 52.0
        self.doors = [False] * 4
        self.wet = [False] * 2
        self.fan_on = True
        self.heat_c = 0.0
        self.fire = False
        self.smoke_ppm = 0.0
        self.charge = 1.0
        self.energy_kwh = 820.0
        self.power_kw = _STANDING_KW
        self.faults = dict.fromkeys(_FAULTS, False)
        self._air = Noise(random, 6.0, 15.0)
        self._warmth = Noise(random, 0.05, 30.0)
        self._inputs = self._list_inputs()

    def _list_inputs(self) -> dict[str, Input]:
        inputs = {
            "people": number(to(self, "people"), 0, 100_000, none=0.0),
            "water": number(self._set_water_percent, 0, 100, empty=0.0, full=100.0),
            "waste_water": number(to(self, "waste_percent"), 0, 100, empty=0.0, full=100.0),
            "ventilation": flag(to(self, "fan_on")),
            "fumes": number(to(self, "fumes_ppm"), 0, 2000, off=0.0),
            "heat": number(to(self, "heat_c"), -40, 40, off=0.0),
            "battery_charge": number(self._set_charge_percent, 0, 100, flat=0.0, full=100.0),
            "toilets_working": number(to(self, "toilets"), 0, 1000),
            "taps_working": number(to(self, "taps"), 0, 1000),
            "fire": flag(to(self, "fire")),
            "smoke": number(to(self, "smoke_ppm"), 0, 5000, off=0.0),
            "leak": flag(partial(self.wet.__setitem__, 0)),
            "leak_2": flag(partial(self.wet.__setitem__, 1)),
        }
        for index in range(len(self.doors)):
            ending = f"_{index + 1}" if index else ""
            inputs[f"door{ending}"] = flag(partial(self.doors.__setitem__, index), "open", "closed")
        for name in _FAULTS:
            inputs[name] = flag(partial(self.faults.__setitem__, name))
        return inputs

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        world, hours = self.world, dt_s / 3600.0
        self.inside = relax(self.inside, min(self.people, _MOST_SHARE * self.capacity), dt_s, 20.0)
        supplied = world.is_supplied or self.charge > 0
        fan = self.fan_on and supplied
        changes_h = (_AIR_CHANGES_FAN if fan else 0.0) + _AIR_CHANGES_LEAK * (1 + 4 * sum(self.doors))
        volume_m3 = _AIR_M3_PERSON * self.capacity
        breathed_ppm = self.inside * _BREATH_L_H / 1000.0 / volume_m3 / changes_h * 1e6
        self.co2_ppm = relax(self.co2_ppm, OUTDOOR_PPM + breathed_ppm, dt_s, 3600.0 / changes_h)
        world.indoor_co2_ppm = self.co2_ppm
        self.co_ppm = relax(self.co_ppm, 0.5 + self.fumes_ppm, dt_s, 120.0)
        share = self.inside / self.capacity
        goal = 0.5 * world.outdoor_temperature + 11.0 + 4.0 * share + self.heat_c
        self.temperature = relax(self.temperature, goal, dt_s, 900.0 if self.heat_c else 3 * 3600.0)
        self.humidity = relax(self.humidity, clamp(45.0 + 20.0 * share, 20, 95), dt_s, 3600.0)
        drunk = min(self.water_l, self.inside * self._litres_day / 24.0 * hours) if self.taps else 0.0
        self.water_l -= drunk
        self.used_l += drunk
        self.waste_percent = clamp(self.waste_percent + 100.0 * _WASTE_SHARE * drunk / self.tank_l, 0.0, 100.0)
        self.power_kw = _STANDING_KW + _PERSON_KW * self.inside + _FAN_KW * fan
        change_kw = 2.0 if world.is_supplied else -self.power_kw * 0.4
        self.charge = clamp(self.charge + change_kw * hours / self._battery_kwh, 0.0, 1.0)
        if world.is_supplied:
            self.energy_kwh += self.power_kw * hours
            if self._powers_building:
                world.consume(self.power_kw)
        self._air.step(dt_s)
        self._warmth.step(dt_s)

    def values(self) -> Mapping[str, Value]:
        world = self.world
        smoke = self.smoke_ppm + (900.0 if self.fire else 3.0)
        values: dict[str, Value] = {
            "mains_available": world.mains_present,
            "mains_voltage": world.mains_voltage,
            "water_level": 100.0 * self.water_l / self.tank_l,
            "water_volume": self.water_l,
            "water_total": 310.0 + self.used_l / 1000.0,
            "waste_water_level": self.waste_percent,
            "battery_voltage": 48.0 + 5.5 * self.charge,
            "battery_current": 4.0 if world.is_supplied and self.charge < 1 else 0.0 if world.is_supplied else -18.0,
            "state_of_charge": 100.0 * self.charge,
            "battery_time_remaining": 60.0 * self.charge * self._battery_kwh / (0.4 * self.power_kw),
            "charging": world.is_supplied,
            "carbon_dioxide": max(OUTDOOR_PPM - 20, self.co2_ppm + self._air.value),
            "carbon_monoxide": self.co_ppm,
            "oxygen": 20.9 - (self.co2_ppm - OUTDOOR_PPM) / 10_000.0,
            "temperature": self.temperature + self._warmth.value,
            "humidity": self.humidity,
            "pm1": 8.0 + 0.02 * self.inside,
            "pm25": 15.0 + 0.05 * self.inside,
            "pm10": 28.0 + 0.1 * self.inside,
            "occupancy": round(self.inside),
            "toilets_working": round(self.toilets),
            "taps_working": round(self.taps),
            **self.faults,
            "fire_alarm": self.fire,
            "smoke": smoke,
            "smoke_detected": smoke > 300,
            "motion_detected": self.inside >= 1,
            "illuminance": 300.0 if self.inside >= 1 else 10.0,
            "noise": 38.0 + 10.0 * min(1.0, self.inside / self.capacity),
            "power": self.power_kw if world.is_supplied else 0.0,
            "energy": self.energy_kwh,
            "fuel_level": 88.0,
            "ventilation_on": self.fan_on and world.is_supplied,
        }
        for index, is_open in enumerate(self.doors):
            values[f"door_open{f'_{index + 1}' if index else ''}"] = is_open
        for index, is_wet in enumerate(self.wet):
            values[f"water_detected{f'_{index + 1}' if index else ''}"] = is_wet
        return values

    def _set_water_percent(self, percent: float) -> None:
        self.water_l = self.tank_l * percent / 100.0

    def _set_charge_percent(self, percent: float) -> None:
        self.charge = percent / 100.0
