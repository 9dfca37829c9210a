"""What must be true after chaos, from four witnesses: the counters, the taps, the database, the listener."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.integration.expected_rows import expected
from tests.integration.influx_rows import Key, everything
from tests.scenario.chaos.counters import EVERY, STEADY, proof
from tests.scenario.chaos.stage import LINES, POISONED, SITE_ID, UNITS, Death, Stage

Rows = Mapping[str, Mapping[Key, Mapping[str, Any]]]
ROUNDING_MS = 5
"""Between the clock that schedules and the clock that labels."""
STALL_NS = 10_000_000_000
"""A machine shared with others may stand still for so long between a poll and its commit."""


@dataclass(slots=True)
class Verdict:
    """The books of one run."""

    polled: int = 0
    stored: int = 0
    dead: int = 0
    held: int = 0
    gap: int = 0
    killed: int = 0
    accepted_rows: int = 0
    heard: int = 0
    worst_kill_s: float = 0.0
    cut_short: Counter[int] = field(default_factory=Counter)
    """Polls that were under way when the gateway was asked to stop, or their line to be another, by the moment that had
    ended."""
    story: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"polls {self.polled} = stored {self.stored} + dead letters {self.dead} + still held {self.held}"
            f" + in gaps {self.gap} + cut short by a stop or reload {self.cut_short.total()}"
            f" + uncommitted at a kill {self.killed} (the oldest {self.worst_kill_s:.1f} s);"
            f" {self.accepted_rows} rows accepted, {self.heard} heard"
        )


def judge(stage: Stage) -> Verdict:
    """AssertionError names the first thing that does not add up."""
    verdict = Verdict(story=stage.story)
    assert not stage.taps.contradictions, stage.taps.contradictions[:5]
    found = everything(stage.influxd)
    letters = dead_letters(stage)
    for unit in UNITS:
        _judge_counter(stage, found["sensor"], unit, verdict, letters)
    _judge_counter(stage, found["weather"], POISONED, verdict, letters)
    assert max(verdict.cut_short.values(), default=0) <= LINES, (
        "a stop or a reload loses no more than what is under way"
    )
    _judge_taps(stage, found, letters, verdict)
    _judge_order(stage, verdict)
    _judge_events(stage, found)
    return verdict


def dead_letters(stage: Stage) -> dict[tuple[str, Key], dict[str, Any]]:
    """Measurement and key -> fields of every row ingest put aside; a message it could not read fails the run."""
    folder = stage.folder / "ingest" / "dead-letters"
    assert not list(folder.glob("messages-*")), "a message could not be read"
    found = {}
    for path in folder.glob("points-*.jsonl"):
        for line in path.read_text().splitlines():
            letter = json.loads(line)
            assert "field type conflict" in letter["reason"], letter
            found[letter["measurement"], (letter["ts"], *sorted(letter["tags"].items()))] = letter["fields"]
    return found


def _judge_counter(
    stage: Stage,
    found: Mapping[Key, Mapping[str, Any]],
    unit: int,
    verdict: Verdict,
    letters: Mapping[tuple[str, Key], Mapping[str, Any]],
) -> None:
    """Each poll of a unit: stored once, at its own time, whole; or lost in a way that is allowed."""
    device = ("device", f"count-{unit}")
    buried = {key: fields for (_, key), fields in letters.items() if device in key}
    mine = {key: fields for key, fields in found.items() if device in key}
    served = stage.counters.served[unit]
    seen: dict[int, int] = {}
    for key, fields in [*mine.items(), *buried.items()]:
        assert isinstance(key[0], int)
        _prove(stage, unit, served, key[0], fields, seen)
    accepted = {
        int(row.payload("")["v"]["turns"]): row.seq
        for row in stage.taps.accepted.values()
        if row.topic == f"vigil/v1/{SITE_ID}/count-{unit}/telemetry" and "turns" in row.payload("")["v"]
    }
    still_held = set().union(*stage.taps.held.values())
    verdict.polled += len(served)
    verdict.stored += len(mine)
    verdict.dead += len(buried)
    for number, at_ns in enumerate(served, 1):
        if number in seen:
            continue
        seq = accepted.get(number)
        if seq in still_held:
            verdict.held += 1
        elif seq in stage.lost_with_files:
            verdict.gap += 1
        else:
            assert seq is None, f"poll {number} of unit {unit} was accepted as {seq} and is nowhere"
            death, ended_ns = what_lost(at_ns, stage.deaths, stage.reloads)
            assert death or ended_ns, f"poll {number} of unit {unit} at {at_ns} is nowhere; deaths: {stage.deaths}"
            if ended_ns is not None and (death is None or verdict.cut_short[ended_ns] < LINES):
                verdict.cut_short[ended_ns] += 1
            elif death is not None:
                verdict.killed += 1
                verdict.worst_kill_s = max(verdict.worst_kill_s, (death.told_ns - at_ns) / 1e9)


def _prove(
    stage: Stage, unit: int, served: list[int], ts: int, fields: Mapping[str, Any], seen: dict[int, int]
) -> None:
    number = int(fields["turns"])
    assert number not in seen, f"poll {number} of unit {unit} is stored at {seen[number]} and at {ts}"
    seen[number] = ts
    assert fields["proof"] == proof(unit, number), (unit, number, fields)
    assert fields.get("steady", STEADY) == STEADY, (unit, number, fields)
    assert fields.get("sevenths", number // EVERY) == number // EVERY, (unit, number, fields)
    if number % EVERY == 0:
        assert "sevenths" in fields, f"a change was not sent: {unit} {number} {fields}"
    asked_ns, next_ns = served[number - 1], served[number] if number < len(served) else 2**62
    off_ms = ROUNDING_MS + stage.counters.jumped_ms(asked_ns) + stage.clock.set_back_ms(asked_ns, served)
    assert any(
        asked_ns // 1_000_000 - off_ms <= ts - offset_s * 1000 <= next_ns // 1_000_000 + off_ms
        for offset_s in stage.clock.offsets(asked_ns, min(next_ns, asked_ns + 30_000_000_000))
    ), f"poll {number} of unit {unit} was served at {asked_ns} and is stored at {ts}; {clock_story(stage)}"


def clock_story(stage: Stage) -> str:
    """What the clocks did, for whoever has to understand a wrong time stamp."""
    return f"clock steps {stage.clock.steps}; the machine's own clock {stage.counters.jumps}"


def what_lost(
    at_ns: int, deaths: Sequence[Death], reloads: Sequence[tuple[int, int]]
) -> tuple[Death | None, int | None]:
    """What a poll may have been lost to that no file ever took: a kill soon after it, and when the stop or the reload
    had ended that it was under way at. A kill before the next commit leaves no doubt; a later one, while the machine
    stood still, may be a reload's loss as well. Neither where the poll should have been safe."""
    death = next((death for death in deaths if at_ns <= death.at_ns), None)
    if death is not None and at_ns < death.undurable_since_ns - STALL_NS:
        death = None
    if death is not None and not death.orderly and at_ns >= death.undurable_since_ns:
        return death, None
    ended_ns = next((ended_ns for began_ns, ended_ns in reloads if began_ns <= at_ns <= ended_ns), None)
    if death is not None and death.orderly:
        return None, ended_ns or death.at_ns
    return death, ended_ns


