"""When rows are sent again, in simulated time."""

from __future__ import annotations

from gateway.ports import Row
from gateway.uplink.ledger import LAST_WAIT_S, MOST_LIVE, MOST_OUTSTANDING, START, Ledger


def row(seq: int, rank: int = 2) -> Row:
    return Row(seq, 1000 + seq, "t", b"{}", False, rank)


def test_a_live_row_becomes_backlog_after_30_s() -> None:
    ledger = Ledger()
    ledger.note_live(row(7), 100.0)
    assert ledger.is_waiting(7)
    assert ledger.expire(129.9) is None
    assert ledger.expire(130.0) == (2, 7)
    assert not ledger.is_waiting(7)


def test_waits_double_to_ten_minutes() -> None:
    ledger, now, waits = Ledger(), 0.0, []
    for _ in range(7):
        ledger.note_backlog(row(1), now)
        sent_at = now
        while ledger.expire(now) is None:
            now += 1.0
        waits.append(now - sent_at)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    assert waits[-1] == LAST_WAIT_S


def test_rows_to_send_again_are_read_from_the_first_place() -> None:
    ledger = Ledger()
    for seq, rank in ((9, 2), (4, 2), (6, 0)):
        ledger.note_backlog(row(seq, rank), 0.0)
    assert ledger.expire(30.0) == (0, 6)
    assert ledger.waiting == 0


def test_backlog_outstanding_is_bounded_and_live_does_not_count() -> None:
    ledger = Ledger()
    for seq in range(1000, 2000):
        ledger.note_live(row(seq), 0.0)
    for seq in range(MOST_OUTSTANDING):
        assert ledger.room == MOST_OUTSTANDING - seq
        ledger.note_backlog(row(seq), 0.0)
    assert ledger.room == 0
    ledger.confirm([(0, 99)], 1.0)
    assert ledger.room == 100


def test_live_rows_in_memory_are_bounded() -> None:
    ledger = Ledger()
    assert all(ledger.note_live(row(seq), 0.0) is None for seq in range(MOST_LIVE))
    assert ledger.note_live(row(MOST_LIVE), 0.0) == (2, 0)
    assert not ledger.is_waiting(0)
    assert ledger.waiting == MOST_LIVE


def test_only_what_was_sent_can_be_confirmed() -> None:
    ledger = Ledger()
    for seq in (5, 6, 9):
        ledger.note_live(row(seq), 0.0)
    assert ledger.confirm([(0, 10**17)], 1.0) == ([(5, 6), (9, 9)], None)
    assert ledger.confirm([(0, 10**17)], 2.0) == ([], None)
    assert ledger.waiting == 0


def test_a_late_confirmation_of_a_row_that_is_due_again_counts() -> None:
    ledger = Ledger()
    ledger.note_live(row(5), 0.0)
    ledger.expire(31.0)
    assert ledger.confirm([(5, 5)], 40.0)[0] == [(5, 5)]


def test_what_the_broker_did_not_take_was_not_sent() -> None:
    ledger = Ledger()
    ledger.note_backlog(row(5), 0.0)
    ledger.forget(5)
    assert ledger.confirm([(5, 5)], 1.0) == ([], None)
    assert ledger.room == MOST_OUTSTANDING


def test_the_first_confirmation_after_a_silence_makes_everything_due() -> None:
    ledger = Ledger()
    for seq in range(10):
        ledger.note_backlog(row(seq), 0.0)
    assert ledger.confirm([(0, 0)], 29.0) == ([(0, 0)], None)
    assert ledger.is_waiting(1)
    assert ledger.confirm([(1, 1)], 59.0) == ([(1, 1)], START)
    assert not ledger.is_waiting(2)
    ledger.note_backlog(row(2), 60.0)
    assert ledger.expire(89.9) is None  # the wait starts anew at 30 s
    assert ledger.expire(90.0) == (2, 2)


def test_quiet_while_nothing_waits_is_no_silence() -> None:
    ledger = Ledger()
    ledger.note_live(row(1), 0.0)
    ledger.confirm([(1, 1)], 1.0)
    ledger.note_live(row(2), 500.0)
    assert ledger.confirm([(2, 2)], 501.0) == ([(2, 2)], None)


def test_a_new_link_starts_over_but_remembers_what_was_sent() -> None:
    ledger = Ledger()
    ledger.note_backlog(row(1), 0.0)
    ledger.note_live(row(2), 0.0)
    ledger.restart()
    assert ledger.waiting == 0
    assert ledger.confirm([(1, 2)], 5.0)[0] == [(1, 2)]


def test_what_nobody_heard_is_due_when_somebody_is_there_again() -> None:
    ledger = Ledger()
    for seq in (1, 2, 3, 4):
        ledger.note_live(row(seq), 0.0)
    for seq in (2, 3):
        ledger.note_unheard(row(seq))
    assert ledger.confirm([(3, 3)], 1.0) == ([(3, 3)], (2, 2))
    assert [ledger.is_waiting(seq) for seq in (1, 2, 4)] == [True, False, True]
    assert ledger.confirm([(4, 4)], 2.0) == ([(4, 4)], None)
