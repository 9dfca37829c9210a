"""Routes of the local page: overview, device, live stream, trend, JSON of what stands now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.model import ReadinessState, ValueType
from gateway.settings.types import DeviceSettings
from gateway.web.trend import draw
from gateway.web.view import SiteView
from gateway.web.words import ORDER, PRIORITIES, SIGNS, STATES, STATUSES, WORDS, name_of, write_value

HERE = Path(__file__).parent
HOUR_MS = 3_600_000
TREND_BUCKETS = 120
#: Changes of half a second go out together.
LIVE_EVERY_S = 0.5
#: Shown on a tile of the overview: the first usable points of the device, numbers first.
TILE_POINTS = 4


class _Headers:
    """Nothing is loaded from elsewhere, nothing may frame the page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).extend(
                    [
                        (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
                        (b"x-content-type-options", b"nosniff"),
                        (b"referrer-policy", b"no-referrer"),
                    ]
                )
            await send(message)

        await self.app(scope, receive, with_headers)


class Page:
    """Renders one site; holds no state of its own."""

    def __init__(self, view: SiteView) -> None:
        self._view = view
        self._zone = ZoneInfo(view.site.timezone)
        self._devices = {device.id: device for device in view.site.devices}
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(default=True), enable_async=False
        )

    def language(self, request: Request) -> str:
        """`?lang=`, else the cookie, else the site's language."""
        asked = request.query_params.get("lang") or request.cookies.get("lang") or self._view.site.language
        return "en" if asked == "en" else "zh"

    def _time(self, ts: int | None) -> str:
        return datetime.fromtimestamp(ts / 1000, UTC).astimezone(self._zone).strftime("%m-%d %H:%M:%S") if ts else "—"

    def _render(self, name: str, request: Request, status: int = 200, **facts: object) -> Response:
        language = self.language(request)
        words = {key: text[language] for key, text in WORDS.items()}
        other = "en" if language == "zh" else "zh"
        body = self._templates.get_template(name).render(
            lang=language, other=other, w=words, site=self._view.site, site_state=self._site(language), **facts
        )
        answer = HTMLResponse(body, status_code=status)
        if "lang" in request.query_params:
            answer.set_cookie("lang", language, max_age=31_536_000, samesite="lax")
        return answer

    def _site(self, language: str) -> dict[str, str]:
        state = self._view.judge.site_state
        return {"state": state.value, "word": STATES[state][language], "sign": SIGNS[state]}

    def _device(self, device: DeviceSettings, language: str) -> dict[str, object]:
        """One device as the templates and the live stream show it."""
        standing = self._view.judge.standing(device.id)
        judgement, since = standing or (None, 0)
        state = judgement.state if judgement else ReadinessState.UNKNOWN
        latest = self._view.snapshot.latest(device.id, self._view.clock.monotonic())
        points = []
        for point in device.points:
            sample = latest[point.name]
            points.append(
                {
                    "name": point.name,
                    "label": name_of(point, language),
                    "text": write_value(sample.value, point, language),
                    "unit": point.unit,
                    "status": sample.status.name,
                    "quality": STATUSES[sample.status][language],
                    "grade": "bad"
                    if sample.status.is_bad or sample.stale
                    else "uncertain"
                    if sample.status.is_uncertain
                    else "good",
                    "time": self._time(sample.ts),
                    "is_number": point.type is ValueType.NUMBER,
                }
            )
        return {
            "id": device.id,
            "name": device.name[language] if device.name else device.id,
            "kind": self._view.site.kinds[device.kind].label[language],
            "state": state.value,
            "order": ORDER.index(state),
            "word": STATES[state][language],
            "sign": SIGNS[state],
            "since": self._time(since),
            "score": judgement.score if judgement else None,
            "reasons": [
                {"priority": r.priority.value, "colour": PRIORITIES[r.priority][language], "text": r.text[language]}
                for r in (judgement.reasons if judgement else ())
            ],
            "points": points,
        }

    async def overview(self, request: Request) -> Response:
        language = self.language(request)
        devices = [self._device(device, language) for device in self._devices.values()]
        devices.sort(key=lambda each: (each["order"], each["id"]))
        return self._render("overview.html", request, devices=devices, tile_points=TILE_POINTS)

    async def device(self, request: Request) -> Response:
        device = self._devices.get(request.path_params["device"])
        if device is None:
            return self._render("missing.html", request, status=404)
        language = self.language(request)
        shown = self._device(device, language)
        return self._render("device.html", request, device=shown)

    async def trend(self, request: Request) -> Response:
        """The last hour of one number as SVG inside the page."""
        device = self._devices.get(request.path_params["device"])
        point = next((p for p in device.points if p.name == request.path_params["point"]), None) if device else None
        if device is None or point is None or point.type is not ValueType.NUMBER:
            return self._render("missing.html", request, status=404)
        until = self._view.clock.wall_ms()
        since = until - HOUR_MS
        points = await self._view.trend(device.id, point.name, since, until, TREND_BUCKETS)
        clock = [(since + HOUR_MS * part // 4, self._time(since + HOUR_MS * part // 4)[6:11]) for part in (1, 2, 3)]
        drawing = draw(points, since, until, clock)
        language = self.language(request)
        return HTMLResponse(drawing or Markup("<p>{}</p>").format(WORDS["no_trend"][language]))

    async def live(self, request: Request) -> Response:
        """Server-sent events: one JSON object per device that changed."""
        language = self.language(request)
        closing: asyncio.Event = request.app.state.closing

        async def events() -> AsyncIterator[str]:
            yield "retry: 2000\n\n"
            with self._view.snapshot.subscribe() as changes:
                while (changed := await _unless(closing, changes.changed())) is not None:
                    shown = [self._device(self._devices[each], language) for each in changed]
                    yield f"data: {_json({'site': self._site(language), 'devices': shown})}\n\n"
                    await asyncio.sleep(LIVE_EVERY_S)

        return StreamingResponse(events(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def state(self, request: Request) -> Response:
        """What stands now, as JSON."""
        language = self.language(request)
        devices = [self._device(device, language) for device in self._devices.values()]
        return JSONResponse({"site": self._view.site.id, "state": self._site(language), "devices": devices})


_Result = TypeVar("_Result")


async def _unless(closing: asyncio.Event, work: Coroutine[object, object, _Result]) -> _Result | None:
    """What `work` gives, or None once the page closes."""
    closed, working = asyncio.ensure_future(closing.wait()), asyncio.ensure_future(work)
    try:
        await asyncio.wait({closed, working}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        closed.cancel()
        working.cancel()


def _json(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def build(view: SiteView) -> Starlette:
    """The page of one site as an ASGI application; setting `state.closing` ends its live streams."""
    page = Page(view)
    app = Starlette(
        routes=[
            Route("/", page.overview),
            Route("/device/{device}", page.device),
            Route("/trend/{device}/{point}", page.trend),
            Route("/live", page.live),
            Route("/api/state", page.state),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(_Headers)],
    )
    app.state.closing = asyncio.Event()
    return app
