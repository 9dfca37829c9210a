"""`silence`: who may, and that what was done stands somewhere even where the disk is too far behind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.control import Peer, Request
from gateway.operators import Operator
from gateway.orders.actor import LocalActors
from gateway.orders.silence import SilenceOrders
from gateway.ports import Refused
from gateway.wire.messages import Command


class Site:
    """A siren, and a disk that takes events or does not."""

    def __init__(self, *, has_room: bool = True, has_siren: bool = True) -> None:
        self.silenced: list[str] = []
        self.events: list[tuple[str, str, Any]] = []
        self.has_room = has_room
        self.pipeline: Any = SimpleNamespace(event=self.event)
        self.silence = self.end if has_siren else None

    async def end(self, by: str) -> None:
        self.silenced.append(by)

    def event(self, device: str, type_: str, data: Any) -> object | None:
        if not self.has_room:
            return None
        self.events.append((device, type_, data))
        return object()

    @property
    def orders(self) -> SilenceOrders:
        return SilenceOrders(self, LocalActors(lambda: None))


COMMAND = Command("c-1", "silence", {"note": "we are here"}, "li", "")


async def test_it_is_on_record_by_whom_and_how() -> None:
    site = Site()
    assert (await site.orders.by_command("_site", COMMAND, Operator("li", "operator", ""))).ok
    assert site.silenced == ["li"]
    assert site.events == [("_site", "silence", {"by": "li", "via": "mqtt", "order": "c-1", "note": "we are here"})]


async def test_what_the_disk_does_not_take_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    site = Site(has_room=False)
    await site.orders.locally(Request("silence", {"by": "li"}, Peer(0, "root")))
    assert site.silenced == ["li (root)"]
    assert "silence_not_recorded by='li (root)' via=local" in caplog.text


async def test_a_viewer_a_stranger_and_a_site_without_a_siren_are_refused() -> None:
    site = Site()
    with pytest.raises(Refused) as refused:
        await site.orders.by_command("_site", COMMAND, Operator("li", "viewer", ""))
    assert refused.value.error == "not_allowed"
    with pytest.raises(Refused) as refused:
        await site.orders.locally(Request("silence", {}, Peer(0, "root")))
    assert refused.value.error == "no_actor"
    with pytest.raises(Refused) as refused:
        await Site(has_siren=False).orders.by_command("_site", COMMAND, Operator("li", "operator", ""))
    assert refused.value.error == "no_annunciator"
    assert site.silenced == []
