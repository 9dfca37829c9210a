"""Alarms through random samples, orders, time, crashes and restarts, on a real store: nothing lost, nothing told twice.

What the engine does is held against a plain restatement of the rules (`says`, `does`), and the disk against itself.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.alarms.chain import verify
from gateway.alarms.table import advance
from gateway.app import load
from gateway.model import AlarmCondition, AlarmEvent, AlarmState
from gateway.ports import Refused
from gateway.settings.types import SiteSettings
from gateway.store import Store
from gateway.store.trail import walk
from gateway.wire import topics
from tests.fakes.hand_clock import HandClock
from tests.unit.alarms.small_site import START_MS, SmallSite, write_site

T = TypeVar("T")
TWO_PEOPLE = "alarms: {two_person_ack: [critical]}\n"
RULES = ("fuel_low", "fail_to_start", "emergency_stop")
LATCHED = "fail_to_start"
SAFETY = "emergency_stop"
PEOPLE = ("duty-1", "duty-2", "chief")
ACTS = ("ack", "reset", "shelve", "unshelve", "out_of_service", "return")

IN_MEMORY = "/dev/shm"
"""What a killed process leaves behind is what it wrote; that a disk keeps it is tested with the store."""


@cache
def shared_settings() -> SiteSettings:
    """The same for every run: only where the state is kept differs."""
    with tempfile.TemporaryDirectory() as folder:
        return load(write_site(Path(folder), extra=TWO_PEOPLE))


def says(condition: str, holds: bool, *, latched: bool) -> str:
    """What a rule makes of a condition, in plain words."""
    if holds:
        return condition if condition in ("UNACK", "ACKED") else "UNACK"
    if condition == "UNACK":
        return "LATCHED_UNACK" if latched else "RTN_UNACK"
    if condition == "ACKED":
        return "LATCHED_ACKED" if latched else "NORMAL"
    return condition


class Model:
    """One alarm, as a person would keep it on paper."""

    def __init__(self, rule_: str) -> None:
        self.rule = rule_
        self.condition = "NORMAL"
        self.acks: list[str] = []
        self.shelved_until: int | None = None
        self.asked: tuple[str, int] | None = None
        self.work_order = False

    @property
    def needed(self) -> int:
        return 2 if self.rule == LATCHED else 1

    def sample(self, holds: bool) -> None:
        after = says(self.condition, holds, latched=self.rule == LATCHED)
        if after == "UNACK" and self.condition != "UNACK":
            self.acks = []
            if self.needed == 2:
                self.asked = None
        self.condition = after

    def does(self, act: str, by: str, now: int) -> bool:
        """Whether it was allowed."""
        match act:
            case "ack":
                if self.condition not in ("UNACK", "RTN_UNACK", "LATCHED_UNACK") or by in self.acks:
                    return False
                self.acks.append(by)
                if len(self.acks) == self.needed:
                    after = {"UNACK": "ACKED", "RTN_UNACK": "NORMAL", "LATCHED_UNACK": "LATCHED_ACKED"}
                    self.condition = after[self.condition]
            case "reset":
                if self.condition != "LATCHED_ACKED":
                    return False
                self.condition = "NORMAL"
            case "shelve":
                return self._shelve(by, now)
            case "unshelve":
                if self.shelved_until is None and self.asked is None:
                    return False
                self.shelved_until = self.asked = None
            case "out_of_service":
                if self.rule == SAFETY or self.work_order:
                    return False
                self.work_order = True
            case "return":
                if not self.work_order:
                    return False
                self.work_order = False
        return True

    def _shelve(self, by: str, now: int) -> bool:
        end = now + 60_000
        if self.shelved_until is not None:
            return False
        if self.needed == 1:
            self.shelved_until = end
        elif self.asked is None or self.asked[1] <= now:
            self.asked = by, end
        elif self.asked[0] == by:
            return False
        else:
            self.shelved_until, self.asked = self.asked[1], None
        return True


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(dir=IN_MEMORY if Path(IN_MEMORY).is_dir() else None))
        self.graves: list[Store] = []
        self.runs = 0
        self.told: list[tuple[int, str]] = []
        """Number and alarm of every announcement, over all runs."""
        self.heard: set[int] = set()

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(what)

    @initialize()
    def begin(self) -> None:
        self.clock = HandClock(START_MS, synced=True)
        self.values: dict[str, Any] = {"fuel_level": 80.0, "fail_to_start": False, "emergency_stop": False}
        self.models = {name: Model(name) for name in RULES}
        self._open(self.folder / "0")

    def _open(self, folder: Path) -> None:
        self.here = folder
        self.site = self.run(self._made(folder))
        self.site.values["gen-1"].update(self.values)

    async def _made(self, folder: Path) -> SmallSite:
        settings_ = replace(shared_settings(), state_dir=folder)
        return SmallSite(folder, self.clock, settings_, commit_interval_s=0.005)

    # what may happen

    @rule(values=st.fixed_dictionaries({}, optional={
        "fuel_level": st.sampled_from([5.0, 25.0, 80.0]), "fail_to_start": st.booleans(),
        "emergency_stop": st.booleans(), "battery_voltage": st.sampled_from([9.0, 10.5, 11.5, 12.5, 13.5]),
    }))  # fmt: skip
    def sample(self, values: dict[str, Any]) -> None:
        self.values.update(values)
        self.run(self._sample(values))
        for name, model in self.models.items():
            holds: bool = self.values.get(name, False)
            if name == "fuel_low":
                fuel = self.values["fuel_level"]
                holds = fuel < 20 or (fuel < 30 and model.condition in ("UNACK", "ACKED"))
            model.sample(holds)

    async def _sample(self, values: dict[str, Any]) -> None:
        self.clock.up_s += 0.5
        self.site.poll("gen-1", **values)

    @rule(seconds=st.sampled_from([1, 3, 20, 61]))
    def wait(self, seconds: int) -> None:
        self.clock.up_s += seconds
        for model in self.models.values():
            if model.shelved_until is not None and self.clock.wall_ms() >= model.shelved_until:
                model.shelved_until = None
        self.run(self._tick())

    async def _tick(self) -> None:
        self.site.pipeline.tick()

    @rule(act=st.sampled_from(ACTS), name=st.sampled_from(RULES), by=st.sampled_from(PEOPLE))
    def person(self, act: str, name: str, by: str) -> None:
        allowed = self.models[name].does(act, by, self.clock.wall_ms())
        more: dict[str, Any] = {}
        if act == "shelve":
            more = {"for_s": 60.0, "note": "sensor is changed"}
        elif act == "out_of_service":
            more = {"work_order": "W-1"}
        try:
            self.run(self.site.order(act, name, by, **more))
        except Refused:
            assert not allowed
        else:
            assert allowed

    @rule(values=st.fixed_dictionaries({"fuel_level": st.sampled_from([5.0, 80.0]), "fail_to_start": st.booleans()}))
    def crash_before_the_commit(self, values: dict[str, Any]) -> None:
        """A sample makes transitions, and the power goes before they are on disk."""
        self._commit()
        kept = self.values.copy()
        self.values.update(values)
        with self.site.store.outbox.together():  # keeps the store's thread from taking anything
            self.run(self._sample(values))
            self._kill()
        self.values = kept | values

    @rule(act=st.sampled_from(ACTS), name=st.sampled_from(RULES), by=st.sampled_from(PEOPLE))
    def crash_in_an_order(self, act: str, name: str, by: str) -> None:
        """A person's order is under way, and the power goes before it is on disk: it was not done."""
        self._commit()
        with self.site.store.outbox.together():
            order = self.run(self._begun(act, name, by))
            self._kill()
        order.cancel()
        self.run(self._ended(order))

    async def _begun(self, act: str, name: str, by: str) -> asyncio.Task[Any]:
        order = asyncio.create_task(self.site.order(act, name, by, for_s=60.0, note="x", work_order="W-1"))
        await asyncio.sleep(0)
        return order

    async def _ended(self, order: asyncio.Task[Any]) -> None:
        (outcome,) = await asyncio.gather(order, return_exceptions=True)
        assert isinstance(outcome, Refused | asyncio.CancelledError)

    @rule()
    def crash_before_telling(self) -> None:
        """What happened is on disk, and nobody was told."""
        self._commit()
        known = list(self.site.desk.known)
        self._kill()
        self._goes_on_from(known)

    @rule()
    def restart(self) -> None:
        self.run(self.site.settled())
        self._note_told()
        known = list(self.site.desk.known)
        self.site.close()
        self._open(self.here)
        self._goes_on_from(known)

    # how

    def _commit(self) -> None:
        """Until the store's thread has written what waits; the loop stands still."""
        give_up = time.monotonic() + 20
        while self.site.store.outbox.counts().waiting:
            assert time.monotonic() < give_up
            time.sleep(0.001)

    def _kill(self) -> None:
        """The files as they are on disk now are all that is left."""
        self._note_told()
        self.runs += 1
        fresh = self.folder / str(self.runs)
        fresh.mkdir()
        for file in self.here.iterdir():
            if file.suffix == ".db" or file.name.endswith("-wal"):
                shutil.copy(file, fresh / file.name)
        self.graves.append(self.site.store)
        self._open(fresh)

    def _goes_on_from(self, known: list[AlarmState]) -> None:
        """All of every alarm is as it was."""
        found = sorted(self.site.desk.known, key=lambda each: each.key)
        assert found == sorted(known, key=lambda each: each.key)

    def _note_told(self) -> None:
        """What people heard is on disk, and they hear it once."""
        numbers = {entry.number: json.loads(entry.body) for entry in walk(self.here / "journal.db")}
        for transition in self.site.announcer.heard:
            assert transition.number not in self.heard
            self.heard.add(transition.number)
            on_disk = numbers[transition.number]
            assert (on_disk["ts"], on_disk["event"]) == (transition.ts, transition.event)
            if transition.is_announcement:
                self.told.append((transition.number, transition.after.key))
        self.site.announcer.heard.clear()

    @invariant()
    def alarms_are_as_the_rules_say(self) -> None:
        if not hasattr(self, "site"):
            return
        for name, model in self.models.items():
            assert self.site.condition(name) == model.condition, name
            found = self.site.desk._alarms.find("gen-1", name)
            if found is None:
                continue
            if model.condition in ("UNACK", "ACKED"):
                assert [ack.by for ack in found.acks] == model.acks
            assert (found.shelved_until is not None) is (model.shelved_until is not None)
            assert (found.work_order is not None) is model.work_order

    def teardown(self) -> None:
        if hasattr(self, "site"):
            self.run(self.site.settled())
            self._note_told()
            self._whole(self.here / "journal.db")
            self.site.close()
        for store in self.graves:
            store.close()
        self.loop.close()
        shutil.rmtree(self.folder)

    def _whole(self, path: Path) -> None:
        """The journal is a chain, each alarm goes from state to state by the table, and every transition has its
        message and what its announcer planned."""
        entries = list(walk(path))
        assert verify(entries).flaw is None
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        conditions: dict[str, str] = {}
        rows: dict[str, int] = {}
        with sqlite3.connect(path) as db:
            documents = dict(db.execute("SELECT key, value FROM document"))
            messages = list(db.execute("SELECT topic FROM message WHERE rank=0 ORDER BY seq"))
        db.close()
        for entry in entries:
            told = json.loads(entry.body)
            after = told["after"]
            key = f"{after['device']}/{after['rule']}"
            assert told["before"] == conditions.get(key, "NORMAL"), "a transition was lost"
            allowed = {
                advance(
                    AlarmCondition(told["before"]), AlarmEvent(told["event"]), is_latched=latched, has_enough=enough
                )
                for latched in (False, True)
                for enough in (False, True)
            }
            assert after["condition"] in allowed
            conditions[key] = after["condition"]
            rows[key] = rows.get(key, 0) + 1
            assert f"dispatch/{entry.number}" in documents
        for key, condition in conditions.items():
            assert json.loads(documents[f"alarm/{key}"])["condition"] == condition
        parsed = [topics.parse(topic) for (topic,) in messages]
        sent = [f"{each.device}/{each.rule}" for each in parsed if each is not None and each.rule is not None]
        assert {key: sent.count(key) for key in rows} == rows


TestLife = pytest.mark.timeout(300)(Life.TestCase)
TestLife.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
