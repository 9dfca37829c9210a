"""Every answer a database is known to give, and what it must mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.answers import Meaning, judge, query_error


def v1(text: str) -> bytes:
    return json.dumps({"error": text}).encode() + b"\n"


def v2(code: str, text: str) -> bytes:
    return json.dumps({"code": code, "message": text}).encode()


CONFLICT = (
    'partial write: field type conflict: input field "v" on measurement "m" is type integer, '
    "already exists as type float dropped=1"
)

TABLE = [
    (204, b"", Meaning.STORED),
    (404, v1('database not found: "t"'), Meaning.NO_DATABASE),
    (400, v1("database is required"), Meaning.MISCONFIGURED),
    (500, v1("retention policy not found: nope"), Meaning.MISCONFIGURED),
    (400, v1("gzip: invalid header"), Meaning.TRY_LATER),
    (400, v1("unexpected EOF"), Meaning.TRY_LATER),
    (400, v1("partial write: points beyond retention policy dropped=1"), Meaning.REFUSED),
    (400, v1("partial write: points beyond retention policy dropped=5"), Meaning.REFUSED_ALL),
    (400, v1(CONFLICT), Meaning.REFUSED),
    (400, v1("unable to parse 'garbage': missing fields"), Meaning.REFUSED),
    (400, v1("partial write: unable to parse 'm,tag=s2 v= 1': missing field value dropped=0"), Meaning.REFUSED),
    (
        400,
        v1('partial write: invalid field name: input field "time" on measurement "m" is invalid dropped=1'),
        Meaning.REFUSED,
    ),
    (413, v1("Request Entity Too Large"), Meaning.TOO_LARGE),
    (413, b"<html>413 Request Entity Too Large</html>", Meaning.TOO_LARGE),
    (500, v1("engine: cache-max-memory-size exceeded: (2570/2000)"), Meaning.TRY_LATER),
    (500, v1("engine: error writing WAL entry: no space left on device"), Meaning.TRY_LATER),
    (500, v1("timeout"), Meaning.TRY_LATER),
    (503, b"request throttled, queue full", Meaning.TRY_LATER),
    (502, b"<html>bad gateway</html>", Meaning.TRY_LATER),
    (504, b"", Meaning.TRY_LATER),
    (408, b"", Meaning.TRY_LATER),
    (429, v2("too many requests", "slow down"), Meaning.TRY_LATER),
    (401, v1("unable to parse authentication credentials"), Meaning.MISCONFIGURED),
    (401, v1("authorization failed"), Meaning.MISCONFIGURED),
    (403, v1('"writer" user is not authorized to write to database "t"'), Meaning.MISCONFIGURED),
    (404, b"404 page not found", Meaning.MISCONFIGURED),
    (404, v2("not found", 'bucket "x" not found'), Meaning.MISCONFIGURED),
    (404, v2("not found", 'organization name "x" not found'), Meaning.MISCONFIGURED),
    (400, v2("invalid", "invalid precision; valid precision units are ns, us, ms, and s"), Meaning.MISCONFIGURED),
    (400, v2("invalid", "unable to parse 'garbage': missing fields"), Meaning.REFUSED),
    (422, v2("unprocessable entity", "failure writing points to database: " + CONFLICT), Meaning.REFUSED),
    (400, b"<html>The plain HTTP request was sent to HTTPS port</html>", Meaning.MISCONFIGURED),
    (400, b'{"error":"unable to parse \'m v=xxxxxxxx', Meaning.REFUSED),
    (400, b'{"code":"invalid","message":"unable to parse \'m v=xxxxxxxx', Meaning.REFUSED),
    (400, b"", Meaning.MISCONFIGURED),
    (400, b'["error"]', Meaning.MISCONFIGURED),
    (301, b"", Meaning.MISCONFIGURED),
    (200, b"<html>please log in</html>", Meaning.MISCONFIGURED),
    (405, b"", Meaning.MISCONFIGURED),
]


@pytest.mark.parametrize(("status", "body", "meaning"), TABLE)
def test_each_known_answer(status: int, body: bytes, meaning: Meaning) -> None:
    assert judge(status, body, None, 5).meaning is meaning


def test_the_reason_is_the_database_s_own() -> None:
    assert judge(400, v1(CONFLICT), None, 1).reason == f"400 {CONFLICT}"
    three = {"error": "partial write of line protocol occurred", "data": [{"line_number": 1, "error_message": "no"}]}
    assert judge(400, json.dumps(three).encode(), None, 1).reason == "400 partial write of line protocol occurred: no"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("999999", 3600.0),
        ("Sat, 21 Nov 2026 00:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 00:00:00 GMT", 0.0),
        ("soon", None),
        ("nan", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(said: str | None, seconds: float | None) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert judge(503, b"", said, 1, now).after_s == seconds


@given(st.integers(100, 599), st.binary(max_size=200), st.none() | st.text(max_size=30))
def test_only_204_is_stored_and_nothing_raises(status: int, body: bytes, retry_after: str | None) -> None:
    verdict = judge(status, body, retry_after, 3)
    assert (verdict.meaning is Meaning.STORED) is (status == 204)
    if verdict.meaning in (Meaning.REFUSED, Meaning.REFUSED_ALL):
        assert body.startswith(b"{")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"results":[{"statement_id":0}]}', None),
        (200, b'{"results":[{"error":"database not found: zz"}]}', "database not found: zz"),
        (403, v1("create admin user first"), "403 create admin user first"),
        (200, b"<html>", "not the answer of a query API: <html>"),
        (200, b"[1]", "not the answer of a query API: [1]"),
    ],
)
def test_an_error_of_a_query_may_hide_in_a_200(status: int, body: bytes, error: str | None) -> None:
    assert query_error(status, body) == error
