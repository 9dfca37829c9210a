"""The process that speaks Apprise: requests come in on stdin and answers go out on stdout, a line of JSON each.

A request is `{"id": 1, "title": "...", "body": "...", "urls": ["..."]}`; its answer `{"id": 1, "done": [reason or null
for each address]}`. Addresses hold secrets: they are never part of a command line, a log or an answer. Ends with stdin.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

AT_ONCE = 8
UNUSABLE = "this is no address that Apprise knows"
LONGEST_REASON = 200


class _Reasons(logging.Handler):
    """Keeps what Apprise says of a failure, by the thread that it happened in."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        self._said.last = record.getMessage()

    def take(self) -> str:
        last: str = getattr(self._said, "last", "")
        self._said.last = ""
        return last


def main() -> None:
    """Answer until stdin ends."""
    import apprise

    reasons = _Reasons()
    logger = logging.getLogger("apprise")
    logger.addHandler(reasons)
    logger.propagate = False
    writing = threading.Lock()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a plugin, or a program of its, prints is no answer
    sys.stdout = sys.stderr

    def send(url: str, title: str, body: str) -> str | None:
        reasons.take()
        target = apprise.Apprise.instantiate(url, suppress_exceptions=True)
        if target is None:
            return UNUSABLE
        recipients = apprise.Apprise()
        recipients.add(target)
        if recipients.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
            return None
        return (reasons.take() or "not sent")[:LONGEST_REASON]

    def carry_out(request: dict[str, Any]) -> list[str | None]:
        return [send(url, request["title"], request["body"]) for url in request["urls"]]

    def answer(request: dict[str, Any], ended: Future[list[str | None]]) -> None:
        error = ended.exception()
        done = ended.result() if error is None else [f"apprise failed: {type(error).__name__}"] * len(request["urls"])
        with writing:
            answers.write(json.dumps({"id": request["id"], "done": done}) + "\n")
            answers.flush()

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the gateway says when to end
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for line in sys.stdin:
            request = json.loads(line)
            pool.submit(carry_out, request).add_done_callback(partial(answer, request))


if __name__ == "__main__":
    main()
