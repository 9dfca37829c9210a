"""What commissioning asks of a running gateway over the control socket: recordings, and loop checks to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gateway.control import Registry, Request
from gateway.installing.capture_request import RECORD_S, answer_record
from gateway.model import Text
from gateway.orders.hands import SiteHands
from gateway.orders.reading import device_of
from gateway.ports import Refused
from gateway.wire.messages import Json

LOOP_CHECK = "loop_check"
_NO_DATA = Text("没有核对结果", "there is no result to keep")
_NOT_KEPT = Text("磁盘写不下，核对结果没有保存", "the disk is behind; the result was not kept")


def register_commissioning(registry: Registry, hands: SiteHands) -> None:
    """Both requests, answered over `hands`."""
    registry.register("record", partial(answer_record, hands), ("device",), answer_s=RECORD_S)
    registry.register(LOOP_CHECK, partial(_keep_loop_check, hands), ("device", "by", "data"))


async def _keep_loop_check(hands: SiteHands, request: Request) -> Mapping[str, Json]:
    """An event of the device, on disk when this returns. Arguments: `device`, `by`, `data`."""
    device, by, data = device_of(hands.site.devices, request), request.word("by"), request.args.get("data")
    if not isinstance(data, Mapping):
        raise Refused("bad_request", _NO_DATA)
    if not await hands.record(device.id, LOOP_CHECK, {**data, "by": by, "user": request.peer.name}):
        raise Refused("not_kept", _NOT_KEPT)
    return {"kept": True}
