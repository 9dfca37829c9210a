"""The page of one site as an ASGI application: its routes and what guards them."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings.listen import certificate_of, is_loopback
from gateway.web.access import Access
from gateway.web.alarm_api import AlarmApi
from gateway.web.alarm_pages import AlarmPages
from gateway.web.answers import refuse
from gateway.web.api import Api
from gateway.web.gate import Gate
from gateway.web.guard import Guard
from gateway.web.live import Live
from gateway.web.login import Login
from gateway.web.metrics import METRICS_TYPE, metrics_text
from gateway.web.page import Pages
from gateway.web.rendering import Rendering
from gateway.web.showing import Showing
from gateway.web.view import Look

STATIC = Path(__file__).parent / "static"


class _Fresh:
    """Every request sees the site as it stands when it comes."""

    def __init__(self, app: ASGIApp, *, showing: Showing) -> None:
        self._app = app
        self._showing = showing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._showing.refresh()
        await self._app(scope, receive, send)


def build(look: Look) -> Starlette:
    """The application; `serve` runs `state.live`, which feeds its streams, and shows `state.certificate`; for the host
    `state.makes_its_own` it makes that itself."""
    showing = Showing(look)
    rendering = Rendering(showing)
    live = Live(showing, rendering)
    access = Access(showing)
    pages = Pages(showing, live, access, rendering)
    api = Api(showing)
    web = showing.view.site.web

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(metrics_text(showing.view, live), media_type=METRICS_TYPE)

    async def missing(request: Request, _error: Exception) -> Response:
        return refuse(404, "no such resource") if request.url.path.startswith("/api/") else pages.missing(request)

    app = Starlette(
        routes=[
            *pages.routes(),
            *AlarmPages(showing, pages).routes(),
            *api.routes(),
            *AlarmApi(showing).routes(),
            *Login(pages, access).routes(),
            Route("/metrics", metrics),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(Guard, local_only=web is None or is_loopback(web.host)),
            Middleware(_Fresh, showing=showing),
            Middleware(Gate, access=access),
        ],
        exception_handlers={404: missing},
    )
    app.state.live = live
    app.state.certificate = certificate_of(showing.view.site)
    app.state.makes_its_own = web.host if web is not None and web.is_self_signed else None
    return app
