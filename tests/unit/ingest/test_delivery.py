"""Bad points are found one by one, whatever the database says of the batch."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SinkMisconfigured, SinkRejected, SinkUnavailable
from gateway.ingest.answers import STORED, Meaning, Verdict
from gateway.ingest.delivery import Delivery
from gateway.ports import Fact


def fact(number: int) -> Fact:
    return Fact("m", (("n", str(number)),), {"v": float(number)}, 1_763_764_800_000 + number)


class Database:
    """Stores good lines of every request at once, as InfluxDB does, and names one reason."""

    def __init__(self, bad: set[int], largest: int = 1 << 30) -> None:
        self.bad = bad
        self.largest = largest
        self.stored: set[int] = set()
        self.requests = 0

    async def post(self, body: bytes, points: int) -> Verdict:
        self.requests += 1
        lines = body.split(b"\n")
        assert len(lines) == points
        if len(body) > self.largest:
            return Verdict(Meaning.TOO_LARGE, "413")
        numbers = [int(line.partition(b"n=")[2].partition(b" ")[0]) for line in lines]
        wrong = [number for number in numbers if number in self.bad]
        self.stored.update(number for number in numbers if number not in self.bad)
        return Verdict(Meaning.REFUSED, f"bad {wrong[0]}") if wrong else STORED


@given(st.integers(0, 60), st.sets(st.integers(0, 59)), st.integers(60, 2000))
def test_exactly_the_bad_ones_are_rejected_with_their_own_reason(count: int, bad: set[int], largest: int) -> None:
    bad = {number for number in bad if number < count}
    database = Database(bad, largest)
    delivery = Delivery(database.post)
    facts = [fact(number) for number in range(count)]
    if bad:
        with pytest.raises(SinkRejected) as caught:
            asyncio.run(delivery.deliver(facts))
        assert caught.value.reasons == {number: f"bad {number}" for number in bad}
    else:
        asyncio.run(delivery.deliver(facts))
    assert database.stored == set(range(count)) - bad


async def test_three_bad_ones_of_five_thousand_cost_few_requests() -> None:
    database = Database({17, 2500, 4999})
    with pytest.raises(SinkRejected) as caught:
        await Delivery(database.post).deliver([fact(number) for number in range(5000)])
    assert set(caught.value.reasons) == {17, 2500, 4999}
    assert len(database.stored) == 4997
    assert database.requests < 90


async def test_a_size_the_server_refused_is_not_tried_again() -> None:
    database = Database(set(), largest=10_000)
    delivery = Delivery(database.post)
    facts = [fact(number) for number in range(1000)]
    await delivery.deliver(facts)
    first = database.requests
    database.requests = 0
    await delivery.deliver(facts)
    assert database.requests < first
    assert len(database.stored) == 1000


async def test_one_point_that_is_too_large_alone_is_rejected() -> None:
    database = Database(set(), largest=100)
    big = Fact("m", (("n", "1"),), {"v": "x" * 200}, 1)
    with pytest.raises(SinkRejected) as caught:
        await Delivery(database.post).deliver([fact(0), big, fact(2)])
    assert caught.value.reasons == {1: "413"}
    assert database.stored == {0, 2}


async def test_what_cannot_be_written_down_is_rejected_and_what_says_nothing_is_passed_over() -> None:
    database = Database({3})
    nothing = Fact("m", (), {}, 1)
    no_number = Fact("m", (("n", "1"),), {"v": float("nan")}, 1)
    with pytest.raises(SinkRejected) as caught:
        await Delivery(database.post).deliver([nothing, fact(0), no_number, fact(3), fact(4)])
    assert set(caught.value.reasons) == {2, 3}
    assert database.stored == {0, 4}


async def test_nothing_to_say_asks_nothing() -> None:
    database = Database(set())
    await Delivery(database.post).deliver([])
    assert database.requests == 0


@pytest.mark.parametrize(
    ("meaning", "error"),
    [
        (Meaning.TRY_LATER, SinkUnavailable),
        (Meaning.MISCONFIGURED, SinkMisconfigured),
        (Meaning.NO_DATABASE, SinkMisconfigured),
    ],
)
async def test_what_passes_and_what_needs_a_person_are_told_apart(
    meaning: Meaning, error: type[SinkUnavailable]
) -> None:
    async def post(body: bytes, points: int) -> Verdict:
        return Verdict(meaning, "why", 7.0)

    with pytest.raises(SinkUnavailable, match="why") as caught:
        await Delivery(post).deliver([fact(1)])
    assert type(caught.value) is error
    assert caught.value.after_s == 7.0
