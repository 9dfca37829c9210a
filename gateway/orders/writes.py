"""`arm` and `write`, by MQTT from an operator and over the control socket from somebody on the machine."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from gateway.control import Request
from gateway.model import Text, Value
from gateway.operators import Operator
from gateway.orders.book import Done
from gateway.ports import Refused
from gateway.wire.messages import Command, Json
from gateway.writing import Order, Writing, value_of_json, value_of_text
from gateway.writing.arms import ARMED_S

_ARMED = Text(f"已预备，{ARMED_S:g} 秒内写入", f"armed; write within {ARMED_S:g} s")


class WriteOrders:
    """Orders of both ways to `writing`."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    async def arm_by_command(self, device: str, command: Command, operator: Operator) -> Done:
        token, before = await self._writing.arm(self._of_command(device, command, operator))
        return Done(True, _ARMED, data={"arm": token, "before": before})

    async def write_by_command(self, device: str, command: Command, operator: Operator) -> Done:
        outcome = await self._writing.write(self._of_command(device, command, operator))
        data: dict[str, Json] = {"before": outcome.before, "after": outcome.after}
        return Done(outcome.is_done, outcome.text, None if outcome.is_done else outcome.word, data)

    async def arm_locally(self, request: Request) -> Mapping[str, Json]:
        token, before = await self._writing.arm(self._of_request(request))
        return {"arm": token, "before": before, "text": _ARMED.as_dict()}

    async def write_locally(self, request: Request) -> Mapping[str, Json]:
        outcome = await self._writing.write(self._of_request(request))
        return {
            "result": outcome.word,
            "before": outcome.before,
            "after": outcome.after,
            "text": outcome.text.as_dict(),
        }

    def _of_command(self, device: str, command: Command, operator: Operator) -> Order:
        point, token = command.args.get("point"), command.args.get("arm")
        if not isinstance(point, str) or not isinstance(token, (str, type(None))) or "value" not in command.args:
            raise Refused(
                "bad_request", Text("args 里要有 point 和 value", "`point` and `value` are expected in `args`")
            )
        value = value_of_json(self._writing.find(device, point)[1], command.args["value"])
        return Order(device, point, value, operator.name, operator.role, "mqtt", command.id, token)

    def _of_request(self, request: Request) -> Order:
        device, point = request.word("device"), request.word("point")
        value: Value = value_of_text(self._writing.find(device, point)[1], request.word("value"))
        by = request.word("by", longest=64) if "by" in request.args else request.peer.name
        named = by if by == request.peer.name else f"{by} ({request.peer.name})"
        token = request.word("arm") if "arm" in request.args else None
        return Order(device, point, value, named, None, "local", f"local-{secrets.token_hex(6)}", token)
