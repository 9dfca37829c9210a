"""An alarm of a value outside its range (GW-05) while the point cannot be read: kept, and said to be uncertain."""

from __future__ import annotations

from gateway.model import Reading, Status
from tests.unit.alarms.small_site import NAMES, SmallSite


def outside(site: SmallSite, name: str) -> None:
    """A reading of gen-1 in which this point is outside its range."""
    site.clock.up_s += 1
    values = tuple(site.values["gen-1"][each] for each in NAMES)
    found = {name: Status.UncertainEngineeringUnitsExceeded}
    statuses = tuple(
        Status.BadTimeout if value is None else found.get(each, Status.Good)
        for each, value in zip(NAMES, values, strict=True)
    )
    site.pipeline.deliver(Reading("gen-1", site.clock.wall_ms(), NAMES, values, statuses))


async def test_a_value_outside_its_range_is_neither_forgotten_nor_sure_while_nothing_is_read(site: SmallSite) -> None:
    for _ in range(3):
        outside(site, "fuel_level")
    assert site.condition("value_out_of_range") == "UNACK"
    site.lose("gen-1")
    site.pass_s(70)
    assert site.condition("value_out_of_range") == "UNACK"
    assert site.state("value_out_of_range").is_stale
    await site.settled()
    site.store.close()  # killed
    again = SmallSite(site.path.parent, site.clock)
    site.store, site.pipeline = again.store, again.pipeline
    again.lose("gen-1")
    again.pass_s(5)
    assert again.condition("value_out_of_range") == "UNACK", "bad data clear nothing, after a restart neither"
    again.pass_s(70)
    assert again.state("value_out_of_range").is_stale
    again.values["gen-1"] = dict(again.values["gen-2"])
    again.pass_s(1)
    assert again.condition("value_out_of_range") == "RTN_UNACK"


async def test_one_value_outside_its_range_is_enough_whatever_became_of_another(site: SmallSite) -> None:
    for _ in range(3):
        outside(site, "fuel_level")
    site.values["gen-1"]["fuel_level"] = None
    for _ in range(3):
        outside(site, "battery_voltage")
    site.pass_s(1, "gen-2")
    found = [each for each in site.pipeline.judge.verdicts() if each.device == "gen-1"]
    (verdict,) = [each for each in found if each.rule == "value_out_of_range"]
    assert not verdict.unsure, "the voltage is outside, that is sure"
    site.poll()
    (verdict,) = [
        each for each in site.pipeline.judge.verdicts() if each.device == "gen-1" and each.rule == verdict.rule
    ]
    assert verdict.unsure, "of the fuel nobody knows"
    assert site.condition("value_out_of_range") == "UNACK"
