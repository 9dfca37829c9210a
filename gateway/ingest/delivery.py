"""Getting a batch into a database that says `no` to all of it when it means a few points.

An error names one reason and not the point, and the good ones of the batch may be stored already; so a refused batch is
halved until single points stand alone. Writing a point twice changes nothing, which makes that safe.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from gateway.errors import SinkMisconfigured, SinkRejected, SinkUnavailable
from gateway.ingest.answers import Meaning, Verdict
from gateway.ports import Fact
from gateway.wire.line_protocol import encode

Post = Callable[[bytes, int], Awaitable[Verdict]]
"""Sends a body of so many lines and gives what the answer means."""

#: No body is made larger than this, whatever the server would take.
MAX_BODY_BYTES = 8_000_000
MIN_BODY_BYTES = 1_000


class Delivery:
    """Delivers batches of lines through `post`; remembers the largest body the server would take."""

    def __init__(self, post: Post, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._post = post
        self._max_body_bytes = max_body_bytes

    async def deliver(self, facts: Sequence[Fact]) -> None:
        """Store all facts; SinkRejected with the database's reason for each bad one after the others are stored,
        SinkUnavailable (or SinkMisconfigured) where nothing may be assumed."""
        lines: list[bytes] = []
        places: list[int] = []
        rejected: dict[int, str] = {}
        for place, fact in enumerate(facts):
            try:
                line = encode(fact)
            except ValueError as error:
                rejected[place] = str(error)
                continue
            if line:
                lines.append(line)
                places.append(place)
        refused = await self._deliver_lines(lines)
        rejected.update((places[number], reason) for number, reason in refused.items())
        if rejected:
            raise SinkRejected(rejected)

    async def _deliver_lines(self, lines: Sequence[bytes]) -> dict[int, str]:
        """The reasons of the lines that were refused, by their number."""
        rejected: dict[int, str] = {}
        parts = [(0, len(lines))] if lines else []
        while parts:
            first, end = parts.pop()
            body = b"\n".join(lines[first:end])
            count = end - first
            if count > 1 and len(body) > self._max_body_bytes:
                parts += _halves(first, end)
                continue
            verdict = await self._post(body, count)
            match verdict.meaning:
                case Meaning.STORED:
                    pass
                case Meaning.REFUSED_ALL:
                    rejected.update(dict.fromkeys(range(first, end), verdict.reason))
                case Meaning.REFUSED | Meaning.TOO_LARGE if count == 1:
                    rejected[first] = verdict.reason
                case Meaning.REFUSED:
                    parts += _halves(first, end)
                case Meaning.TOO_LARGE:
                    self._max_body_bytes = max(MIN_BODY_BYTES, len(body) // 2)
                    parts += _halves(first, end)
                case Meaning.TRY_LATER:
                    raise SinkUnavailable(verdict.reason, verdict.after_s)
                case Meaning.MISCONFIGURED | Meaning.NO_DATABASE:
                    raise SinkMisconfigured(verdict.reason, verdict.after_s)
        return rejected


def _halves(first: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The later half first: a stack then takes them in order."""
    middle = (first + end) // 2
    return (middle, end), (first, middle)
