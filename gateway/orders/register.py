"""Puts everything that people may ask where it is asked: names on the control socket, commands of MQTT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gateway.control import Registry, Request
from gateway.flow.snapshot import Snapshot
from gateway.orders.actor import LocalActors
from gateway.orders.alarms import KEYS, LOCAL_KEYS, ROLES, AlarmOrders
from gateway.orders.book import CommandBook
from gateway.orders.explaining import Explaining
from gateway.orders.facts import FactOrders
from gateway.orders.hands import Running, SiteHands
from gateway.orders.probing import KEYS as PROBE_KEYS
from gateway.orders.probing import Probing
from gateway.orders.reading import device_of, read_rows
from gateway.orders.silence import Silence, SilenceOrders
from gateway.orders.writes import WriteOrders
from gateway.wire.messages import Json
from gateway.writing import Writing

#: A write waits for a late unit and reads back several times.
WRITE_S = 60.0


class Asked(Running, Protocol):
    """gateway.app.Gateway."""

    snapshot: Snapshot
    silence: Silence | None


def register_orders(gateway: Asked, hands: SiteHands, registry: Registry, book: CommandBook) -> Writing:
    """Register everything; gives the writing, to be closed before the lines are."""
    writing = Writing(hands, gateway.clock)
    orders = WriteOrders(writing)
    actors = LocalActors(lambda: gateway.site.operators_file)
    facts, alarms, silence = FactOrders(gateway, actors), AlarmOrders(gateway, actors), SilenceOrders(gateway, actors)

    async def read(request: Request) -> Mapping[str, Json]:
        device = device_of(gateway.site.devices, request)
        now = gateway.clock.monotonic()
        return read_rows(device, gateway.snapshot.latest(device.id, now), request.words("points"), now)

    registry.register("read", read, ("device", "points"))
    registry.register("probe", Probing(hands).answer, PROBE_KEYS)
    registry.register("arm", orders.arm_locally, ("device", "point", "value", "by"))
    registry.register("write", orders.write_locally, ("device", "point", "value", "by", "arm"), answer_s=WRITE_S)
    registry.register("explain", Explaining(gateway).answer, ("device", "rule"))
    registry.register("set_fact", facts.set_locally, ("device", "name", "value", "by", "note"))
    registry.register("alarms", alarms.listed, ("all", "from"))
    registry.register("alarm_figures", alarms.figured, ())
    registry.register("alarm_order", alarms.locally, LOCAL_KEYS)
    registry.register("silence", silence.locally, ("by", "note"))
    book.register("silence", silence.by_command, ("note",))
    for act in ROLES:
        book.register(act, alarms.by_command(act), KEYS[act])
    book.register("set_fact", facts.set_by_command, ("name", "value", "note"))
    book.register("arm", orders.arm_by_command, ("point", "value"))
    book.register("write", orders.write_by_command, ("point", "value", "arm"))
    return writing
