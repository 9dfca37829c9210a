"""Dead letters survive, stay within their space, and come back as they were."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SinkRejected, SinkUnavailable
from gateway.ingest import dead_letters as subject
from gateway.ingest.dead_letters import DeadLetters, FactLetter, Letter, MessageLetter, read_segment
from gateway.ingest.replay import replay
from gateway.ports import Fact

AT = 1_763_764_800_000
FACT = Fact("generator", (("site", "depot-07"), ("city", "西宁")), {"v": 1.0, "on": True, "word": 'a"\n水'}, AT)
ROW = FactLetter(FACT, "field type conflict")
GOOD_PAYLOAD = (
    b'{"id":"9c41f07be2a3-000001","ts":1763764800000,"kind":"pump","labels":{},"clock":"synced","v":{"flow":1.5}}'
)
UNREAD = MessageLetter("vigil/v1/a/b/telemetry", b"\xff\x00", "not Unicode")


def all_letters(box: DeadLetters) -> list[Letter]:
    return [letter for segment in box.close_segments() for letter in read_segment(segment)[0]]


def test_letters_come_back_as_they_were(tmp_path: Path) -> None:
    box = DeadLetters(tmp_path / "box")
    text = MessageLetter("vigil/v1/a/b/event", '{"a":"水"}'.encode(), "no `type`")
    assert box.keep([ROW, UNREAD], AT) == 0
    assert box.keep([text], AT + 1) == 0
    assert all_letters(DeadLetters(tmp_path / "box")) == [UNREAD, text, ROW]


@given(
    st.binary(max_size=50),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
        st.booleans() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        max_size=4,
    ),
)
def test_any_letter_comes_back(
    tmp_path_factory: pytest.TempPathFactory, payload: bytes, words: str, fields: dict[str, bool | float | str]
) -> None:
    box = DeadLetters(tmp_path_factory.mktemp("box"))
    letters: list[Letter] = [
        MessageLetter(words, payload, words),
        FactLetter(Fact("m", (("t", words),), fields, 7), words),
    ]
    box.keep(letters, AT)
    assert all_letters(box) == letters


def test_a_line_cut_by_a_power_loss_costs_only_itself(tmp_path: Path) -> None:
    box = DeadLetters(tmp_path)
    box.keep([ROW, ROW], AT)
    (segment,) = tmp_path.glob("points-*.jsonl")
    segment.write_bytes(segment.read_bytes()[:-20])
    box.keep([ROW], AT)
    letters, damaged = read_segment(segment)
    assert letters == [ROW, ROW]
    assert len(damaged) == 1


def test_space_is_bounded_and_what_goes_is_counted(tmp_path: Path) -> None:
    box = DeadLetters(tmp_path, max_bytes=4000, segment_bytes=1000)
    letters = [FactLetter(Fact("m", (), {"v": float(number)}, number), "no") for number in range(200)]
    dropped = sum(box.keep([letter], AT) for letter in letters)
    box.keep([UNREAD], AT)
    kept = [letter for letter in all_letters(box) if isinstance(letter, FactLetter)]
    assert dropped > 0
    assert kept == letters[dropped:]
    assert box.size() <= 5000


def test_garbage_does_not_push_out_rows(tmp_path: Path) -> None:
    box = DeadLetters(tmp_path, max_bytes=2000, segment_bytes=500)
    box.keep([ROW], AT)
    assert sum(box.keep([UNREAD], AT) for _ in range(100)) > 0
    assert ROW in all_letters(box)


def test_letters_are_on_disk_before_keep_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(subject.os, "fsync", synced.append)
    DeadLetters(tmp_path).keep([ROW], AT)
    assert len(synced) == 2  # the folder, for the new name, and the file


def test_workers_that_share_a_folder_lose_nothing(tmp_path: Path) -> None:
    def work(number: int) -> None:
        box = DeadLetters(tmp_path, segment_bytes=800)
        for turn in range(30):
            box.keep([FactLetter(Fact("m", (), {"v": 1.0}, number * 1000 + turn), "no")], AT)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    times = [letter.fact.ts for letter in all_letters(DeadLetters(tmp_path)) if isinstance(letter, FactLetter)]
    assert sorted(times) == sorted(number * 1000 + turn for number in range(4) for turn in range(30))


class Database:
    """Takes all but what it was told to refuse; down on request."""

    def __init__(self, refuse: set[str] = frozenset(), *, is_down: bool = False) -> None:  # type: ignore[assignment]
        self.refuse = refuse
        self.is_down = is_down
        self.facts: list[Fact] = []

    async def write(self, facts: Sequence[Fact]) -> None:
        if self.is_down:
            raise SinkUnavailable("down")
        self.facts += [fact for fact in facts if fact.measurement not in self.refuse]
        if bad := {place: "still no" for place, fact in enumerate(facts) if fact.measurement in self.refuse}:
            raise SinkRejected(bad)

    async def close(self) -> None: ...


async def test_replay_writes_what_is_cured_and_keeps_the_rest(tmp_path: Path) -> None:
    box = DeadLetters(tmp_path)
    cured = MessageLetter("vigil/v1/depot-07/p-1/telemetry", GOOD_PAYLOAD, "an old version could not read it")
    stubborn = FactLetter(Fact("bad", (), {"v": 1.0}, 1), "no")
    box.keep([ROW, stubborn, UNREAD, cured], AT)
    database = Database({"bad"})
    result = await replay(box, database, AT)
    assert (result.rows, result.again, result.damaged) == (2, 2, 0)
    assert {fact.measurement for fact in database.facts} == {"generator", "pump"}
    left = all_letters(box)
    assert FactLetter(stubborn.fact, "still no") in left
    assert len(left) == 2
    again = await replay(box, Database(), AT)
    assert (again.rows, again.again) == (1, 1)


async def test_replay_stops_without_loss_when_the_database_is_down(tmp_path: Path) -> None:
    box = DeadLetters(tmp_path)
    box.keep([ROW, UNREAD], AT)
    with pytest.raises(SinkUnavailable):
        await replay(box, Database(is_down=True), AT)
    assert ROW in all_letters(box)
    database = Database()
    await replay(box, database, AT)
    assert database.facts == [FACT]


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


async def test_replay_sets_aside_lines_that_are_no_letters(tmp_path: Path) -> None:
    box = DeadLetters(tmp_path)
    box.keep([ROW], AT)
    with only(tmp_path, "points-*.jsonl").open("ab") as file:
        file.write(b'{"reason":"half a li\n{"reason":"x","tags":1,"fields":{},"ts":2}\n[]\n')
    result = await replay(box, Database(), AT)
    assert (result.rows, result.damaged) == (1, 3)
    assert only(tmp_path, "damaged-*.txt").read_bytes().count(b"\n") == 3
    assert all_letters(box) == []
