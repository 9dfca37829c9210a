"""What a batch lets the sites hear, whatever became of its rows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.batch import Batch, Limits, merge
from gateway.ingest.dead_letters import FactLetter, MessageLetter
from gateway.ingest.intake import EMPTY, Taken
from gateway.ports import Fact
from gateway.wire.messages import MessageId


def taken(seq: int, rows: int = 1, site: str = "a", outbox: str = "9c41f07be2a3", fault: str = "") -> Taken:
    facts = tuple(Fact("m", (("n", str(number)),), {"v": 1.0}, seq) for number in range(rows))
    return Taken(facts, site, MessageId(outbox, seq), fault)


def filled(*items: Taken, limits: Limits | None = None) -> Batch[int]:
    batch: Batch[int] = Batch(limits or Limits())
    for number, item in enumerate(items):
        batch.add(number, item, f"t/{number}", b"x" * 10)
    return batch


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_exactly_the_numbers(numbers: set[int]) -> None:
    ranges = merge(sorted(numbers))
    assert [number for first, last in ranges for number in range(first, last + 1)] == sorted(numbers)
    assert all(next_first - last > 1 for (_, last), (next_first, _) in pairwise(ranges))


def test_each_site_and_outbox_hears_of_its_own() -> None:
    batch = filled(taken(1), taken(2), taken(2), taken(4), taken(1, site="b"), taken(9, outbox="000000000001"), EMPTY)
    assert batch.confirmed() == {
        ("a", "9c41f07be2a3"): [(1, 2), (4, 4)],
        ("b", "9c41f07be2a3"): [(1, 1)],
        ("a", "000000000001"): [(9, 9)],
    }
    assert batch.empty == 1


def test_rejected_rows_and_malformed_messages_become_letters_of_their_messages() -> None:
    batch = filled(taken(1, rows=2), taken(2, rows=0, fault="no JSON"), taken(3, rows=3))
    letters = batch.letters({1: "conflict", 3: "too old"})
    assert letters == [
        (1, MessageLetter("t/1", b"x" * 10, "no JSON")),
        (0, FactLetter(batch.facts[1], "conflict")),
        (2, FactLetter(batch.facts[3], "too old")),
    ]
    assert batch.malformed == 1


def test_what_is_not_safe_is_not_confirmed() -> None:
    batch = filled(taken(1), taken(2), taken(3), taken(2))
    assert batch.confirmed({1}) == {("a", "9c41f07be2a3"): [(1, 1), (3, 3)]}


def test_a_batch_is_full_by_rows_bytes_or_messages() -> None:
    assert not filled(taken(1, rows=4), limits=Limits(facts=5)).is_full
    assert filled(taken(1, rows=5), limits=Limits(facts=5)).is_full
    assert filled(taken(1), taken(2), limits=Limits(bytes=20)).is_full
    assert filled(taken(1), taken(2), limits=Limits(messages=2)).is_full
