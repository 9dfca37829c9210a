"""Answers of the JSON API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from gateway.wire.json_text import dumps


def as_json(facts: Mapping[str, Any], media_type: str = "application/json", status: int = 200) -> Response:
    return Response(dumps(facts), status, media_type=media_type)


def refuse(status: int, why: str, headers: Mapping[str, str] | None = None) -> Response:
    answer = as_json({"error": why}, status=status)
    answer.headers.update(headers or {})
    return answer
