"""What a database's answer to a write means: one pure function over status, body and headers.

Covers `/write` of InfluxDB 1.x and `/api/v2/write` of 2.x and 3.x. The rule behind the table: data is given up only
where the database itself names it as bad; an answer that could come from a proxy, a wrong address or a wrong login
keeps it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

#: A server that asks for more than this is asked again anyway.
MAX_RETRY_AFTER_S = 3600.0


class Meaning(Enum):
    STORED = "stored"
    REFUSED = "refused"
    """At least one point is bad; the others may or may not be stored."""
    REFUSED_ALL = "refused all"
    """Every point is bad, all for the reason given."""
    TOO_LARGE = "too large"
    NO_DATABASE = "no database"
    MISCONFIGURED = "misconfigured"
    """Waiting alone will not help: a person must correct something."""
    TRY_LATER = "try later"


@dataclass(frozen=True, slots=True)
class Verdict:
    meaning: Meaning
    reason: str = ""
    after_s: float | None = None


STORED = Verdict(Meaning.STORED)

_WHOLE_REQUEST = ("database is required", "invalid precision", "bucket", "org")
_BROKEN_IN_TRANSIT = ("gzip:", "flate:", "unexpected eof")
_LONGEST_REASON = 2000
_CUT_ERROR = re.compile(r'\{"error":\s*"|\{"code":\s*"[a-z ]+",\s*"message":\s*"')
_TRANSIENT = frozenset({408, 425, 429})
_BEYOND_RETENTION = re.compile(r"points beyond retention policy dropped=(\d+)")


def judge(status: int, body: bytes, retry_after: str | None, points: int, now: datetime | None = None) -> Verdict:
    """The meaning of one answer to a write of `points` points. `now` is the time a Retry-After date counts from."""
    if status == 204:
        return STORED
    text, is_from_database = _reason(body)
    reason = f"{status} {text}".strip()
    if status in (400, 422):
        return Verdict(_refusal(text, is_from_database, points), reason)
    if status == 413:
        return Verdict(Meaning.TOO_LARGE, reason)
    if status == 404 and text.startswith("database not found"):
        return Verdict(Meaning.NO_DATABASE, reason)
    if status == 500 and "retention policy not found" in text:
        return Verdict(Meaning.MISCONFIGURED, reason)
    if status >= 500 or status in _TRANSIENT:
        return Verdict(Meaning.TRY_LATER, reason, _seconds(retry_after, now))
    if status < 300:  # no write API answers so: a portal, or something else at this address
        return Verdict(Meaning.MISCONFIGURED, f"{reason} (not the answer of a write API)")
    return Verdict(Meaning.MISCONFIGURED, reason)


def query_error(status: int, body: bytes) -> str | None:
    """The error in an answer of `/query`, which may hide in a 200; None where there is none."""
    text, _ = _reason(body)
    if status != 200:
        return f"{status} {text}".strip()
    try:
        answer = json.loads(body)
        errors = [result["error"] for result in answer.get("results", ()) if "error" in result]
    except (ValueError, AttributeError, TypeError):
        return f"not the answer of a query API: {text}"
    return str(errors[0]) if errors else None


def _refusal(text: str, is_from_database: bool, points: int) -> Meaning:
    lowered = text.lower()
    if lowered.startswith(_BROKEN_IN_TRANSIT):
        return Meaning.TRY_LATER
    if not is_from_database or lowered.startswith(_WHOLE_REQUEST):
        return Meaning.MISCONFIGURED
    beyond = _BEYOND_RETENTION.search(text)
    if beyond and int(beyond[1]) >= points:
        return Meaning.REFUSED_ALL
    return Meaning.REFUSED


def _reason(body: bytes) -> tuple[str, bool]:
    """The database's own words and whether it is the database that speaks (JSON with an error, not a proxy's page)."""
    text = body.decode("utf-8", "replace").strip()
    try:
        answer = json.loads(body)
    except ValueError:
        begun = _CUT_ERROR.match(text)  # a refusal quotes the refused lines and may be longer than what is read of it
        return (text[begun.end() :][:_LONGEST_REASON], True) if begun else (text[:500], False)
    if not isinstance(answer, dict):
        return text[:500], False
    said = answer.get("error") or answer.get("message") or answer.get("code")
    if not isinstance(said, str):
        return text[:500], False
    details = answer.get("data")  # InfluxDB 3.x names each bad line here
    if isinstance(details, list) and details and isinstance(details[0], dict) and "error_message" in details[0]:
        said = f"{said}: {details[0]['error_message']}"
    return said[:_LONGEST_REASON], True


def _seconds(retry_after: str | None, now: datetime | None) -> float | None:
    """Retry-After as seconds: a number or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            when = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = (when - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if seconds == seconds else None
