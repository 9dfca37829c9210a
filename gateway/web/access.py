"""Who is looking and what they may do: people log in with their own PIN or password and hold a session.

Sessions live in memory: a restart ends them. They end after an hour of rest, after twelve hours at the latest, and as
soon as the operators file says otherwise of that person.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.operators import Operator, Operators
from gateway.web.showing import Showing

#: What each role may do, all that stands before it included; any other role may look.
ROLES = ("viewer", "operator", "maintainer")
COOKIE = "vigil_session"
REST_S = 3600.0
LONGEST_S = 12 * 3600.0
LOOK_AGAIN_S = 5.0
MAX_SESSIONS = 100
"""One more, and the one that rested longest is ended."""
MAX_CHECKS = 4
"""Passwords looked at or waiting for it; each takes tens of milliseconds of a core."""
TELL_EVERY_S = 60.0
"""How often refused logins become an event, with their number: guessing must not fill the outbox."""


@dataclass(slots=True)
class Person:
    """Somebody who logged in. `csrf` stands in every form of theirs, so that no other site can act in their name."""

    operator: Operator
    csrf: str
    began: float
    seen: float
    looked: float

    @property
    def name(self) -> str:
        return self.operator.name

    @property
    def role(self) -> str:
        return self.operator.role

    def may(self, role: str) -> bool:
        """Whether this person's role is `role` or above it."""
        own = ROLES.index(self.role) if self.role in ROLES else 0
        return own >= ROLES.index(role)

    def sent(self, csrf: str) -> bool:
        """Whether a form came from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Busy(Exception):
    """Not looked at: too many at once, or this name has to wait `after_s` seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(after_s)
        self.after_s = after_s


class Access:
    """Sessions of one page, against the operators file of the site."""

    def __init__(self, showing: Showing, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._showing = showing
        self._monotonic = monotonic
        self._file = showing.view.site.operators_file
        self._operators = Operators(self._file, monotonic)
        self._sessions: dict[bytes, Person] = {}
        self._checks = 0
        self._refused = 0
        self._told_at = -TELL_EVERY_S

    @property
    def is_possible(self) -> bool:
        """Whether anybody can log in here."""
        return self._showing.view.site.operators_file is not None

    @property
    def is_needed(self) -> bool:
        """Whether reading needs it."""
        web = self._showing.view.site.web
        return web is not None and web.read == "login"

    async def log_in(self, name: str, password: str, client: str) -> str | None:
        """A new session's cookie, None where name and password do not fit; Busy."""
        self._follow_file()
        wait_s = self._operators.waits_s(name)
        if wait_s > 0 or self._checks >= MAX_CHECKS:
            self._note_refused(name, client)
            raise Busy(max(1.0, wait_s))
        self._checks += 1
        try:
            operator = await self._operators.check(name, password)
        finally:
            self._checks -= 1
        if operator is None:
            self._note_refused(name, client)
            return None
        cookie, now = secrets.token_urlsafe(32), self._monotonic()
        if len(self._sessions) >= MAX_SESSIONS:
            del self._sessions[min(self._sessions, key=lambda each: self._sessions[each].seen)]
        self._sessions[_key(cookie)] = Person(operator, secrets.token_urlsafe(32), now, now, now)
        self.audit(operator.name, "login", client=client, role=operator.role)
        return cookie

    async def person(self, cookie: str | None) -> Person | None:
        """Whose session this is, if it still is one."""
        if not cookie:
            return None
        self._follow_file()
        key, now = _key(cookie), self._monotonic()
        person = self._sessions.get(key)
        if person is None:
            return None
        is_over = now - person.seen > REST_S or now - person.began > LONGEST_S
        if not is_over and now - person.looked > LOOK_AGAIN_S:
            is_over = await self._operators.find(person.name) != person.operator
            person.looked = now
        if is_over:
            self._sessions.pop(key, None)
            return None
        person.seen = now
        return person

    def log_out(self, cookie: str) -> None:
        person = self._sessions.pop(_key(cookie), None)
        if person is not None:
            self.audit(person.name, "logout")

    def forget(self, cookie: str) -> None:
        """End the session that a new one takes the place of."""
        self._sessions.pop(_key(cookie), None)

    def audit(self, by: str, type_: str, device: str = "_gateway", **data: str | int) -> None:
        """What somebody did here, as an event with its actor."""
        self._showing.view.tell(device, type_, {"by": by, "via": "page", **data})

    def _follow_file(self) -> None:
        file = self._showing.view.site.operators_file
        if file != self._file:
            self._file, self._operators = file, Operators(file, self._monotonic)
            self._sessions = {}

    def _note_refused(self, name: str, client: str) -> None:
        self._refused += 1
        now = self._monotonic()
        if now - self._told_at >= TELL_EVERY_S:
            self.audit(name[:32], "login_refused", client=client, count=self._refused)
            self._told_at, self._refused = now, 0


def _key(cookie: str) -> bytes:
    """What is kept of a cookie: a copy of memory opens no session."""
    return hashlib.sha256(cookie.encode()).digest()
