"""The configuration a gateway runs with, as it understood it; secrets are not part of it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from gateway.settings.types import SiteSettings
from gateway.web.showing import Shown
from gateway.web.view import SiteView
from gateway.web.words import name_of, write_plain


def configuration_shown(view: SiteView, language: str) -> Shown:
    """Site, lines and devices in the order of the file."""
    site = view.site
    return {
        "site": _site(site, view.version, language),
        "lines": [
            {"id": line.id, "protocol": line.protocol, "endpoint": line.endpoint, "options": _options(line.options)}
            for line in site.lines
        ],
        "devices": [
            {
                "id": device.id,
                "name": device.name[language] if device.name else device.id,
                "kind": site.kinds[device.kind].label[language],
                "profile": device.profile,
                "line": device.line,
                "interval_s": write_plain(device.interval_s),
                "options": _options(device.options),
                "facts": _pairs(device.facts),
                "points": [
                    {
                        "name": point.name,
                        "label": name_of(point, language),
                        "unit": point.unit,
                        "options": _options(point.options),
                    }
                    for point in device.points
                ],
            }
            for device in site.devices
        ],
    }


def _site(site: SiteSettings, version: str, language: str) -> Shown:
    return {
        "file": site.source.name,
        "digest": site.digest,
        "version": version,
        "id": site.id,
        "kind": site.kinds[site.kind].label[language],
        "timezone": site.timezone,
        "labels": _pairs(site.labels),
        "facts": _pairs(site.facts),
        "required": ", ".join(f"{site.kinds[kind].label[language]} {count}" for kind, count in site.required.items()),
        "rules": ", ".join(site.rules),
        "broker": f"{site.mqtt.host}:{site.mqtt.port}" if site.mqtt else "",
    }


def _pairs(found: Mapping[str, object]) -> str:
    return ", ".join(f"{key}: {write_plain(value)}" for key, value in found.items())


def _options(options: object) -> str:
    """The protocol's own keys that differ from their defaults."""
    if not isinstance(options, BaseModel):
        return ""
    written = options.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    return ", ".join(f"{key}: {write_plain(value)}" for key, value in written.items())
