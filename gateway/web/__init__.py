"""The site's local page: server-rendered, live by server-sent events, no build step, nothing from elsewhere."""

from gateway.web.server import listen, serve
from gateway.web.site import build
from gateway.web.view import GatewayHealth, Look, SiteView

__all__ = ["GatewayHealth", "Look", "SiteView", "build", "listen", "serve"]
