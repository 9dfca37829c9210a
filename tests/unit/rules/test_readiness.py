"""The judgement on a device and on a site: promise 5 of the product, as tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Priority, ReadinessState, Status, Text
from gateway.rules.readiness import Effect, Holding, judge, roll_up

FRESH, BAD = True, False
LABELS = {"b": Text("油位", "Fuel level")}
BATTERY = Holding("battery_low", Priority.CRITICAL, Effect.NOT_READY, Text("电池电压低", "Battery low"))
FUEL = Holding("fuel_low", Priority.MEDIUM, Effect.DEGRADED, Text("燃油低", "Fuel low"))
NOTICE = Holding("service_due", Priority.LOW, Effect.NONE, Text("保养将到期", "Service due soon"))


@pytest.mark.parametrize(
    ("usable", "holding", "flags", "state", "score"),
    [
        ({"a": FRESH, "b": FRESH}, [], {}, "ready", 100),
        ({"a": FRESH, "b": BAD}, [], {}, "unknown", None),
        ({"a": FRESH}, [], {}, "unknown", None),
        ({"a": FRESH, "b": FRESH}, [NOTICE], {}, "ready", 97),
        ({"a": FRESH, "b": FRESH}, [FUEL], {}, "degraded", 90),
        ({"a": FRESH, "b": FRESH}, [FUEL, BATTERY], {}, "not_ready", 30),
        ({"a": FRESH, "b": BAD}, [BATTERY], {}, "not_ready", 40),
        ({"a": FRESH, "b": BAD}, [FUEL], {}, "unknown", None),
        ({"a": FRESH, "b": FRESH}, [FUEL], {"in_use": True}, "in_use", 90),
        ({"a": FRESH, "b": BAD}, [], {"in_use": True}, "unknown", None),
        ({"a": FRESH, "b": FRESH}, [BATTERY], {"out_of_service": True}, "out_of_service", 40),
        ({"a": FRESH, "b": BAD}, [], {"out_of_service": True, "retired": True}, "retired", 100),
    ],
)
def test_the_first_state_that_holds(
    usable: dict[str, bool], holding: list[Holding], flags: dict[str, bool], state: str, score: int | None
) -> None:
    judgement = judge([("a",), ("b",)], usable, {}, holding, **flags)
    assert (judgement.state, judgement.score) == (state, score)


def test_reasons_stand_in_order_of_weight_and_unseen_points_are_named() -> None:
    judgement = judge([("a",), ("b", "c")], {"a": FRESH, "c": BAD}, LABELS, [NOTICE, BATTERY, FUEL])
    assert [reason.rule for reason in judgement.reasons] == ["battery_low", "no_data", "fuel_low", "service_due"]
    assert judgement.reasons[1].text == Text("没有可用数据：油位或c", "No usable data: Fuel level or c")


def test_what_makes_it_unknown_is_said_first() -> None:
    judgement = judge([("a",)], {"a": BAD}, LABELS, [NOTICE, FUEL])
    assert [reason.rule for reason in judgement.reasons] == ["no_data", "fuel_low", "service_due"]


def test_a_device_that_is_not_heard_at_all_says_whether_it_or_its_line_is_down() -> None:
    told = {
        status: judge([("a",)], {"a": BAD}, LABELS, lost=status).reasons[0].rule
        for status in (Status.BadNoCommunication, Status.BadTimeout, Status.BadWaitingForInitialData)
    }
    assert list(told.values()) == ["line_down", "device_down", "no_data"]
    assert judge([("a",)], {"a": FRESH}, LABELS, lost=Status.BadTimeout).reasons == ()


def test_one_of_a_group_is_enough() -> None:
    assert judge([("soc", "voltage")], {"soc": BAD, "voltage": FRESH}, {}).state is ReadinessState.READY


@pytest.mark.parametrize(
    ("usable", "state"),
    [({"a": FRESH, "b": BAD}, "ready"), ({"a": BAD, "b": BAD}, "unknown"), ({}, "unknown")],
)
def test_a_kind_without_mandatory_points_is_ready_while_one_point_is_usable(
    usable: dict[str, bool], state: str
) -> None:
    assert judge([], usable, {}).state == state


@pytest.mark.parametrize(
    ("devices", "required", "expected"),
    [
        ("ready ready", 2, "ready"),
        ("ready in_use", 2, "ready"),
        ("ready degraded", 2, "degraded"),
        ("ready ready not_ready", 2, "degraded"),
        ("ready ready unknown", 2, "degraded"),
        ("ready unknown", 2, "unknown"),
        ("ready not_ready", 2, "not_ready"),
        ("ready out_of_service", 1, "ready"),
        ("ready out_of_service", 2, "not_ready"),
        ("retired ready", 1, "ready"),
        ("unknown", 0, "degraded"),
        ("", 1, "not_ready"),
        ("", 0, "ready"),
    ],
)
def test_a_site_is_what_its_required_kinds_are(devices: str, required: int, expected: str) -> None:
    states = [("pump", ReadinessState(state)) for state in devices.split()]
    state, counts = roll_up(states, {"pump": required} if required else {})
    assert state == expected
    if devices:
        assert sum(counts["pump"].states.values()) == len([each for each in devices.split() if each != "retired"])


@given(
    st.lists(st.sampled_from(["ready", "degraded", "not_ready", "unknown", "in_use", "out_of_service", "retired"])),
    st.integers(0, 4),
)
def test_a_site_is_never_better_than_what_is_seen(states: list[str], required: int) -> None:
    state, counts = roll_up([("pump", ReadinessState(each)) for each in states], {"pump": required})
    if state is ReadinessState.READY:
        assert counts["pump"].usable >= required
        assert "unknown" not in states
        assert "not_ready" not in states
