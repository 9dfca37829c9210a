"""What is watched of each kind: a few quantities with the limits of the rule library, switches, and autonomy."""

from collections.abc import Mapping

from dashboards.source.instruments import machines, places, power, surroundings
from dashboards.source.instruments.shapes import PER_12_V, Autonomy, Gauge, Instrument, Word

INSTRUMENTS: Mapping[str, Instrument] = {
    **power.INSTRUMENTS,
    **machines.INSTRUMENTS,
    **places.INSTRUMENTS,
    **surroundings.INSTRUMENTS,
}

__all__ = ["INSTRUMENTS", "PER_12_V", "Autonomy", "Gauge", "Instrument", "Word"]
