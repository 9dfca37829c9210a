"""When the horn sounds."""

from __future__ import annotations

from gateway.dispatch.sounding import Sounding, called, heard, is_on, next_change, silenced
from gateway.model import Priority
from gateway.settings.notify_types import AnnunciatorSettings
from tests.unit.dispatch.alarms import Life, alarm

HORN = AnnunciatorSettings("relay-1", "siren", frozenset({Priority.CRITICAL}), sound_s=300.0)
AGAIN = AnnunciatorSettings("relay-1", "siren", frozenset({Priority.CRITICAL}), sound_s=300.0, silence_s=600.0)


def test_it_sounds_for_a_new_alarm_until_it_is_acknowledged() -> None:
    life = Life(alarm())
    sounding = heard(Sounding(), life.rise(), HORN, 1000)
    assert is_on(sounding, HORN, 1000)
    assert not is_on(heard(sounding, life.ack(1), HORN, 2000), HORN, 2000)


def test_it_ends_by_itself_and_with_the_alarm() -> None:
    life = Life(alarm())
    sounding = heard(Sounding(), life.rise(), HORN, 0)
    assert next_change(sounding, HORN, 0) == 300_000
    assert is_on(sounding, HORN, 299_999)
    assert not is_on(sounding, HORN, 300_000)
    assert next_change(sounding, HORN, 300_000) is None
    assert heard(sounding, life.end(1), HORN, 1).calls == {}


def test_never_for_what_is_kept_back_or_old_or_of_another_priority() -> None:
    assert not heard(Sounding(), Life(alarm(is_suppressed=True)).rise(), HORN, 0).calls
    assert not heard(Sounding(), Life(alarm()).rise(is_historical=True), HORN, 0).calls
    assert not heard(Sounding(), Life(alarm(priority=Priority.HIGH)).rise(), HORN, 0).calls
    life = Life(alarm())
    sounding = heard(Sounding(), life.rise(), HORN, 0)
    assert not heard(sounding, life.suppress(1), HORN, 1).calls


def test_silence_lasts_until_the_next_new_alarm() -> None:
    one, two = Life(alarm()), Life(alarm("gen-2"))
    quiet = silenced(heard(Sounding(), one.rise(), HORN, 0), 10)
    assert not is_on(quiet, HORN, 11)
    assert next_change(quiet, HORN, 11) is None
    again = heard(quiet, two.rise(), HORN, 1000)
    assert is_on(again, HORN, 1000)
    assert not is_on(heard(again, two.ack(1), HORN, 1001), HORN, 1001)
    assert silenced(Sounding(), 5) == Sounding()
    at_once = heard(quiet, two.rise(), HORN, 10)
    assert is_on(at_once, HORN, 11)


def test_silence_may_end() -> None:
    quiet = silenced(heard(Sounding(), Life(alarm()).rise(), AGAIN, 0), 10_000)
    assert not is_on(quiet, AGAIN, 609_999)
    assert next_change(quiet, AGAIN, 10_001) == 610_000
    assert is_on(quiet, AGAIN, 610_000)
    assert not is_on(quiet, AGAIN, 910_000)


def test_a_route_may_call_for_any_alarm() -> None:
    assert is_on(called(Sounding(), ["pump-1/leak"], 0), HORN, 1)
