"""`set_fact`: what a person says of a device or of the situation, checked by the vocabulary, kept, and told of."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Protocol

from gateway.control import Request
from gateway.model import Text, Value, ValueType
from gateway.operators import Operator
from gateway.orders.actor import MAINTAINER, OPERATOR, Actor, LocalActors, refuse_role
from gateway.orders.arguments import note_of
from gateway.orders.book import Done
from gateway.pipeline import Pipeline
from gateway.ports import Clock, Refused
from gateway.rules.given_facts import GATEWAY, SITE, GivenFact, fact_data, filed, kind_of
from gateway.settings.facts import SITUATION
from gateway.settings.problems import suggest
from gateway.settings.types import SiteSettings, VocabularyFact
from gateway.store import Store
from gateway.wire.messages import Command, Json

LONGEST_TEXT = 200
LARGEST = 1e12

_DONE = Text("已生效", "in force")
_BACK = Text("已恢复为配置文件中的值", "what the file says is in force again")
_NO_RECORD = Text(
    "磁盘来不及记录，未生效，请重试", "the disk is too far behind to record it; nothing was done, try again"
)


class Running(Protocol):
    """gateway.app.Gateway."""

    site: SiteSettings
    store: Store
    clock: Clock
    pipeline: Pipeline


class FactOrders:
    """Sets facts of devices, of `_site` and of `_gateway`."""

    def __init__(self, gateway: Running, actors: LocalActors) -> None:
        self._gateway = gateway
        self._actors = actors

    async def set_by_command(self, device: str, command: Command, operator: Operator) -> Done:
        actor = Actor(operator.name, operator.role, "mqtt", command.id)
        if not isinstance(name := command.args.get("name"), str) or "value" not in command.args:
            raise Refused("bad_request", Text("args 里要有 name 和 value", "`name` and `value` are expected in `args`"))
        value = command.args["value"]
        text, before, after = await self._set(device, name, value, note_of(command.args), actor)
        return Done(True, text, data={"before": before, "after": after})

    async def set_locally(self, request: Request) -> Mapping[str, Json]:
        """Arguments: `device`, `name`, `value` (JSON, null for what the file says), `by`, `note`."""
        actor = await self._actors.of(request, f"local-{secrets.token_hex(6)}")
        if "value" not in request.args:
            raise Refused("bad_request", Text("参数 value 不能少", "`value` is missing"))
        text, before, after = await self._set(
            request.word("device"), request.word("name"), request.args["value"], note_of(request.args), actor
        )
        return {"before": before, "after": after, "text": text.as_dict()}

    async def _set(
        self, device: str, name: str, value: Json, note: str, actor: Actor
    ) -> tuple[Text, Value | None, Value | None]:
        gateway = self._gateway
        fact = find_fact(gateway.site, device, name)
        refuse_role(actor, OPERATOR if name in SITUATION else MAINTAINER)
        given = None if value is None else checked(fact, value)
        before = fact_now(gateway.pipeline, device, name)
        of_file = filed(gateway.site, device, name)
        after = of_file if given is None else given
        held = GivenFact(device, name, after if after is not None else "", actor.name, gateway.clock.wall_ms(), of_file)
        data = fact_data(name, before, after, by=actor.name, via=actor.via, order=actor.order, note=note)
        row = gateway.pipeline.give_fact(held, data, taken_back=given is None)
        if row is None:
            raise Refused("no_record", _NO_RECORD)
        await gateway.store.outbox.committed(row.seq)
        return _BACK if given is None else _DONE, before, after


def find_fact(site: SiteSettings, device: str, name: str) -> VocabularyFact:
    """The vocabulary's word for a fact of a device, `_site` or `_gateway`; Refused where there is none."""
    try:
        known = kind_of(site, device).facts
    except KeyError:
        shown = device[:64]
        raise Refused("no_such_device", Text(f"没有设备 {shown}", f"there is no device {shown}")) from None
    if name not in known:
        hint, shown = suggest(name[:64], known), name[:64]
        zh, en = f"{device} 没有 {shown} 这一项", f"{device} has no fact {shown}"
        text = Text(zh, en) if hint is None else Text(f"{zh}（{hint.zh}）", f"{en} ({hint.en})")
        raise Refused("no_such_fact", text)
    return known[name]


def fact_now(pipeline: Pipeline, device: str, name: str) -> Value | None:
    """A fact as it is in force."""
    for each in pipeline.given_facts:
        if (each.device, each.name) == (device, name):
            return each.value
    if device in (SITE, GATEWAY):
        return filed(pipeline.site, device, name)
    return pipeline.judge.facts(device).get(name)


def checked(fact: VocabularyFact, value: Json) -> Value:
    """`value` as the vocabulary has the fact; Refused (`bad_value`) where it is not so."""
    if fact.type is ValueType.NUMBER:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not -LARGEST <= value <= LARGEST:  # type: ignore[operator]  # NaN is within nothing
            raise _bad(Text("应当是数", "a number is expected"), fact)
        number = float(value)  # type: ignore[arg-type]
        return int(number) if number.is_integer() else number
    if fact.type is ValueType.BOOLEAN:
        if not isinstance(value, bool):
            raise _bad(Text("应当是 true 或 false", "true or false is expected"), fact)
        return value
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or not value.isprintable():
        raise _bad(Text("应当是一行文字", "a line of text is expected"), fact)
    if fact.is_date and not _is_date(value):
        raise _bad(Text("应当是日期，如 2026-05-01", "a date such as 2026-05-01 is expected"), fact)
    if fact.words and value not in fact.words:
        words = ", ".join(fact.words)
        raise _bad(Text(f"应当是 {words} 之一", f"one of {words} is expected"), fact)
    return value


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _bad(text: Text, fact: VocabularyFact) -> Refused:
    return Refused("bad_value", Text(f"{fact.name}（{fact.label.zh}）{text.zh}", f"{fact.name}: {text.en}"))
