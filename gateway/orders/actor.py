"""Who gives an order, and whether that person's role may.

Three roles build on each other: `viewer` looks, `operator` does what the duty room does, `maintainer` also what those
beside the machine do. Any other role may look, and write the points whose `roles` name it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.control import Request
from gateway.model import Text
from gateway.operators import Operators
from gateway.ports import Refused

VIEWER, OPERATOR, MAINTAINER = "viewer", "operator", "maintainer"
ROLES = (VIEWER, OPERATOR, MAINTAINER)

_NO_ACTOR = Text("要写明操作人（--by 姓名）", "say who acts (--by NAME)")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person whose credential was checked, by which way, and the order's own id."""

    name: str
    role: str
    via: str
    order: str


def may(role: str, wanted: str) -> bool:
    """Whether `role` is `wanted` or above it."""
    return (ROLES.index(role) if role in ROLES else 0) >= ROLES.index(wanted)


def refuse_role(actor: Actor, wanted: str) -> None:
    """Refused where the actor's role is below `wanted`."""
    if not may(actor.role, wanted):
        raise Refused(
            "not_allowed",
            Text(
                f"{actor.name} 的角色是 {actor.role}，这项操作要 {wanted}",
                f"{actor.name} has the role {actor.role}; this takes {wanted}",
            ),
        )


class LocalActors:
    """Who acts on this machine. Whoever opens the control socket owns the gateway, so no token is asked for; but a
    person has to be named, by the operators file where there is one, and that person's role counts."""

    def __init__(self, operators_file: Callable[[], Path | None]) -> None:
        self._operators_file = operators_file

    async def of(self, request: Request, order: str) -> Actor:
        """The actor of a request over the control socket; Refused where none is named, or an unknown one."""
        if "by" not in request.args:
            raise Refused("no_actor", _NO_ACTOR)
        name = request.word("by", longest=64)
        if not name.isprintable():
            raise Refused("no_actor", _NO_ACTOR)
        path = self._operators_file()
        if path is None:
            return Actor(f"{name} ({request.peer.name})", MAINTAINER, "local", order)
        person = await Operators(path).find(name)
        if person is None:
            raise Refused(
                "not_allowed",
                Text(f"操作员文件里没有 {name}", f"{name} is not in the operators file"),
            )
        return Actor(person.name, person.role, "local", order)
