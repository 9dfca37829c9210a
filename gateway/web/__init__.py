"""The site's local page: server-rendered, live by server-sent events, no build step, nothing from elsewhere."""

from gateway.web.page import build
from gateway.web.server import listen, serve
from gateway.web.view import SiteView

__all__ = ["SiteView", "build", "listen", "serve"]
