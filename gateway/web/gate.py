"""Stands before the routes: who is asking, and whether they may."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.web.access import COOKIE, Access, Person

log = logging.getLogger(__name__)

#: What can be asked for before logging in; commands bring a credential of their own.
PUBLIC = ("/login", "/static/", "/api/cmd/")
#: Asked for by programs, which cannot follow a redirection to a form.
MACHINES = ("/api/", "/metrics", "/live", "/trend/")
MAX_FIELDS = 20

Act: TypeAlias = Callable[[Request, Person, Mapping[str, str]], Awaitable[Response]]
"""Does something in somebody's name with the fields of a form."""
Deny: TypeAlias = Callable[[Request, str], Response]
"""Says no in words: `login` (nobody asked), `form` (no form of this session), `role` (not this person's to do)."""


class Gate:
    """Puts the person into `request.state.person` (None: nobody); keeps strangers out where reading needs a login."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        person = await self._access.person(request.cookies.get(COOKIE))
        request.state.person = person
        path = request.url.path
        if person is None and self._access.is_needed and not path.startswith(PUBLIC):
            await _refuse(path)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _refuse(path: str) -> Response:
    if path.startswith(MACHINES):
        return PlainTextResponse("Unauthorized", 401)
    return RedirectResponse(f"/login?next={quote(path)}", 303)


def acting(role: str, act: Act, deny: Deny) -> Callable[[Request], Awaitable[Response]]:
    """A route that changes something: only from a form of this page, by somebody who has at least `role`."""

    async def answer(request: Request) -> Response:
        person: Person | None = request.state.person
        if person is None:
            return deny(request, "login")
        fields = await form(request)
        is_ours = fields is not None and is_same_origin(request) and person.sent(fields.get("csrf", ""))
        if fields is None or not is_ours or not person.may(role):
            facts = (request.url.path, person.name, person.role, is_ours)
            log.warning("action_refused path=%r by=%s role=%s ours=%s", *facts)
            return deny(request, "role" if is_ours else "form")
        return await act(request, person, fields)

    return answer


async def form(request: Request) -> Mapping[str, str] | None:
    """The fields of a form as browsers send it, None for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        return None
    return dict(pairs)


def is_same_origin(request: Request) -> bool:
    """Whether a browser says that a page of ours sent this; a client that says nothing is no browser."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
