"""`silence`: end the siren; the alarms stand as they did."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias

from gateway.control import Request
from gateway.model import Text
from gateway.operators import Operator
from gateway.orders.actor import OPERATOR, Actor, LocalActors, refuse_role
from gateway.orders.arguments import note_of
from gateway.orders.book import Done
from gateway.pipeline import Pipeline
from gateway.ports import Refused
from gateway.wire import topics
from gateway.wire.messages import Command, Json

Silence: TypeAlias = Callable[[str], Awaitable[None]]
"""Who asks for it; Refused."""

log = logging.getLogger(__name__)

_NONE = Text("本站没有警报器", "this site has no annunciator")
_DONE = Text("已消音", "silenced")


class Running(Protocol):
    """gateway.app.Gateway."""

    pipeline: Pipeline

    @property
    def silence(self) -> Silence | None:
        """Ends the siren; None where there is none."""
        ...


class SilenceOrders:
    """Silences the annunciator of the site, whichever device the order names."""

    def __init__(self, gateway: Running, actors: LocalActors) -> None:
        self._gateway = gateway
        self._actors = actors

    async def by_command(self, _device: str, command: Command, operator: Operator) -> Done:
        await self._silence(Actor(operator.name, operator.role, "mqtt", command.id), note_of(command.args))
        return Done(True, _DONE)

    async def locally(self, request: Request) -> Mapping[str, Json]:
        """Arguments: `by`, `note`."""
        actor = await self._actors.of(request, f"local-{secrets.token_hex(6)}")
        await self._silence(actor, note_of(request.args))
        return {"text": _DONE.as_dict()}

    async def _silence(self, actor: Actor, note: str) -> None:
        refuse_role(actor, OPERATOR)
        silence = self._gateway.silence
        if silence is None:
            raise Refused("no_annunciator", _NONE)
        await silence(actor.name)
        data: dict[str, Json] = {"by": actor.name, "via": actor.via, "order": actor.order, "note": note}
        if self._gateway.pipeline.event(topics.SITE, "silence", data) is None:
            log.error("silence_not_recorded by=%r via=%s", actor.name, actor.via)
