"""A switchboard in simulated time with channels that take, refuse or lose what they are sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gateway.dispatch.group import Batch
from gateway.dispatch.incident import What
from gateway.dispatch.switchboard import Switchboard
from gateway.model import Transition
from gateway.settings.notify_types import (
    DEFAULT_ESCALATION,
    ChannelSettings,
    Match,
    NotifySettings,
    RouteSettings,
)
from tests.unit.dispatch.alarms import WALL

ZONE = ZoneInfo("Asia/Shanghai")


def channel(name: str, pace_s: float = 10.0) -> ChannelSettings:
    return ChannelSettings(name, "apprise", "zh", "long", pace_s)


def route(*to: str, **more: object) -> RouteSettings:
    return RouteSettings(Match(), to, escalate=DEFAULT_ESCALATION, **more)  # type: ignore[arg-type]


def settings(*routes: RouteSettings, pace_s: float = 10.0, **more: object) -> NotifySettings:
    names = {
        name for each in routes for name in (*each.to, *each.backup, *(to for step in each.escalate for to in step.to))
    }
    channels = {name: channel(name, pace_s) for name in sorted(names)}
    return NotifySettings(channels, routes, **more)  # type: ignore[arg-type]


@dataclass
class Said:
    """One notice that a channel took."""

    at: int
    channel: str
    id: str
    what: list[tuple[str, What]]
    """Alarm and what was said of it, in the order of the notice."""
    batch: Batch = field(repr=False)


class People:
    """Turns the clock and asks the switchboard as gateway.dispatch.crew does; `answer` is None for taken."""

    def __init__(
        self, chosen: NotifySettings, answer: Callable[[str, int], str | None] = lambda _name, _now: None
    ) -> None:
        self.settings = chosen
        self.answer = answer
        self.now = WALL
        self.said: list[Said] = []
        self.tried: list[tuple[int, str, str]] = []
        self.kept: dict[str, bytes] = {}
        self.loud: list[tuple[str, str]] = []
        self.slow: set[str] = set()
        """Channels that take their time: what they were sent is under way until `land`."""
        self.under_way: dict[str, tuple[str, Batch]] = {}
        self.board = Switchboard(chosen, "depot-07", ZONE)

    def hear(self, *transitions: Transition) -> None:
        for each in transitions:
            self._keep(self.board.plan(each, self.now, self.now))
            self.board.told(each)
            self._go()

    def wait(self, ms: int) -> None:
        """Let time pass, doing whatever falls due."""
        end = self.now + ms
        while True:
            self._go()
            free = [name for name in self.settings.channels if name not in self.under_way]
            times = [self.board.next_at(name, self.now, self.now) for name in free]
            due = min((at for at in times if at is not None), default=end)
            if due >= end:
                break
            self.now = max(due, self.now + 1)
        self.now = end
        self._go()

    def land(self, name: str) -> None:
        """What is under way on a channel arrives."""
        found = self.under_way.pop(name, None)
        if found is not None:
            self._send(name, *found)

    def restart(self) -> None:
        """The gateway ends and comes back with what is on disk."""
        for name in tuple(self.under_way):
            self.land(name)
        self.board = Switchboard(self.settings, "depot-07", ZONE)
        self.board.restore(self.kept, self.now)

    def crash(self) -> None:
        """The gateway dies with what is under way, and comes back with what is on disk."""
        self.under_way.clear()
        self.restart()

    def of(self, channel: str) -> list[tuple[str, What]]:
        return [each for said in self.said if said.channel == channel for each in said.what]

    def _go(self) -> None:
        self._keep(self.board.hand_on(self.now))
        for name in self.settings.channels:
            while name not in self.under_way and (found := self.board.take(name, self.now, self.now)) is not None:
                if name in self.slow:
                    self.under_way[name] = found
                else:
                    self._send(name, *found)

    def _send(self, name: str, id_: str, made: Batch) -> None:
        pace = self.board.paces[name]
        self.tried.append((self.now, name, id_))
        reason = self.answer(name, self.now)
        if reason is None:
            if pace.took(self.now) is not None:
                self.loud.append((name, "recovered"))
            what = [(line.alarm.key, line.what) for line in made.lines]
            self.said.append(Said(self.now, name, id_, what, made))
            self._keep(self.board.sent(made, self.now))
        elif reason == "refused":
            pace.refused(self.now)
            self._keep(self.board.refused(made, self.now))
        else:
            if pace.failed_at(self.now, None):
                self.loud.append((name, "failing"))
            self._keep(self.board.failed(id_, made, self.now)[1])

    def _keep(self, documents: dict[str, bytes | None]) -> None:
        for key, data in documents.items():
            if data is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = data
