"""Which profile is proposed where no identity register tells."""

from __future__ import annotations

from gateway.commissioning.fitting import Fit, best_first, fit_of
from gateway.model import Status
from gateway.ports import Values


def fit(profile: str, values: list[float | None], odd: Status = Status.BadOutOfRange, depth: int = 0) -> Fit:
    """None stands for a point that is `odd`."""
    names = tuple(f"p{index}" for index in range(len(values)))
    statuses = tuple(odd if value is None else Status.Good for value in values)
    return fit_of(profile, Values(names, tuple(values), statuses), depth)


def proposed(*fits: Fit) -> list[str]:
    return [each.profile for each in best_first(fits)]


def test_the_profile_that_says_most_comes_first() -> None:
    assert proposed(fit("short", [1.0]), fit("long", [1.0, 2.0, 3.0])) == ["long", "short"]


def test_zeros_say_nothing() -> None:
    one_phase, three_phases = fit("one", [230.0, 5.0]), fit("three", [230.0, 0.0, 0.0])
    assert proposed(three_phases, one_phase) == ["one", "three"]


def test_a_model_comes_before_its_family_and_a_short_list_before_a_long_one() -> None:
    assert proposed(fit("family", [1.0]), fit("model", [1.0, 0.0], depth=1)) == ["model", "family"]
    assert proposed(fit("larger", [1.0, 0.0, 0.0], depth=1), fit("model", [1.0, 0.0], depth=1))[0] == "model"


def test_a_map_with_places_the_device_lacks_is_never_proposed() -> None:
    assert proposed(fit("other", [*range(1, 50), None], Status.BadConfigurationError)) == []
    assert proposed(fit("nonsense", [1.0, None, None])) == []
    assert proposed(fit_of("silent", Values((), (), ()))) == []


def test_a_little_nonsense_costs_a_place() -> None:
    assert proposed(fit("odd", [1.0] * 6 + [None]), fit("sound", [1.0] * 4)) == ["sound", "odd"]


def test_identity_decides() -> None:
    assert proposed(fit("long", [1.0] * 20), Fit("marked", True, 1, 0, 0, 0)) == ["marked", "long"]
