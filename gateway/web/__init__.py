"""The site's local page: server-rendered, live by server-sent events, no build step, nothing from elsewhere."""

from gateway.web.page import build
from gateway.web.view import Sample, SiteView

__all__ = ["Sample", "SiteView", "build"]
