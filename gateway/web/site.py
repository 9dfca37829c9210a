"""The page of one site as an ASGI application: its routes and what guards them."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from gateway.web.guard import Guard
from gateway.web.live import Live
from gateway.web.page import Pages
from gateway.web.showing import Showing
from gateway.web.view import SiteView

STATIC = Path(__file__).parent / "static"


def build(view: SiteView) -> Starlette:
    """The application; `state.live` feeds its streams and is run by `serve`."""
    showing = Showing(view)
    live = Live(showing, view.snapshot)
    pages = Pages(view, showing, live)

    async def missing(request: Request, _error: Exception) -> Response:
        return pages.missing(request)

    app = Starlette(
        routes=[*pages.routes(), Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(Guard, local_only=view.site.web is None or view.site.web.host in LOCAL)],
        exception_handlers={404: missing},
    )
    app.state.live = live
    return app


LOCAL = ("127.0.0.1", "::1", "localhost")
