"""The JSON API beside the page, for machines; read only. Its document is served with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.model import ValueType
from gateway.web.answers import as_json, refuse
from gateway.web.facts import Facts, device_facts, health_facts, map_facts, point_facts, site_facts
from gateway.web.openapi import MAX_MINUTES, MAX_STEPS, document
from gateway.web.running import configuration_shown
from gateway.web.showing import Showing
from gateway.web.view import SiteView


class Api:
    """Answers from the site as `showing` sees it."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing

    def routes(self) -> list[Route]:
        return [
            Route("/api/site", self._answer(site_facts)),
            Route("/api/devices", self._answer(_devices)),
            Route("/api/devices/{device}", self.device),
            Route("/api/devices/{device}/points/{point}/trend", self.trend),
            Route("/api/health", self._answer(health_facts)),
            Route("/api/configuration", self._answer(lambda view: configuration_shown(view, "en"))),
            Route("/api/geojson", self._answer(map_facts, "application/geo+json")),
            Route("/api/openapi.json", self._answer(lambda view: document(view.version))),
        ]

    def _answer(
        self, facts: Callable[[SiteView], Facts], media_type: str = "application/json"
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_request: Request) -> Response:
            return as_json(facts(self._showing.view), media_type)

        return answer

    async def device(self, request: Request) -> Response:
        device = self._showing.devices.get(request.path_params["device"])
        if device is None:
            return refuse(404, "no such device")
        view = self._showing.view
        return as_json({**device_facts(view, device), "points": point_facts(view, device)})

    async def trend(self, request: Request) -> Response:
        """`?minutes=60&steps=120`: equal steps up to now; a step without data has nulls."""
        device, point = request.path_params["device"], request.path_params["point"]
        found = self._showing.point(device, point)
        if found is None or found.type is ValueType.STRING:
            return refuse(404, "no such point with a trend")
        minutes = _within(request.query_params.get("minutes", "60"), MAX_MINUTES)
        steps = _within(request.query_params.get("steps", "120"), MAX_STEPS)
        if minutes is None or steps is None:
            return refuse(400, f"minutes is 1 to {MAX_MINUTES}, steps 1 to {MAX_STEPS}")
        until = self._showing.view.clock.wall_ms()
        buckets = await self._showing.view.trend(device, point, until - minutes * 60_000, until, steps)
        rows = [
            {"ts": each.ts, "low": each.low, "high": each.high, "mean": each.mean, "count": each.count}
            for each in buckets
        ]
        return as_json({"device": device, "point": point, "unit": found.unit, "steps": rows})


def _devices(view: SiteView) -> Facts:
    return {"devices": [device_facts(view, device) for device in view.site.devices]}


def _within(asked: str, most: int) -> int | None:
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= len(str(most))
    return int(asked) if is_number and 1 <= int(asked) <= most else None
