"""The demo's centre: a local history instead of InfluxDB, and the books of what arrived."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from gateway.ports import Fact
from gateway.store import History
from gateway.wire import topics

REMEMBERED = 50_000
_NO_SAMPLES = ("readiness", "alarm", "event", "quality")


class HistorySink:
    """Takes the facts of ingest into a local history; `samples` counts point samples of devices, each once."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._seen: OrderedDict[tuple[object, ...], None] = OrderedDict()
        self.samples = 0

    async def write(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            device = dict(fact.tags).get("device")
            kind = fact.measurement
            if device is None or device in (topics.GATEWAY, topics.SITE) or kind in _NO_SAMPLES:
                continue
            if self._is_repeat(fact):
                continue
            if kind != "point_quality":
                self.samples += len(fact.fields)
                self._history.record(device, fact.ts, dict(fact.fields), {})
            elif str(fact.fields["status"]).startswith("Bad"):
                self.samples += 1
                status = str(fact.fields["status"])
                self._history.record(device, fact.ts, {}, {dict(fact.tags)["point"]: status})

    async def close(self) -> None:
        await self._history.flush()

    def _is_repeat(self, fact: Fact) -> bool:
        key = (fact.measurement, fact.tags, fact.ts)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return False
