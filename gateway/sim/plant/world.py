"""What the parts of one site share: time of day, weather, mains, who supplies whom, water in the pump room."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model import Value

DAY_S = 86400.0


@dataclass(slots=True)
class World:
    """Written by weather, mains, generators and transfer switches; read by everything else. One step old at most."""

    time_s: float = 8 * 3600.0
    """Local time since midnight of the first day."""
    outdoor_temperature: float = 18.0
    outdoor_humidity: float = 60.0
    rain_mm_h: float = 0.0
    rain_mm: float = 0.0
    """Fallen since the start."""
    wind_m_s: float = 2.0
    mains_voltage: float = 230.0
    mains_frequency: float = 50.0
    mains_present: bool = True
    generators_ready: int = 0
    """Generators at rated speed and voltage."""
    generator_voltage: float = 0.0
    source: str = "mains"
    """Who supplies the site's load: `mains`, `generator` or `none`."""
    has_transfer_switch: bool = False
    start_requested: bool = False
    """By a transfer switch."""
    demand_kw: float = 0.0
    """Of all consumers in the last step."""
    demand_next_kw: float = 0.0
    flooded: bool = False
    """The pump room stands under water."""

    indoor_co2_ppm: float = 460.0
    """Where the people are."""
    latitude: float = 36.62
    longitude: float = 101.80

    @property
    def is_supplied(self) -> bool:
        return self.source != "none"

    @property
    def supply_voltage(self) -> float:
        return {"mains": self.mains_voltage, "generator": self.generator_voltage}.get(self.source, 0.0)

    @property
    def hour(self) -> float:
        return self.time_s % DAY_S / 3600.0

    @property
    def is_night(self) -> bool:
        return not 6.0 <= self.hour < 20.0

    def place(self) -> dict[str, Value]:
        """What a position receiver of something that stands here shows."""
        return {"latitude": self.latitude, "longitude": self.longitude, "location": "depot", "docked": True}

    def consume(self, kilowatts: float) -> None:
        """A consumer draws this in the present step."""
        self.demand_next_kw += kilowatts

    def settle(self, dt_s: float) -> None:
        """End of a step: time, demand, and the supply where no transfer switch decides."""
        self.time_s += dt_s
        self.demand_kw, self.demand_next_kw = self.demand_next_kw, 0.0
        if not self.has_transfer_switch:
            self.source = "mains" if self.mains_present else "generator" if self.generators_ready else "none"
