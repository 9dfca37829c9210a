"""`explain` over the control socket: why a rule says what it says now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gateway.control import Request
from gateway.flow.snapshot import Snapshot
from gateway.model import Text
from gateway.pipeline import Pipeline
from gateway.ports import Clock, Refused
from gateway.rules.explain import explain, rules_of
from gateway.rules.explanation import as_json
from gateway.settings.problems import suggest
from gateway.wire.messages import Json


class Explained(Protocol):
    """gateway.app.Gateway."""

    clock: Clock
    pipeline: Pipeline
    snapshot: Snapshot


class Explaining:
    """Answers `explain`."""

    def __init__(self, gateway: Explained) -> None:
        self._gateway = gateway

    async def answer(self, request: Request) -> Mapping[str, Json]:
        """Arguments: `device` (or `_gateway`) and `rule`; without `rule` every rule of the device."""
        device = request.word("device")
        wanted = request.word("rule") if "rule" in request.args else None
        judge, clock = self._gateway.pipeline.judge, self._gateway.clock
        try:
            known = rules_of(judge, device)
        except KeyError:
            raise Refused("no_such_device", Text(f"没有设备 {device}", f"there is no device {device}")) from None
        now, ts = clock.monotonic(), clock.wall_ms()
        told: list[Json] = []
        for rule in known if wanted is None else (wanted,):
            try:
                told.append(as_json(explain(judge, self._gateway.snapshot, device, rule, now, ts)))
            except KeyError:
                raise _no_such_rule(device, rule, known) from None
        return {"device": device, "rules": told}


def _no_such_rule(device: str, rule: str, known: tuple[str, ...]) -> Refused:
    hint = suggest(rule, known)
    zh, en = f"{device} 没有规则 {rule}", f"{device} has no rule {rule}"
    return Refused("no_such_rule", Text(zh, en) if hint is None else Text(f"{zh}（{hint.zh}）", f"{en} ({hint.en})"))
