"""Runs in which something breaks: the broker stops, a fifth of the slaves falls silent."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.stage import Cores, Stage
from bench.verify import Records, unheard


@dataclass(frozen=True, slots=True)
class Outage:
    """The broker was stopped for `stopped_s` and started again. Steps that never came are lost; shares are of steps."""

    peer: str
    count: int
    stopped_s: float
    missing_before: float
    missing_outage: float
    lost_s: float
    repeats: int
    wrong: int
    disordered: int
    first_live_s: float
    drained_s: float
    lost_rows: int
    """Sequence numbers between the first and the last heard that are in no message; of a peer that has them."""


def run_outage(cores: Cores, peer: str, count: int, stopped_s: float, drain_s: float) -> Outage | None:
    """One run at one poll per second; None where the peer is not to be had here."""
    interval_us = 1_000_000
    with Stage(cores, count, interval_us) as stage:
        if stage.start_peer(peer) is None:
            return None
        stage.wait_for_all()
        time.sleep(4)
        began = _now_us()
        time.sleep(8)
        stopped = _now_us()
        stage.stop_broker()
        time.sleep(stopped_s)
        stage.start_broker()
        back = _now_us()
        time.sleep(drain_s)
        ended = _now_us()
        file = stage.end_records()
        records, lost_rows = Records.of(file, count, interval_us), unheard(file)
    before = records.figures(began, stopped - 2_000_000)
    outage = records.figures(stopped - 3_000_000, back)
    whole = records.figures(began, ended)
    after = [arrival for arrival in records.arrivals if arrival.at_us > back]
    live = [a for a in after if not a.backlog and a.at_us - a.pipe_us > back]
    old = [arrival for arrival in after if arrival.at_us - arrival.pipe_us < back]
    ids = [arrival.id or (arrival.slave, arrival.step, arrival.pipe_us + arrival.at_us) for arrival in records.arrivals]
    window_s = (back - stopped) / 1e6 + 3
    return Outage(
        peer=peer,
        count=count,
        stopped_s=stopped_s,
        missing_before=before.missing,
        missing_outage=outage.missing,
        lost_s=max(0.0, outage.missing - before.missing) * window_s,
        repeats=len(ids) - len(set(ids)),
        wrong=whole.wrong,
        disordered=whole.disordered,
        first_live_s=(min(a.at_us for a in live) - back) / 1e6 if live else float("nan"),
        drained_s=(max(a.at_us for a in old) - back) / 1e6 if old else float("nan"),
        lost_rows=lost_rows,
    )


@dataclass(frozen=True, slots=True)
class Silence:
    """Every fifth slave swallowed its requests; pipes and shares of the healthy ones before and meanwhile."""

    peer: str
    count: int
    pipe_before_ms: tuple[float, float]
    pipe_during_ms: tuple[float, float]
    missing_before: float
    missing_during: float
    wrong: int
    all_back_s: float

    @property
    def p99_ratio(self) -> float:
        return self.pipe_during_ms[1] / self.pipe_before_ms[1]


def run_silence(cores: Cores, peer: str, count: int, each_s: float) -> Silence | None:
    """`each_s` before, `each_s` of silence, then up to 15 s until all are back; None where there is no such peer."""
    interval_us = 1_000_000
    with Stage(cores, count, interval_us) as stage:
        if stage.start_peer(peer) is None:
            return None
        stage.wait_for_all()
        time.sleep(4)
        marks = [_now_us()]
        time.sleep(each_s)
        stage.mute(on=True)
        marks.append(_now_us())
        time.sleep(each_s)
        stage.mute(on=False)
        marks.append(_now_us())
        time.sleep(15)
        records = Records.of(stage.end_records(), count, interval_us)
    healthy = [slave for slave in range(count) if slave % 5]
    before = records.figures(marks[0], marks[1], healthy)
    during = records.figures(marks[1], marks[2], healthy)
    first: dict[int, int] = {}
    for arrival in records.arrivals:
        # what was said of an old step is no sign of life
        if arrival.slave % 5 == 0 and arrival.at_us - arrival.pipe_us > marks[2]:
            first.setdefault(arrival.slave, arrival.at_us)
    all_back = len(first) == count - len(healthy)
    return Silence(
        peer=peer,
        count=count,
        pipe_before_ms=before.pipe_ms,
        pipe_during_ms=during.pipe_ms,
        missing_before=before.missing,
        missing_during=during.missing,
        wrong=before.wrong + during.wrong,
        all_back_s=(max(first.values()) - marks[2]) / 1e6 if all_back and first else float("nan"),
    )


def _now_us() -> int:
    return time.monotonic_ns() // 1000
