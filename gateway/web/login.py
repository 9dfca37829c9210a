"""Logging in and out."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.web.access import COOKIE, Access, Busy, Person
from gateway.web.gate import acting, form, is_same_origin
from gateway.web.page import Pages
from gateway.web.words import WORDS


class Login:
    """The form and what it leads to."""

    def __init__(self, pages: Pages, access: Access) -> None:
        self._pages = pages
        self._access = access

    def routes(self) -> list[Route]:
        return [
            Route("/login", self.show),
            Route("/login", self.enter, methods=["POST"]),
            Route("/logout", acting("viewer", self.leave, _deny), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        if not self._access.is_possible:
            return self._pages.missing(request)
        return self._form(request, request.query_params.get("next", "/"))

    async def enter(self, request: Request) -> Response:
        fields = await form(request)
        if not self._access.is_possible:
            return self._pages.missing(request)
        if fields is None or not is_same_origin(request):
            return PlainTextResponse("Forbidden", 403)
        name, onward = fields.get("name", ""), fields.get("next", "/")
        client = request.client.host if request.client else ""
        try:
            cookie = await self._access.log_in(name, fields.get("password", ""), client)
        except Busy as busy:
            answer = self._form(request, onward, "wait", status=429)
            answer.headers["retry-after"] = str(ceil(busy.after_s))
            return answer
        if cookie is None:
            return self._form(request, onward, "refused", status=401)
        self._access.forget(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(inside(onward), 303)
        is_secret = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=is_secret, path="/")
        return answer

    async def leave(self, request: Request, _person: Person, _fields: Mapping[str, str]) -> Response:
        self._access.log_out(request.cookies[COOKIE])
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    def _form(self, request: Request, onward: str, why: str = "", status: int = 200) -> Response:
        text = WORDS[f"login_{why}"][self._pages.language(request)] if why else ""
        return self._pages.render("login.html", request, status=status, onward=inside(onward), why=text)


def _deny(_request: Request, why: str) -> Response:
    return PlainTextResponse("Unauthorized", 401) if why == "login" else PlainTextResponse("Forbidden", 403)


def inside(address: str) -> str:
    """`address` where it is a path of this page, else the overview."""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_path else "/"
