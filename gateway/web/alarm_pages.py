"""The pages of alarms, and what people do there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.model import AlarmState, Text
from gateway.ports import AlarmOrder, Refused
from gateway.web.access import Person
from gateway.web.alarm_showing import alarm_shown, board_shown, step_shown
from gateway.web.alarm_words import ALARM_WORDS
from gateway.web.gate import acting
from gateway.web.login import inside
from gateway.web.page import Pages
from gateway.web.showing import Showing
from gateway.web.why import explanation_of, why_shown
from gateway.wire import topics

#: Which role each act asks for; the desk of alarms has the last word.
ACTS = {
    "ack": "operator",
    "reset": "operator",
    "shelve": "operator",
    "unshelve": "operator",
    "out_of_service": "maintainer",
    "return": "maintainer",
}
#: For how long a shelf may be asked for, in minutes.
SHELVES = (15, 30, 60, 120, 240, 480)
MAX_NOTE = 500
MAX_WORK_ORDER = 100
_NO_NUMBER = Text("请选择搁置多久", "choose for how long to shelve it")


class AlarmPages:
    """The list of alarms, one alarm with what explains it, and the forms that act on it."""

    def __init__(self, showing: Showing, pages: Pages) -> None:
        self._showing = showing
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/alarms", self.all),
            Route("/alarm/{device}/{rule}", self.one),
            *(
                Route(
                    f"/alarm/{{device}}/{{rule}}/{act}",
                    acting(role, partial(self.act, act), partial(self.deny, role)),
                    methods=["POST"],
                )
                for act, role in ACTS.items()
            ),
            Route("/silence", acting("operator", self.silence, partial(self.deny, "operator")), methods=["POST"]),
        ]

    async def all(self, request: Request) -> Response:
        return self._list(request)

    async def one(self, request: Request) -> Response:
        return await self._one(request, request.path_params["device"], request.path_params["rule"])

    async def act(self, act: str, request: Request, person: Person, fields: Mapping[str, str]) -> Response:
        """Do it, and go back to where the form stood; a refusal is shown with its reason."""
        device, rule = request.path_params["device"], request.path_params["rule"]
        minutes = fields.get("minutes", "")
        order = AlarmOrder(
            act,
            device,
            rule,
            by=person.name,
            role=person.role,
            note=fields.get("note", "").strip()[:MAX_NOTE],
            for_s=int(minutes) * 60.0 if minutes in map(str, SHELVES) else None,
            work_order=fields.get("work_order", "").strip()[:MAX_WORK_ORDER],
        )
        try:
            if act == "shelve" and order.for_s is None:
                raise Refused("bad_request", _NO_NUMBER)
            await self._showing.view.alarms.order(order)
        except Refused as refused:
            return await self._one(request, device, rule, refusal=refused.text, status=409)
        return RedirectResponse(inside(fields.get("next") or f"/alarm/{device}/{rule}"), 303)

    async def silence(self, request: Request, person: Person, fields: Mapping[str, str]) -> Response:
        """End the siren; the alarms stay as they are."""
        silence = self._showing.view.silence
        if silence is None:
            return self._pages.missing(request)
        try:
            await silence(person.name)
        except Refused as refused:
            return self._list(request, refusal=refused.text, status=409)
        self._showing.view.tell(topics.SITE, "silence", {"by": person.name, "via": "page"})
        return RedirectResponse(inside(fields.get("next", "/alarms")), 303)

    def deny(self, role: str, request: Request, why: str) -> Response:
        """No, in words: who has not logged in is led there."""
        back = inside(request.url.path.rpartition("/")[0] or "/alarms")
        if why == "login":
            return RedirectResponse(f"/login?next={quote(back)}", 303)
        language = self._pages.language(request)
        text = ALARM_WORDS[f"{why}_refused"][language]
        needed = {"role": role} if why == "role" else {}
        return self._pages.render("refused.html", request, status=403, why=text, back=back, **needed)

    def _list(self, request: Request, refusal: Text | None = None, status: int = 200) -> Response:
        language = self._pages.language(request)
        return self._pages.render(
            "alarms.html",
            request,
            status=status,
            back="/alarms",
            board=board_shown(self._showing, language),
            has_siren=self._showing.view.silence is not None,
            refusal=refusal[language] if refusal else "",
        )

    async def _one(
        self, request: Request, device: str, rule: str, *, refusal: Text | None = None, status: int = 200
    ) -> Response:
        language = self._pages.language(request)
        told = explanation_of(self._showing, device, rule)
        found = self._find(device, rule)
        if told is None and found is None:
            return self._pages.missing(request)
        steps = await self._showing.view.history(device, rule)
        return self._pages.render(
            "alarm.html",
            request,
            status=status,
            back=f"/alarm/{device}/{rule}",
            device=device,
            rule=rule,
            place=self._showing.place(device, language),
            is_device=device in self._showing.devices,
            alarm=alarm_shown(self._showing, found, language) if found is not None else None,
            explained=why_shown(self._showing, told, language) if told is not None else None,
            steps=[step_shown(self._showing, each, language) for each in steps],
            shelves=SHELVES,
            refusal=refusal[language] if refusal else "",
        )

    def _find(self, device: str, rule: str) -> AlarmState | None:
        return next((each for each in self._showing.alarms if (each.device, each.rule) == (device, rule)), None)
