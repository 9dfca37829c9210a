"""Instruments that look at the sky and the river: weather and hydrology stations."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from random import Random

from gateway.model import Value
from gateway.sim.plant.parts import Input, Noise, flag, number, relax, to
from gateway.sim.plant.world import DAY_S, World

_HOUR_S = 3600.0
_BUCKET_S = 60.0


class RainGauge:
    """A tipping bucket (0.2 mm) that remembers three hours, minute by minute."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._minutes: deque[tuple[float, float]] = deque([(world.time_s, world.rain_mm)], maxlen=181)
        self._midnight_mm = 0.0
        self._day = int(world.time_s // DAY_S)

    def step(self) -> None:
        world = self._world
        if world.time_s - self._minutes[-1][0] >= _BUCKET_S:
            self._minutes.append((world.time_s, world.rain_mm))
        if (day := int(world.time_s // DAY_S)) != self._day:
            self._day, self._midnight_mm = day, world.rain_mm

    def values(self) -> Mapping[str, Value]:
        total = self._world.rain_mm
        return {
            "rainfall": _tipped(total),
            "rainfall_1h": _tipped(total - self._total_before(_HOUR_S)),
            "rainfall_3h": _tipped(total - self._total_before(3 * _HOUR_S)),
            "rainfall_today": _tipped(total - self._midnight_mm),
            "rain_intensity": self._world.rain_mm_h,
        }

    def _total_before(self, ago_s: float) -> float:
        since = self._world.time_s - ago_s
        return next((total for time_s, total in self._minutes if time_s >= since), self._world.rain_mm)


def _tipped(millimetres: float) -> float:
    return math.floor(millimetres / 0.2 + 1e-9) * 0.2


class WeatherStation:
    """A mast with the usual instruments."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:  # noqa: ARG002 - one shape for all
        self._world = world
        self._gauge = RainGauge(world)
        self._turn = Noise(random, 25.0, 600.0)
        self._dust = Noise(random, 4.0, 900.0)
        self._gust = world.wind_m_s
        self._inputs: dict[str, Input] = {}

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        self._gauge.step()
        self._turn.step(dt_s)
        self._dust.step(dt_s)
        # The highest three-second mean of late: up at once, down slowly.
        self._gust = max(self._world.wind_m_s, relax(self._gust, self._world.wind_m_s, dt_s, 60.0))

    def values(self) -> Mapping[str, Value]:
        world = self._world
        direction = (225.0 + self._turn.value) % 360
        day = max(0.0, math.sin((world.hour - 6.0) / 12.0 * math.pi)) * (0.2 if world.rain_mm_h else 1.0)
        dust = max(2.0, 30.0 + self._dust.value) * (0.4 if world.rain_mm_h else 1.0)
        return {
            **self._gauge.values(),
            "wind_speed": world.wind_m_s,
            "wind_gust": self._gust,
            "wind_direction": direction,
            "wind_sector": round(direction / 45.0) % 8,
            "wind_force": min(12, round((world.wind_m_s / 0.836) ** (2 / 3))),
            "temperature": world.outdoor_temperature,
            "humidity": world.outdoor_humidity,
            "air_pressure": 1013.0 - (12.0 if world.rain_mm_h else 0.0),
            "illuminance": 90000.0 * day,
            "solar_radiation": 820.0 * day,
            "noise": 42.0 + world.wind_m_s,
            "pm1": dust * 0.5,
            "pm25": dust,
            "pm10": dust * 1.6,
            "battery_voltage": 12.9,
        }


class HydrologyStation:
    """A river gauge: the water rises with rain, hours later."""

    def __init__(self, world: World, random: Random, facts: Mapping[str, Value]) -> None:  # noqa: ARG002 - one shape for all
        self._world = world
        self._gauge = RainGauge(world)
        self._ripple = Noise(random, 0.01)
        self.rise_m = 0.0
        self.soaked_mm = 0.0
        self.box_open = False
        self._inputs = {
            "rise": number(to(self, "rise_m"), -2, 10),
            "door": flag(to(self, "box_open"), "open", "closed"),
        }

    @property
    def inputs(self) -> Mapping[str, Input]:
        return self._inputs

    def step(self, dt_s: float) -> None:
        self._gauge.step()
        self._ripple.step(dt_s)
        self.soaked_mm = relax(self.soaked_mm, 0.0, dt_s, 4 * _HOUR_S) + self._world.rain_mm_h * dt_s / _HOUR_S

    @property
    def level_m(self) -> float:
        return max(0.0, 1.8 + 0.035 * self.soaked_mm + self.rise_m + self._ripple.value)

    def values(self) -> Mapping[str, Value]:
        velocity = 0.35 + 0.25 * max(0.0, self.level_m - 1.5)
        return {
            **self._gauge.values(),
            "level": self.level_m,
            "flow_velocity": velocity,
            "discharge": 12.0 * self.level_m * velocity,
            "temperature": self._world.outdoor_temperature * 0.7 + 3.0,
            "battery_voltage": 12.8,
            "mains_available": self._world.mains_present,
            "door_open": self.box_open,
            "signal_strength": -76,
        }
