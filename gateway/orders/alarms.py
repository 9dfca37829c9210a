"""Orders about alarms, by MQTT from an operator and over the control socket: acknowledge, reset, shelve, take out of
service. What an alarm allows is the alarm's own business; who may is decided here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from gateway.alarms.keeping import state_json
from gateway.control import Request, refuse_unknown
from gateway.model import AlarmCondition, AlarmState, Suppression, Text
from gateway.operators import Operator
from gateway.orders.actor import MAINTAINER, OPERATOR, Actor, LocalActors, refuse_role
from gateway.orders.arguments import length_of, note_of, rule_of, work_order_of
from gateway.orders.book import Do, Done
from gateway.pipeline import Pipeline
from gateway.ports import AlarmOrder, Clock, Refused
from gateway.wire.messages import Command, Json
from gateway.wire.topics import GATEWAY, SITE

#: What may be done to an alarm, and the role it takes.
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "ack": OPERATOR,
        "reset": OPERATOR,
        "shelve": OPERATOR,
        "unshelve": OPERATOR,
        "out_of_service": MAINTAINER,
        "return": MAINTAINER,
    }
)
#: What may stand in `args` of each.
KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(ROLES, ("rule", "note")),
        "shelve": ("rule", "for", "note"),
        "out_of_service": ("rule", "order", "note"),
    }
)
#: What may stand in `args` over the control socket, whatever the act; of the words each takes its own.
_WHO_AND_WHAT = ("act", "device", "by")
LOCAL_KEYS = (*_WHO_AND_WHAT, "rule", "for", "order", "note")
#: Alarms in one answer over the control socket, whose answers are bounded.
AT_ONCE = 100


class Running(Protocol):
    """gateway.app.Gateway."""

    clock: Clock
    pipeline: Pipeline


class AlarmOrders:
    """Lists alarms and carries out what people ask of them."""

    def __init__(self, gateway: Running, actors: LocalActors) -> None:
        self._gateway = gateway
        self._actors = actors

    def by_command(self, act: str) -> Do:
        """What carries the MQTT command `act` out."""

        async def do(device: str, command: Command, operator: Operator) -> Done:
            actor = Actor(operator.name, operator.role, "mqtt", command.id)
            state = await self._order(act, device, command.args, actor)
            return Done(True, said(act, state), data=state_told(state))

        return do

    async def locally(self, request: Request) -> Mapping[str, Json]:
        """Arguments: `act`, `device`, `rule`, `by`, `note`, `for`, `order`."""
        act = request.word("act")
        refuse_unknown(request.args, (*_WHO_AND_WHAT, *KEYS.get(act, LOCAL_KEYS)))
        actor = await self._actors.of(request, f"local-{secrets.token_hex(6)}")
        state = await self._order(act, request.word("device"), request.args, actor)
        return {**state_told(state), "text": said(act, state).as_dict()}

    async def listed(self, request: Request) -> Mapping[str, Json]:
        """Arguments: `all` (those that are NORMAL too), `from` (how many to pass over). The worst first; `total` says
        how many there are."""
        desk = self._gateway.pipeline.alarms
        found = list(desk.alarms())
        if request.args.get("all") is True:
            shown = {each.key for each in found}
            found += sorted((each for each in desk.known if each.key not in shown), key=lambda each: each.key)
        begin = request.whole("from", 0, 10_000_000) if "from" in request.args else 0
        page: list[Json] = [state_told(each) for each in found[begin : begin + AT_ONCE]]
        return {"ts": self._gateway.clock.wall_ms(), "total": len(found), "alarms": page}

    async def figured(self, _request: Request) -> Mapping[str, Json]:
        """No arguments. How well the alarms serve people: the gateway's own figures, and the alarms behind them."""
        desk, now = self._gateway.pipeline.alarms, self._gateway.clock.wall_ms()
        return {
            "ts": now,
            "figures": dict[str, Json](desk.figures()),
            "frequent": [{"alarm": key, "times": times} for key, times in desk.metrics.worst(now)],
            "chattering": [{"alarm": key, "off_s": off_s} for key, off_s in desk.metrics.chattering(now)],
            "fleeting": [{"alarm": key, "times": times} for key, times in desk.metrics.fleeting(now)],
        }

    async def _order(self, act: str, device: str, args: Mapping[str, Json], actor: Actor) -> AlarmState:
        refuse_role(actor, ROLES.get(act, OPERATOR))
        self._refuse_unknown(device)
        order = AlarmOrder(
            act=act,
            device=device,
            rule=rule_of(args),
            by=actor.name,
            role=actor.role,
            note=note_of(args),
            for_s=length_of(args),
            work_order=work_order_of(args),
        )
        return await self._gateway.pipeline.alarms.order(order)

    def _refuse_unknown(self, device: str) -> None:
        known = {each.id for each in self._gateway.pipeline.site.devices}
        if device not in known | {SITE, GATEWAY}:
            shown = device[:64]
            raise Refused("no_such_device", Text(f"没有设备 {shown}", f"there is no device {shown}"))


def state_told(state: AlarmState) -> dict[str, Json]:
    """An alarm as JSON, for programs; times in UTC ms."""
    return {**state_json(state), "action": state.action.as_dict(), "role": state.role}


def said(act: str, state: AlarmState) -> Text:
    """What came of it, for people."""
    if act == "ack" and not state.condition.is_acked:
        left = state.acks_needed - len(state.acks)
        return Text(f"已确认，还须 {left} 人确认", f"acknowledged; more people needed: {left}")
    if act == "shelve" and state.suppression is not Suppression.SHELVED and state.shelved_until is None:
        return Text("已记录，还须另一人同意", "noted; another person has to agree")
    return _SAID[act] if state.condition is not AlarmCondition.NORMAL or act != "ack" else _ENDED


_ENDED = Text("已确认，告警结束", "acknowledged; the alarm has ended")
_SAID: Mapping[str, Text] = MappingProxyType(
    {
        "ack": Text("已确认", "acknowledged"),
        "reset": Text("已复位", "reset"),
        "shelve": Text("已搁置", "shelved"),
        "unshelve": Text("已取消搁置", "no longer shelved"),
        "out_of_service": Text("已停用", "taken out of service"),
        "return": Text("已恢复使用", "back in service"),
    }
)
