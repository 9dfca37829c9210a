"""Both axes together: what shelves, work orders, lost devices and lines do to alarms that come and go beneath."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ports import Refused
from tests.unit.alarms.small_site import SmallSite

CRITICAL: dict[str, Any] = {"rule": "fail_to_start", "for_s": 3600.0, "note": "panel is changed"}


async def refused(site: SmallSite, act: str, rule: str, **more: Any) -> str:
    with pytest.raises(Refused) as error:
        await site.order(act, rule, **more)
    assert error.value.text.zh
    assert error.value.text.en
    return error.value.error


async def test_a_shelved_alarm_that_returns_is_normal_once_it_is_acknowledged(site: SmallSite) -> None:
    site.poll(fuel_level=5.0)
    await site.order("shelve", "fuel_low", for_s=60, note="float stuck")
    site.poll(fuel_level=50.0)
    assert site.condition("fuel_low") == "RTN_UNACK"
    assert str(site.state("fuel_low").suppression) == "SHELVED"
    site.pass_s(61)
    await site.order("ack", "fuel_low")
    assert site.condition("fuel_low") == "NORMAL"
    assert site.desk.alarms() == []
    await site.settled()
    assert site.announcer.announced == ["gen-1/fuel_low"], "raised before it was shelved, and never again"


async def test_a_shelf_has_an_end_a_reason_and_a_limit(site: SmallSite) -> None:
    assert await refused(site, "shelve", "fuel_low", note="x") == "end_needed"
    assert await refused(site, "shelve", "fuel_low", note="x", for_s=0) == "end_needed"
    assert await refused(site, "shelve", "fuel_low", note="x", for_s=float("nan")) == "end_needed"
    assert await refused(site, "shelve", "fuel_low", note="x", for_s=8 * 3600 + 1) == "shelf_too_long"
    assert await refused(site, "shelve", "fuel_low", note=" ", for_s=60) == "note_needed"
    assert await refused(site, "unshelve", "fuel_low") == "not_shelved"
    await site.order("shelve", "fuel_low", note="x", for_s=60)
    assert await refused(site, "shelve", "fuel_low", note="x", for_s=60) == "already_shelved"
    await site.order("unshelve", "fuel_low")
    assert site.desk.alarms() == []


async def test_a_critical_alarm_is_shelved_by_two_people(site: SmallSite) -> None:
    site.poll(fail_to_start=True)
    after = await site.order("shelve", by="duty-1", **CRITICAL)
    assert after.shelved_until is None
    assert await refused(site, "shelve", by="duty-1", **CRITICAL) == "second_person_needed"
    after = await site.order("shelve", by="chief", **{**CRITICAL, "for_s": 7200.0})
    assert [each.by for each in after.shelf] == ["duty-1", "chief"]
    assert after.shelved_until == site.clock.wall_ms() + 3600_000, "the shorter of the two"


async def test_what_one_person_asked_lapses(site: SmallSite) -> None:
    site.poll(fail_to_start=True)
    await site.order("shelve", by="duty-1", **{**CRITICAL, "for_s": 60.0})
    site.pass_s(61)
    after = await site.order("shelve", by="chief", **CRITICAL)
    assert after.shelved_until is None
    assert [each.by for each in after.shelf] == ["chief"]


async def test_what_one_person_shelved_does_not_hide_that_it_becomes_critical(site: SmallSite) -> None:
    site.poll(battery_voltage=11.5)
    await site.order("shelve", "battery_low", for_s=3600, note="charger is changed")
    site.poll(battery_voltage=9.0)
    site.pass_s(2)
    assert str(site.state("battery_low").suppression) == "NONE"
    await site.settled()
    assert site.announcer.announced == ["gen-1/battery_low", "gen-1/battery_low"]


async def test_out_of_service_takes_a_work_order_and_never_what_protects_people(site: SmallSite) -> None:
    assert await refused(site, "out_of_service", "emergency_stop", work_order="W-7") == "safety_rule"
    assert await refused(site, "out_of_service", "fuel_low") == "work_order_needed"
    assert await refused(site, "return", "fuel_low") == "in_service"
    await site.order("out_of_service", "fuel_low", work_order="W-7")
    assert await refused(site, "out_of_service", "fuel_low", work_order="W-8") == "already_out_of_service"
    site.poll(fuel_level=5.0, emergency_stop=True)
    await site.settled()
    assert site.announcer.announced == ["gen-1/emergency_stop"]
    assert site.condition("fuel_low") == "UNACK"
    await site.order("return", "fuel_low")
    assert site.announcer.announced == ["gen-1/emergency_stop", "gen-1/fuel_low"]


async def test_an_alarm_acknowledged_while_it_was_kept_back_is_not_announced_afterwards(site: SmallSite) -> None:
    await site.order("out_of_service", "fuel_low", work_order="W-7")
    site.poll(fuel_level=5.0)
    await site.order("ack", "fuel_low")
    await site.order("return", "fuel_low")
    assert site.condition("fuel_low") == "ACKED"
    assert site.announcer.announced == []


async def test_two_suppressions_end_one_after_the_other(site: SmallSite) -> None:
    await site.order("out_of_service", "fuel_low", work_order="W-7")
    await site.order("shelve", "fuel_low", for_s=60, note="x")
    site.poll(fuel_level=5.0)
    await site.order("return", "fuel_low")
    assert str(site.state("fuel_low").suppression) == "SHELVED"
    assert site.announcer.announced == []
    site.pass_s(61)
    await site.settled()
    assert site.announcer.announced == ["gen-1/fuel_low"]


async def test_orders_that_mean_nothing_are_refused_in_both_languages(site: SmallSite) -> None:
    assert await refused(site, "ack", "fuel_low") == "nothing_to_acknowledge"
    assert await refused(site, "reset", "fuel_low") == "nothing_to_reset"
    assert await refused(site, "ack", "no_such_rule") == "no_such_alarm"
    assert await refused(site, "ack", "fuel_low", device="gen-9") == "no_such_alarm"
    assert await refused(site, "burn", "fuel_low") == "unknown_command"
    assert await refused(site, "ack", "fuel_low", by="") == "no_actor"
    assert await refused(site, "ack", "fuel_low", note="x" * 501) == "bad_request"


async def test_a_device_that_is_lost_keeps_its_alarms_and_marks_them_stale(site: SmallSite) -> None:
    site.poll(fuel_level=5.0)
    site.lose("gen-1")
    site.pass_s(125)
    assert site.condition("fuel_low") == "UNACK"
    assert site.state("fuel_low").is_stale
    assert site.condition("device_silent") == "UNACK"
    await site.settled()
    assert site.announcer.announced == ["gen-1/fuel_low", "gen-1/device_silent"]
    assert site.sent("fuel_low")[-1].body["stale"] is True
    site.values["gen-1"] = {**site.values["gen-2"], "fuel_level": 5.0}
    site.pass_s(2)
    assert not site.state("fuel_low").is_stale
    assert site.condition("fuel_low") == "UNACK"


async def test_short_gaps_make_no_messages(site: SmallSite) -> None:
    site.poll(fuel_level=5.0)
    await site.settled()
    before = len(site.sent("fuel_low"))
    for _ in range(20):
        site.poll(fuel_level=None)
        site.pass_s(30)
        site.poll(fuel_level=5.0)
        site.pass_s(1)
    await site.settled()
    assert len(site.sent("fuel_low")) - before <= 1, "the message that it still stands"


async def test_a_lost_line_is_told_once(site: SmallSite) -> None:
    site.pipeline.is_line_silent = lambda line: line == "bus"
    site.lose("gen-1")
    site.lose("gen-2")
    site.pass_s(130)
    await site.settled()
    assert site.announcer.announced == ["gen-1/device_silent"]
    assert str(site.state("device_silent", "gen-2").suppression) == "SUPPRESSED"
    assert site.state("device_silent", "gen-2").suppressed_by == "line bus"
    site.pipeline.is_line_silent = lambda line: False
    site.values["gen-1"] = dict(site.values["gen-3"])
    site.pass_s(10)
    await site.settled()
    assert site.announcer.announced == ["gen-1/device_silent", "gen-2/device_silent"], "it stayed away by itself"


async def test_devices_lost_hours_apart_are_told_each(site: SmallSite) -> None:
    site.lose("gen-1")
    site.pass_s(130)
    site.lose("gen-2")
    site.pass_s(500)
    site.pipeline.is_line_silent = lambda line: line == "bus"
    site.pass_s(130)
    await site.settled()
    assert sorted(site.announcer.announced)[:2] == ["gen-1/device_silent", "gen-2/device_silent"]


async def test_what_depends_on_a_lost_device_is_not_told_as_lost_beside_it(site: SmallSite) -> None:
    site.lose("gen-1")
    site.pass_s(60)
    site.lose("gen-3")
    site.pass_s(130)
    await site.settled()
    assert site.announcer.announced == ["gen-1/device_silent"]
    assert site.state("device_silent", "gen-3").suppressed_by == "parent gen-1"
    site.poll("gen-3", fuel_level=5.0)
    site.pass_s(1)
    await site.settled()
    assert site.announcer.announced[-1] == "gen-3/fuel_low", "what it says itself is no consequence"


async def test_what_is_lost_together_with_what_it_depends_on_is_told_once(site: SmallSite) -> None:
    site.lose("gen-1")
    site.lose("gen-3")
    site.pass_s(130, "gen-3", "gen-2", "gen-1")
    await site.settled()
    assert site.announcer.announced == ["gen-1/device_silent"], "though the other was noticed first"
    assert site.state("device_silent", "gen-3").suppressed_by == "parent gen-1"
    site.values["gen-1"] = dict(site.values["gen-2"])
    site.pass_s(10)
    await site.settled()
    assert site.announcer.announced == ["gen-1/device_silent", "gen-3/device_silent"], "it stayed away by itself"


async def test_what_it_depends_on_keeps_a_silence_back_for_a_minute_where_nobody_is_told_of_it(site: SmallSite) -> None:
    site.lose("gen-3")
    site.pass_s(110)
    site.lose("gen-1")
    site.pass_s(15)
    assert site.state("device_silent", "gen-3").suppressed_by == "parent gen-1"
    await site.settled()
    assert site.announcer.announced == []
    site.pass_s(60)
    await site.settled()
    assert site.announcer.announced == ["gen-3/device_silent"], "of the other nothing is said yet"


async def test_the_first_answer_of_a_device_that_was_lost_is_news(site: SmallSite) -> None:
    site.lose("gen-1")
    site.pass_s(130)
    site.poll(fuel_level=5.0, emergency_stop=True)
    assert site.condition("device_silent") == "UNACK"
    await site.settled()
    assert site.announcer.announced == ["gen-1/device_silent", "gen-1/fuel_low", "gen-1/emergency_stop"]


async def test_what_protects_people_is_told_of_a_lost_device_too(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.lose("gen-1")
    site.pass_s(130)
    monkeypatch.setattr(site.pipeline, "is_silent", lambda device: device == "gen-1")
    site.poll(fuel_level=5.0, emergency_stop=True)
    await site.settled()
    assert site.announcer.announced == ["gen-1/device_silent", "gen-1/emergency_stop"]
    assert site.state("fuel_low").suppressed_by == "device_silent"


async def test_maintenance_keeps_back_what_stands_and_what_comes_but_not_what_protects_people(
    site: SmallSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.poll(fuel_level=5.0)
    monkeypatch.setattr(site.pipeline, "in_maintenance", lambda device: device == "gen-1")
    site.pass_s(1)
    assert str(site.state("fuel_low").suppression) == "SUPPRESSED"
    site.poll(fail_to_start=True, emergency_stop=True)
    await site.settled()
    assert site.announcer.announced == ["gen-1/fuel_low", "gen-1/emergency_stop"]
    assert site.state("fail_to_start").suppressed_by == "work_order"
    site.poll(fuel_level=60.0)
    monkeypatch.setattr(site.pipeline, "in_maintenance", lambda device: False)
    site.pass_s(1)
    await site.settled()
    assert site.announcer.announced[2:] == ["gen-1/fail_to_start"], "the fuel is back"


async def test_what_keeps_an_alarm_back_may_change(site: SmallSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.poll(fuel_level=5.0)
    monkeypatch.setattr(site.pipeline, "in_maintenance", lambda device: device == "gen-1")
    site.lose("gen-1")
    site.pass_s(130)
    assert site.state("fuel_low").suppressed_by == "work_order"
    monkeypatch.setattr(site.pipeline, "in_maintenance", lambda device: False)
    site.pass_s(1)
    assert site.state("fuel_low").suppressed_by == "device_silent"
    site.values["gen-1"] = {**site.values["gen-2"], "fuel_level": 5.0}
    site.pass_s(2)
    await site.settled()
    assert not site.state("fuel_low").is_suppressed
    assert site.announcer.announced.count("gen-1/fuel_low") == 2, "before the work order and after it"
