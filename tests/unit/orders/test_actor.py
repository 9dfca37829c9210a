"""Who acts: named, known to the operators file where there is one, and of a role that may."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.control import Peer, Request
from gateway.orders.actor import MAINTAINER, OPERATOR, VIEWER, Actor, LocalActors, may, refuse_role
from gateway.ports import Refused
from gateway.wire.messages import Json
from tests.unit.orders.test_book import HASH

ROOT = Peer(0, "root")


def request(**args: Json) -> Request:
    return Request("alarm_order", args, ROOT)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("visitor", {VIEWER}),
        ("duty", {VIEWER}),
        (VIEWER, {VIEWER}),
        (OPERATOR, {VIEWER, OPERATOR}),
        (MAINTAINER, {VIEWER, OPERATOR, MAINTAINER}),
    ],
)
def test_roles_build_on_each_other_and_other_words_only_look(role: str, allowed: set[str]) -> None:
    assert {wanted for wanted in (VIEWER, OPERATOR, MAINTAINER) if may(role, wanted)} == allowed


def test_a_role_below_is_refused_with_what_it_takes() -> None:
    with pytest.raises(Refused) as refused:
        refuse_role(Actor("li", OPERATOR, "mqtt", "c-1"), MAINTAINER)
    assert refused.value.error == "not_allowed"
    assert "maintainer" in refused.value.text.zh


async def test_without_a_file_the_name_stands_beside_the_account() -> None:
    actor = await LocalActors(lambda: None).of(request(by="li"), "local-1")
    assert actor == Actor("li (root)", MAINTAINER, "local", "local-1")


async def test_with_a_file_only_its_names_act_and_with_their_roles(tmp_path: Path) -> None:
    file = tmp_path / "operators"
    file.write_text(f"li operator {HASH}\n", encoding="utf-8")
    actors = LocalActors(lambda: file)
    assert (await actors.of(request(by="li"), "local-1")).role == OPERATOR
    with pytest.raises(Refused) as refused:
        await actors.of(request(by="wang"), "local-2")
    assert refused.value.error == "not_allowed"


@pytest.mark.parametrize("args", [{}, {"by": ""}, {"by": 7}, {"by": "a" * 65}, {"by": "a\x1b[2J"}])
async def test_nobody_acts_unnamed(args: dict[str, Json]) -> None:
    with pytest.raises(Refused):
        await LocalActors(lambda: None).of(Request("alarm_order", args, ROOT), "local-1")
