"""Alarms through the pipeline: from readings to journalled messages and back from people's orders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ports import Refused
from tests.unit.alarms.small_site import RULES, SmallSite, write_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallSite]:
    made = SmallSite(tmp_path)
    yield made
    made.close()


async def test_an_alarm_is_raised_acknowledged_and_returns(site: SmallSite) -> None:
    site.pass_s(2)
    site.pass_s(1)
    await site.settled()
    assert site.sent() == []
    site.poll(battery_voltage=11.5)
    await site.settled()
    (raised,) = site.sent("battery_low")
    assert raised.body is not None
    assert raised.body["state"] == "UNACK"
    assert raised.body["active"] is True
    assert raised.body["acked"] is False
    assert raised.body["because"] == {"battery_voltage": 11.5}
    assert raised.body["priority"] == "medium"
    assert raised.body["alarm"] == "gen-1/battery_low"
    after = await site.order("ack", "battery_low", note="crew sent")
    assert after.condition == "ACKED"
    site.poll(battery_voltage=13.5)
    site.pass_s(6)
    await site.settled()
    assert [each.state for each in site.sent("battery_low")] == ["UNACK", "ACKED", "NORMAL"]
    (action,) = site.events("alarm_action")
    assert (action["act"], action["by"], action["rule"], action["note"]) == (
        "ack",
        "duty-1",
        "battery_low",
        "crew sent",
    )
    assert site.announcer.announced == ["gen-1/battery_low"]


async def test_a_higher_level_asks_again_and_a_lower_one_does_not(site: SmallSite) -> None:
    site.poll(battery_voltage=11.5)
    await site.order("ack", "battery_low")
    site.poll(battery_voltage=9.5)
    site.pass_s(2)
    assert site.condition("battery_low") == "UNACK"
    assert site.state("battery_low").acks == ()
    await site.settled()
    assert site.sent("battery_low")[-1].body["text"] == {"zh": "电池没电", "en": "Battery flat"}
    await site.order("ack", "battery_low")
    site.poll(battery_voltage=11.5)
    assert site.condition("battery_low") == "ACKED"
    assert site.state("battery_low").priority == "medium"
    await site.settled()
    assert site.announcer.announced == ["gen-1/battery_low", "gen-1/battery_low"]


async def test_a_latched_alarm_stays_until_it_is_reset(site: SmallSite) -> None:
    site.poll(fail_to_start=True)
    with pytest.raises(Refused) as refused:
        await site.order("reset", "fail_to_start")
    assert refused.value.error == "still_active"
    site.poll(fail_to_start=False)
    assert site.condition("fail_to_start") == "LATCHED_UNACK"
    with pytest.raises(Refused) as refused:
        await site.order("reset", "fail_to_start")
    assert refused.value.error == "not_acknowledged"
    await site.order("ack", "fail_to_start")
    assert site.condition("fail_to_start") == "LATCHED_ACKED"
    await site.order("reset", "fail_to_start")
    assert site.condition("fail_to_start") == "NORMAL"


async def test_a_shelved_alarm_runs_on_beneath_and_is_announced_when_the_shelf_ends(site: SmallSite) -> None:
    site.poll()
    await site.order("shelve", "fuel_low", for_s=60, note="sensor is changed")
    site.poll(fuel_level=5.0)
    site.pass_s(30)
    await site.settled()
    assert site.sent("fuel_low")[-1].body["suppression"] == "SHELVED"
    assert site.condition("fuel_low") == "UNACK"
    assert site.announcer.announced == []
    site.pass_s(31)
    await site.settled()
    assert site.sent("fuel_low")[-1].body["suppression"] == "NONE"
    assert site.announcer.announced == ["gen-1/fuel_low"]


async def test_after_a_restart_everything_goes_on_and_nothing_is_announced_twice(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.poll(battery_voltage=9.5, fail_to_start=True)
    site.pass_s(3)
    await site.order("ack", "fail_to_start")
    await site.settled()
    site.store.close()
    again = SmallSite(tmp_path, site.clock)
    assert [(each.key, each.condition) for each in again.desk.alarms()] == [
        ("gen-1/battery_low", "UNACK"), ("gen-1/fail_to_start", "ACKED"),
    ]  # fmt: skip
    again.values = site.values
    again.pass_s(5)
    await again.settled()
    assert again.sent() == []
    again.close()


async def test_what_rules_remember_may_be_older_than_their_alarms(tmp_path: Path) -> None:
    """Rules keep their memory once a minute; the power goes half a minute after the alarm changed."""
    site = SmallSite(tmp_path)
    site.poll(battery_voltage=9.0, fuel_level=5.0)
    site.pass_s(3)
    site.pipeline.remember()
    site.poll(fuel_level=25.0)
    site.poll(fuel_level=80.0, fail_to_start=True)
    site.poll(battery_voltage=12.5)
    site.pass_s(10)
    assert [site.condition(rule) for rule in ("fuel_low", "battery_low", "fail_to_start")] == [
        "RTN_UNACK", "UNACK", "UNACK",
    ]  # fmt: skip
    assert site.state("battery_low").priority == "medium"
    await site.settled()
    site.store.close()
    again = SmallSite(tmp_path, site.clock)
    again.values = site.values
    again.poll(fuel_level=25.0)
    again.pass_s(30)
    await again.settled()
    assert again.announcer.heard == [], "what holds between raising and clearing stays as it was"
    again.poll(fuel_level=5.0, fail_to_start=False, battery_voltage=13.5)
    again.pass_s(6)
    await again.settled()
    assert [(each.after.rule, str(each.event)) for each in again.announcer.heard] == [
        ("fuel_low", "raise"), ("fail_to_start", "return"), ("battery_low", "return"),
    ]  # fmt: skip
    again.close()


async def test_two_people_acknowledge_where_the_site_says_so(tmp_path: Path) -> None:
    write_site(tmp_path, extra="alarms: {two_person_ack: [critical], longest_shelf: 1h}\n")
    site = SmallSite(tmp_path)
    site.poll(fail_to_start=True, fuel_level=5.0)
    half = await site.order("ack", "fail_to_start", by="duty-1", note="on my way")
    assert half.condition == "UNACK"
    sent = site.sent("fail_to_start")[-1].body
    assert sent is not None
    assert (sent["state"], sent["acked"], sent["acks_needed"]) == ("UNACK", False, 2)
    assert [(ack["by"], ack["note"]) for ack in sent["acks"]] == [("duty-1", "on my way")]
    with pytest.raises(Refused) as refused:
        await site.order("ack", "fail_to_start", by="duty-1")
    assert refused.value.error == "second_person_needed"
    assert (await site.order("ack", "fail_to_start", by="chief")).condition == "ACKED"
    assert (await site.order("ack", "fuel_low", by="duty-1")).condition == "ACKED"
    with pytest.raises(Refused) as refused:
        await site.order("shelve", "fuel_low", for_s=3601, note="x")
    assert refused.value.error == "shelf_too_long"
    site.close()


async def test_a_condition_held_by_hysteresis_survives_a_kill(tmp_path: Path) -> None:
    write_site(tmp_path, rules=RULES.replace("clear: fuel_level >= 30", "clear: fuel_level >= 30, on: 5m"))
    site = SmallSite(tmp_path)
    site.pass_s(20)
    site.poll(fuel_level=15.0)
    site.pass_s(2, "gen-1")
    site.poll(fuel_level=25.0)
    await site.settled()
    site.store.close()  # without a word to the rules: killed
    again = SmallSite(tmp_path, site.clock)
    again.clock.up_s += 5
    again.poll(fuel_level=25.0)
    assert [each.rule for each in again.pipeline.judge.rules("gen-1").holding()] == ["fuel_low"]
    again.close()


@pytest.mark.parametrize("step_s", [3 * 3600.0, -3 * 3600.0])
async def test_setting_the_clock_makes_no_silence(tmp_path: Path, step_s: float) -> None:
    site = SmallSite(tmp_path)
    site.pass_s(5)
    site.clock.set(site.clock.wall_ms() + round(step_s * 1000), synced=True)
    site.lose("gen-1")
    site.pass_s(30)
    assert site.condition("device_silent") == "NORMAL"
    site.pass_s(180)
    assert site.condition("device_silent") == "UNACK"
    site.close()


async def test_an_outage_of_the_gateway_is_no_silence_of_a_device(tmp_path: Path) -> None:
    site = SmallSite(tmp_path)
    site.pass_s(5)
    site.close()
    again = SmallSite(tmp_path, site.clock)
    again.clock.up_s += 3600
    again.lose("gen-1")
    again.pass_s(30)
    assert again.condition("device_silent") == "NORMAL"
    again.pass_s(180)
    assert again.condition("device_silent") == "UNACK"
    again.close()
