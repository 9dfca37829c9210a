"""The pages people look at: overview, device with trends, health, running configuration, and the live stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.model import ValueType
from gateway.settings.listen import certificate_of, fingerprint
from gateway.web.access import COOKIE, ROLES, Access, Person
from gateway.web.alarm_showing import badge_shown, device_alarms_shown
from gateway.web.health import health_shown
from gateway.web.live import PAGES, Live, Subject
from gateway.web.rendering import Rendering
from gateway.web.running import configuration_shown
from gateway.web.showing import ASKS_BEFORE, Showing
from gateway.web.trend import draw
from gateway.web.why import rules_shown
from gateway.web.words import WORDS, name_of

HOUR_MS = 3_600_000
TREND_BUCKETS = 120
RETRY_S = 10


class Pages:
    """Renders one site; holds no state of its own."""

    def __init__(self, showing: Showing, live: Live, access: Access, rendering: Rendering) -> None:
        self._access = access
        self._showing = showing
        self._live = live
        self._rendering = rendering

    def routes(self) -> list[Route]:
        return [
            Route("/", self.overview),
            Route("/wall", self.wall),
            Route("/device/{device}", self.device),
            Route("/health", self.health),
            Route("/configuration", self.configuration),
            Route("/trend/{device}/{point}", self.trend),
            Route("/live", self.live),
        ]

    def language(self, request: Request) -> str:
        """`?lang=`, else the cookie, else the site's language."""
        asked = request.query_params.get("lang") or request.cookies.get("lang") or self._showing.view.site.language
        return "en" if asked == "en" else "zh"

    def render(self, name: str, request: Request, status: int = 200, **facts: object) -> Response:
        """One template with what all of them need; `back` is where links lead from the answer to a form."""
        language, person = self.language(request), request.state.person
        body = self._rendering.page(
            name,
            language,
            path=facts.get("back", request.url.path),
            person=person,
            csrf=person.csrf if person is not None else "",
            may=may(person),
            can_log_in=self._access.is_possible,
            is_shown=person is not None or not self._access.is_needed,
            now=self._showing.site(language),
            badge=badge_shown(self._showing, language),
            clock=self._showing.clock(),
            **facts,
        )
        answer = HTMLResponse(body, status_code=status)
        if "lang" in request.query_params:
            answer.set_cookie("lang", language, max_age=31_536_000, samesite="lax")
        return answer

    def missing(self, request: Request) -> Response:
        return self.render("missing.html", request, status=404)

    async def overview(self, request: Request) -> Response:
        return self._overview(request, is_wall=False)

    async def wall(self, request: Request) -> Response:
        """The same for a screen on a wall, readable at three metres."""
        return self._overview(request, is_wall=True)

    def _overview(self, request: Request, *, is_wall: bool) -> Response:
        language = self.language(request)
        devices = [
            {
                **self._showing.name(device, language),
                **self._showing.tile(device, language),
                "labels": self._showing.labels(device, language, tile=True),
            }
            for device in self._showing.devices
        ]
        devices.sort(key=lambda each: (each["order"], each["id"]))
        return self.render("overview.html", request, devices=devices, is_wall=is_wall, asks_before=ASKS_BEFORE)

    async def device(self, request: Request) -> Response:
        device, language = request.path_params["device"], self.language(request)
        if device not in self._showing.devices:
            return self.missing(request)
        shown = {**self._showing.name(device, language), **self._showing.device(device, language)}
        return self.render(
            "device.html",
            request,
            device=shown,
            labels=self._showing.labels(device, language),
            alarms=device_alarms_shown(self._showing, device, language),
            rules=rules_shown(self._showing, device, language),
        )

    async def health(self, request: Request) -> Response:
        shown = health_shown(self._showing, self.language(request))
        files = certificate_of(self._showing.view.site)
        told = await asyncio.to_thread(_fingerprint, files[0]) if files is not None else ""
        return self.render("health.html", request, health=shown, fingerprint=told)

    async def configuration(self, request: Request) -> Response:
        shown = configuration_shown(self._showing.view, self.language(request))
        return self.render("configuration.html", request, running=shown)

    async def trend(self, request: Request) -> Response:
        """The last hour of one number as SVG inside the page."""
        name = request.path_params["device"]
        point = self._showing.point(name, request.path_params["point"])
        if point is None or point.type is not ValueType.NUMBER:
            return self.missing(request)
        until = self._showing.view.clock.wall_ms()
        since = until - HOUR_MS
        points = await self._showing.view.trend(name, point.name, since, until, TREND_BUCKETS)
        marks = [since + HOUR_MS * part // 4 for part in (1, 2, 3)]
        language = self.language(request)
        drawing = draw(
            points,
            since,
            until,
            [(ts, self._showing.minute(ts)) for ts in marks],
            _width(request.query_params.get("width", "")),
            name_of(point, language),
        )
        return HTMLResponse(drawing or Markup("<p>{}</p>").format(WORDS["no_trend"][language]))

    async def live(self, request: Request) -> Response:
        """Server-sent events: first everything, then what changed, of the overview, of `?device=` or of `?page=`."""
        device, language = request.query_params.get("device"), self.language(request)
        page = "device" if device is not None else request.query_params.get("page", "site")
        is_known = device in self._showing.devices if device is not None else page in PAGES
        if not is_known:
            return self.missing(request)
        if self._live.is_full:
            self._live.refused += 1
            text = WORDS["crowded"][language]
            return PlainTextResponse(text, 503, headers={"retry-after": str(RETRY_S)})

        async def events() -> AsyncIterator[bytes]:
            with self._live.watch(language, Subject(page, device)) as viewer:
                yield b"retry: 2000\n\n"
                async for message in viewer:
                    if self._access.is_needed and await self._access.person(request.cookies.get(COOKIE)) is None:
                        break
                    yield message

        return StreamingResponse(events(), media_type="text/event-stream")


def _fingerprint(path: Path) -> str:
    """Of the certificate in use; empty where its file cannot be read any more."""
    try:
        return fingerprint(path)
    except (OSError, ValueError):
        return ""


def may(person: Person | None) -> tuple[str, ...]:
    """The roles a person acts in."""
    return tuple(role for role in ROLES if person is not None and person.may(role))


def _width(asked: str) -> int:
    """A width in pixels that a drawing may have."""
    return min(1600, max(240, int(asked))) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 640
