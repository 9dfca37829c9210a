"""Names and units from the product's own vocabulary, as Grafana wants them."""

from __future__ import annotations

from gateway.model import Text
from gateway.settings.types import Kind, VocabularyPoint
from gateway.settings.vocabulary import load_vocabulary

#: Kinds that count at a site, in the order people ask for them. The number stands for the kind where a query has to
#: tell which kind a row is about: InfluxQL can give a row a number, but no word.
KINDS = (
    "generator",
    "ats",
    "pump",
    "light_tower",
    "forklift",
    "field_kitchen",
    "scba_compressor",
    "warehouse",
    "shelter",
    "vehicle",
    "cold_store",
    "ups",
    "tank",
    "meter",
    "sensor",
    "weather",
    "hydrology",
)
GATEWAY = "gateway"

#: Grafana's name of a unit; what is not here is written behind the number.
_UNITS = {
    "": "none",
    "V": "volt",
    "A": "amp",
    "%": "percent",
    "°C": "celsius",
    "Hz": "hertz",
    "kW": "kwatt",
    "kWh": "kwatth",
    "kPa": "pressurekpa",
    "m": "lengthm",
    "L": "litre",
    "m/s": "velocityms",
    "°": "degree",
    "rpm": "rotrpm",
    "ppm": "ppm",
    "lx": "lux",
    "B": "bytes",
    "s": "s",
    "min": "m",
    "ms": "ms",
}


def kind(name: str) -> Kind:
    return load_vocabulary()[name]


def point(kind_name: str, name: str) -> VocabularyPoint:
    """KeyError where the vocabulary has no such point: a dashboard never asks for what nobody sends."""
    return kind(kind_name).points[name]


def label(kind_name: str, name: str) -> Text:
    return point(kind_name, name).label


def unit(name: str) -> str:
    return _UNITS.get(name, f"suffix: {name}")


def kind_names() -> dict[str, tuple[Text, None]]:
    """Every kind by its word in the database."""
    return {name: (kind(name).label, None) for name in (*KINDS, GATEWAY)}
