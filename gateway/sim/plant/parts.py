"""What every model has in common: a step, values by vocabulary point name, inputs that may be set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Protocol

from gateway.model import Value


@dataclass(frozen=True, slots=True)
class Input:
    """Something that can be done to a model. `apply` gets a value that `problem` found nothing wrong with."""

    apply: Callable[[Any], None]
    expected: str
    """What may be written, in a scenario's own words."""
    words: Mapping[str, Value]
    low: float = math.nan
    high: float = math.nan
    takes_flag: bool = False

    @property
    def takes_number(self) -> bool:
        return not math.isnan(self.low)

    def accepts(self, value: Value) -> bool:
        if isinstance(value, bool):
            return self.takes_flag
        if isinstance(value, str):
            return value in self.words
        return self.takes_number and self.low <= value <= self.high

    def put(self, value: Value) -> None:
        self.apply(self.words[value] if isinstance(value, str) else value)


class Part(Protocol):
    """One simulated piece of equipment."""

    @property
    def inputs(self) -> Mapping[str, Input]: ...

    def step(self, dt_s: float) -> None:
        """Let `dt_s` seconds pass."""
        ...

    def values(self) -> Mapping[str, Value]:
        """What its instruments show now, by point name, in the vocabulary's units."""
        ...


def to(part: object, attribute: str) -> Callable[[Value], None]:
    """An input that simply becomes an attribute."""
    return partial(setattr, part, attribute)


def number(apply: Callable[[Any], None], low: float, high: float, **words: float) -> Input:
    """An input that is a number within limits; `words` are names for some of them."""
    names = "".join(f", {word}" for word in words)
    return Input(apply, f"{low:g} .. {high:g}{names}", words, low, high)


def flag(apply: Callable[[Any], None], on: str = "on", off: str = "off") -> Input:
    """An input that is true or false, or one of two words."""
    return Input(apply, f"{on}, {off}, true, false", {on: True, off: False}, takes_flag=True)


def choice(apply: Callable[[Any], None], *words: str) -> Input:
    """An input that is one of `words`."""
    return Input(apply, ", ".join(words), {word: word for word in words})


def relax(now: float, goal: float, dt_s: float, tau_s: float) -> float:
    """First-order approach to `goal`, exact for any `dt_s`."""
    return goal + (now - goal) * math.exp(-dt_s / tau_s)


def clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


class Noise:
    """Correlated noise of an instrument: standard deviation `sigma`, correlation time `tau_s`."""

    def __init__(self, random: Random, sigma: float, tau_s: float = 5.0) -> None:
        self._random = random
        self._sigma = sigma
        self._tau_s = tau_s
        self.value = 0.0

    def step(self, dt_s: float) -> float:
        kept = math.exp(-dt_s / self._tau_s)
        self.value = self.value * kept + self._random.gauss(0.0, self._sigma) * math.sqrt(1.0 - kept * kept)
        return self.value


def substeps(dt_s: float, longest_s: float) -> tuple[int, float]:
    """Equal pieces of `dt_s`, none longer than `longest_s`."""
    pieces = max(1, math.ceil(dt_s / longest_s - 1e-9))
    return pieces, dt_s / pieces


def fact_number(facts: Mapping[str, Value], name: str, default: float) -> float:
    """A numeric fact of the device, `default` where it was not given."""
    value = facts.get(name)
    return default if value is None or isinstance(value, str | bool) else float(value)