def _judge_taps(
    stage: Stage, found: Rows, letters: Mapping[tuple[str, Key], Mapping[str, Any]], verdict: Verdict
) -> None:
    """Everything the gateway's disk ever took is in the database as the contract says, or accounted for."""
    taps = stage.taps
    excused = set().union(*taps.held.values()) | stage.lost_with_files
    missing = []
    for row in taps.accepted.values():
        if not row.body or row.seq in excused:
            continue
        for measurement, key, fields in expected(row.topic, row.payload(taps.outbox)):
            stored = letters.get((measurement, key)) or found.get(measurement, {}).get(key, {})
            if any(stored.get(name) != value for name, value in fields.items()):
                missing.append((row.seq, measurement, key, fields, stored))
    assert not missing, f"{len(missing)} accepted rows are not in the database, the first: {missing[:3]}"
    verdict.accepted_rows = len(taps.accepted)


def _judge_order(stage: Stage, verdict: Verdict) -> None:
    """Order holds within live and within backlog; an id never means two messages; live is said once."""
    heard = stage.recorder.snapshot()
    verdict.heard = len(heard)
    by_id: dict[str, dict[str, Any]] = {}
    live: Counter[str] = Counter()
    last_live = -1
    epoch = 0
    tried: dict[int, set[int]] = defaultdict(set)
    last_backlog = -1
    before = 0
    for stretch, topic, payload in heard:
        if topic.endswith("/_gateway/status") or stretch != before:
            epoch, before, last_backlog = epoch + 1, stretch, -1
        if "id" not in payload:
            continue
        content = {key: value for key, value in payload.items() if key != "backlog"}
        assert by_id.setdefault(payload["id"], content) == content, f"{payload['id']} means two messages"
        seq = int(payload["id"].rpartition("-")[2])
        if not topic.endswith("/telemetry"):
            continue
        if "backlog" not in payload:
            live[payload["id"]] += 1
            assert seq > last_live, f"live {seq} came after live {last_live}"
            last_live = seq
        elif payload["id"] not in live and seq not in tried[epoch]:  # what was said before is only repeated
            assert seq > last_backlog, f"backlog {seq} came after backlog {last_backlog} on one connection"
            last_backlog = seq
            tried[epoch].add(seq)
    assert max(live.values(), default=1) == 1


def _judge_events(stage: Stage, found: Rows) -> None:
    """What went with a damaged file stands in a gap event, and nothing else does."""
    gaps = [fields for key, fields in found.get("event", {}).items() if ("type", "gap") in key]
    assert {(gap["why"], gap["exact"]) for gap in gaps} <= {("damage", False)}, gaps
    assert bool(gaps) == bool(stage.damages), f"{stage.damages} files were damaged, reported: {gaps}"
