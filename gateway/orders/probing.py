"""`probe` over the control socket: one question to one unit of a line, between polls; it only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.control import Request
from gateway.model import Answer, Fault, FaultKind, Text
from gateway.orders.hands import SiteHands
from gateway.ports import Refused
from gateway.wire.messages import Json

#: The longest wait for a unit that rests after it did not answer.
LONGEST_REST_S = 10.0
KEYS = ("line", "unit", "table", "first", "count", "timeout_ms")


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: data, the code of an exception, or nothing; `noise` where something came that was no frame,
    `down` says why the line cannot be used."""

    data: bytes | None = None
    code: int | None = None
    noise: bool = False
    down: str | None = None

    @property
    def is_there(self) -> bool:
        """A unit answered, be it with no. Gateways say 10 and 11 for units that did not."""
        return self.data is not None or (self.code is not None and self.code not in (10, 11))

    def as_result(self) -> dict[str, Json]:
        """For the control socket."""
        data = None if self.data is None else self.data.hex()
        return {"data": data, "code": self.code, "noise": self.noise, "down": self.down}

    @classmethod
    def of_result(cls, result: Mapping[str, object]) -> Heard:
        """The same at the other end."""
        data, code, down = result.get("data"), result.get("code"), result.get("down")
        return cls(
            bytes.fromhex(data) if isinstance(data, str) else None,
            code if isinstance(code, int) else None,
            result.get("noise") is True,
            down if isinstance(down, str) else None,
        )


def heard(outcome: Answer | Fault) -> Heard:
    """The outcome of a job."""
    if isinstance(outcome, Answer):
        return Heard(outcome.data)
    if outcome.kind is FaultKind.REFUSED:
        return Heard(code=outcome.code)
    if outcome.kind is FaultKind.DOWN:
        return Heard(down=outcome.detail)
    return Heard(noise=outcome.kind is FaultKind.FRAME)


class Probing:
    """Answers `probe`."""

    def __init__(self, hands: SiteHands) -> None:
        self._hands = hands

    async def answer(self, request: Request) -> Mapping[str, Json]:
        """Arguments: `line`, `unit`, `table`, `first`, `count`, `timeout_ms`."""
        name = request.word("line")
        line = next((each for each in self._hands.site.lines if each.id == name), None)
        if line is None:
            raise Refused("no_such_line", Text(f"没有线路 {name}", f"there is no line {name}"))
        unit, timeout_s = request.whole("unit", 0, 255), request.whole("timeout_ms", 10, 5000) / 1000
        table, first, count = request.word("table"), request.whole("first", 0, 65535), request.whole("count", 1, 2000)
        try:
            job = self._hands.make_probe(line, table, first, count, unit, timeout_s)
        except ValueError as error:
            raise Refused("bad_request", Text("不能这样问", "this cannot be asked")) from error
        await self._hands.rest(line.id, unit, LONGEST_REST_S)
        return heard(await self._hands.ask(line.id, job)).as_result()
