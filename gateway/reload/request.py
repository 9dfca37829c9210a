"""`reload` over the control socket: what is asked, and how an outcome is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.control import Refused, Request
from gateway.errors import ConfigError
from gateway.model import Text
from gateway.reload.reloading import Outcome, Reloading
from gateway.wire.messages import Json

OTHER_FILE = "other_file"


@dataclass(frozen=True, slots=True)
class Told:
    """What a command learns of a reload: `problems` where the file was refused."""

    problems: tuple[str, ...] = ()
    kept: bool = False
    lost: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def as_result(self) -> dict[str, Json]:
        lists = ("problems", "lost", "added", "removed", "changed")
        return {"kept": self.kept, **{name: list(getattr(self, name)) for name in lists}}

    @classmethod
    def of_result(cls, result: Mapping[str, object]) -> Told:
        """The same at the other end; what is missing is empty."""

        def words(name: str) -> tuple[str, ...]:
            found = result.get(name)
            return tuple(map(str, found)) if isinstance(found, list) else ()

        return cls(
            words("problems"), result.get("kept") is True, words("lost"), words("added"), words("removed"),
            words("changed"),
        )  # fmt: skip


async def answer_reload(reloading: Reloading, request: Request) -> dict[str, Json]:
    """Arguments: `file` (must be the one this gateway runs), `language`, `keep`."""
    file, running = request.word("file", longest=4096), str(reloading.source)
    if file != running:
        raise Refused(
            OTHER_FILE, Text(f"运行中的网关用的是 {running}", f"the running gateway uses another file: {running}")
        )
    try:
        outcome = await reloading.reload(keep=request.args.get("keep") is True, language=request.word("language"))
    except ConfigError as error:
        return Told(problems=tuple(map(str, error.problems))).as_result()
    return _told(outcome).as_result()


def _told(outcome: Outcome) -> Told:
    changes = outcome.difference
    return Told(
        kept=outcome.kept,
        lost=outcome.lost,
        added=changes.added,
        removed=changes.removed,
        changed=changes.changed,
    )
