"""What comes first on a tile and in a table."""

from __future__ import annotations

import pytest

from gateway import app
from gateway.model import Point
from gateway.settings.bundled import config_dir
from gateway.settings.types import SiteSettings
from gateway.web.order import TILE_POINTS, first, for_tile, in_order
from gateway.web.words import duration, write_value


@pytest.fixture(scope="module")
def site() -> SiteSettings:
    return app.load(config_dir() / "sites" / "demo.yaml")


def points(site: SiteSettings, device: str) -> tuple[tuple[Point, ...], tuple[Point, ...], frozenset[str]]:
    found = next(each for each in site.devices if each.id == device)
    every = in_order(found, site.kinds[found.kind])
    return every, for_tile(found, every), first(found, every)


def test_points_stand_in_the_vocabulary_order(site: SiteSettings) -> None:
    for device in site.devices:
        every, tile, _ = points(site, device.id)
        vocabulary = list(site.kinds[device.kind].points)
        places = [vocabulary.index(point.name) for point in every if point.name in vocabulary]
        assert places == sorted(places)
        assert {point.name for point in every} == {point.name for point in device.points}
        assert len(tile) <= TILE_POINTS
        assert [point for point in every if point in tile] == list(tile)


def test_a_generator_tile_says_whether_it_would_start(site: SiteSettings) -> None:
    _, tile, _ = points(site, "gen-1")
    names = [point.name for point in tile]
    assert {"battery_voltage", "fuel_level"} <= set(names)
    assert sum(name.startswith("mode") for name in names) == 1


def test_what_readiness_asks_for_is_never_folded_away(site: SiteSettings) -> None:
    for device in site.devices:
        _, _, unfolded = points(site, device.id)
        have = {point.name for point in device.points}
        for requirement in device.mandatory:
            assert {name for name in requirement.points if name in have} <= unfolded


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (True, "yes"),
        (0, "0"),
        (19000, "19000"),
        (-0.04, "-0.04"),
        (0.85, "0.85"),
        (12.6, "12.6"),
        (16.757, "16.76"),
        (232.064, "232.1"),
        (1234.5, "1234"),
        (100.0, "100"),
        ("odd", "odd"),
    ],
)
def test_values_are_written_with_four_digits(site: SiteSettings, value: float | str | None, text: str) -> None:
    every, _, _ = points(site, "tank-1")
    assert write_value(value, every[0], "en") == text


def test_lengths_of_time() -> None:
    assert duration(0, "en") == "less than 1 min"
    assert duration(3_600_000 * 25, "en") == "1 d"
    assert duration(60_000 * 90, "zh") == "1 小时"
