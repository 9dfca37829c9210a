"""Listing many alarms in answers of bounded length, and what is said of an order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.alarms.refusals import no_such_alarm
from gateway.cli.alarms import _all_of
from gateway.control import Peer, Request
from gateway.model import Ack, AlarmCondition, AlarmState
from gateway.operators import Operator
from gateway.orders.actor import LocalActors
from gateway.orders.alarms import AT_ONCE, ROLES, AlarmOrders, said
from gateway.ports import AlarmOrder, Refused
from gateway.wire import json_text
from gateway.wire.messages import Command, Json
from tests.unit.cli.test_judgement_texts import ALARM, NOW


class Desk:
    """Alarms as they stand; `known` are those that were."""

    def __init__(self, standing: list[AlarmState], known: list[AlarmState]) -> None:
        self.standing, self.known = standing, known

    def alarms(self) -> list[AlarmState]:
        return self.standing

    async def order(self, order: AlarmOrder) -> AlarmState:
        raise no_such_alarm(order.device, order.rule)


def orders(desk: Desk, *devices: str) -> AlarmOrders:
    site = SimpleNamespace(devices=[SimpleNamespace(id=device) for device in devices])
    pipeline = SimpleNamespace(alarms=desk, site=site)
    gateway: Any = SimpleNamespace(clock=SimpleNamespace(wall_ms=lambda: NOW), pipeline=pipeline)
    return AlarmOrders(gateway, LocalActors(lambda: None))


def test_a_thousand_alarms_come_in_answers_that_fit_and_in_order() -> None:
    standing = [replace(ALARM, rule=f"rule_{number}") for number in range(1000)]
    answers: list[int] = []

    def ask(name: str, args: Mapping[str, Any]) -> Any:
        answer = asyncio.run(orders(Desk(standing, standing)).listed(Request(name, args, Peer(0, "root"))))
        answers.append(len(json_text.dumps(answer)))
        return answer

    ts, found = _all_of(ask, everything=False)
    assert ts == NOW
    assert [each["rule"] for each in found] == [each.rule for each in standing]
    assert len(answers) == 1000 // AT_ONCE
    assert max(answers) < json_text.MAX_BYTES


async def test_those_that_are_over_are_told_when_they_are_asked_for() -> None:
    over = replace(ALARM, rule="fuel_low", condition=AlarmCondition.NORMAL)
    desk = orders(Desk([ALARM], [over, ALARM]))
    for everything, expected in ((False, ["battery_low"]), (True, ["battery_low", "fuel_low"])):
        answer: Any = await desk.listed(Request("alarms", {"all": everything}, Peer(0, "root")))
        assert [each["rule"] for each in answer["alarms"]] == expected


@pytest.mark.parametrize("act", list(ROLES))
async def test_an_unknown_device_is_told_from_an_unknown_alarm(act: str) -> None:
    desk = orders(Desk([], []), "gen-1")
    for device, error in (("gen-9", "no_such_device"), ("", "no_such_device"), ("gen-1", "no_such_alarm")):
        order = Command("c-1", act, {"rule": "fuel_low"}, "wang", "")
        with pytest.raises(Refused) as refused:
            await desk.by_command(act)(device, order, Operator("wang", "maintainer", ""))
        assert refused.value.error == error
    for device in ("_site", "_gateway"):
        args = {"act": act, "device": device, "rule": "fuel_low", "by": "li"}
        request = Request("alarm_order", args, Peer(0, "root"))
        with pytest.raises(Refused) as refused:
            await desk.locally(request)
        assert refused.value.error == "no_such_alarm"


@pytest.mark.parametrize(
    ("act", "more"),
    [
        ("ack", {"for": "2h"}),
        ("ack", {"order": "WO-1"}),
        ("shelve", {"order": "WO-1"}),
        ("out_of_service", {"for": "2h"}),
        ("return", {"order": "WO-1"}),
        ("unshelve", {"for": "2h"}),
        ("reset", {"reason": "x"}),
    ],
)
async def test_at_the_machine_too_a_word_that_the_act_does_not_take_is_refused(act: str, more: dict[str, Json]) -> None:
    args = {"act": act, "device": "gen-1", "rule": "fuel_low", "by": "li", **more}
    with pytest.raises(Refused) as refused:
        await orders(Desk([], []), "gen-1").locally(Request("alarm_order", args, Peer(0, "root")))
    assert refused.value.error == "bad_request"
    assert f"`{next(iter(more))}`" in refused.value.text.en


@pytest.mark.parametrize(
    ("act", "state", "words"),
    [
        ("ack", replace(ALARM, condition=AlarmCondition.ACKED), "acknowledged"),
        ("ack", replace(ALARM, condition=AlarmCondition.NORMAL), "acknowledged; the alarm has ended"),
        ("ack", replace(ALARM, acks=(Ack("li", NOW),), acks_needed=2), "acknowledged; more people needed: 1"),
        ("shelve", replace(ALARM, shelf=(Ack("li", NOW),)), "noted; another person has to agree"),
        ("shelve", replace(ALARM, shelf=(Ack("li", NOW),), shelved_until=NOW + 1), "shelved"),
        ("reset", replace(ALARM, condition=AlarmCondition.NORMAL), "reset"),
    ],
)
def test_what_came_of_an_order_is_said(act: str, state: AlarmState, words: str) -> None:
    assert said(act, state).en == words
