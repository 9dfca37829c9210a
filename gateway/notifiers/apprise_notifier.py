"""Notices by Apprise: mail, chat, SMS services and everything else it knows an address for."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from pathlib import Path

from gateway.errors import NotifyRejected, NotifyRetry
from gateway.notifiers.apprise_process import AppriseProcess
from gateway.ports import Notice
from gateway.settings.notify_types import ChannelSettings

log = logging.getLogger(__name__)

SEND_S = 45.0
MOST_REMEMBERED = 100

_REFUSALS = frozenset({400, 413, 414, 415, 422})
"""HTTP: this notice will never be taken. Logins and names that are wrong can be corrected."""
_CODE = re.compile(r"\berror=(\d{3})\b")


class AppriseNotifier:
    """One channel: every address of its file. Those that took a notice are not asked again when it is tried again."""

    def __init__(self, channel: ChannelSettings, process: AppriseProcess, timeout_s: float = SEND_S) -> None:
        self._channel = channel
        self._process = process
        self._timeout_s = timeout_s
        self._took: OrderedDict[str, set[str]] = OrderedDict()

    async def send(self, notice: Notice) -> None:
        """NotifyRetry as long as one address may still take it, NotifyRejected where all refuse."""
        urls = self._urls()
        took = self._took.setdefault(notice.id, set())
        self._took.move_to_end(notice.id)
        while len(self._took) > MOST_REMEMBERED:
            self._took.popitem(last=False)
        left = [url for url in urls if url not in took]
        short = self._channel.form == "short"
        title, body = ("", notice.short) if short else (notice.title, notice.long)
        reasons = await self._process.send(left, title, body, self._timeout_s) if left else []
        took.update(url for url, reason in zip(left, reasons, strict=True) if reason is None)
        failures = [
            (urls.index(url) + 1, reason) for url, reason in zip(left, reasons, strict=True) if reason is not None
        ]
        if not failures:
            del self._took[notice.id]
            return
        told = "; ".join(f"address {number}: {reason}" for number, reason in failures)
        if not all(_is_refusal(reason) for _, reason in failures):
            raise NotifyRetry(told)
        del self._took[notice.id]
        if len(failures) == len(urls):
            raise NotifyRejected(told)
        log.error("address_refused channel=%s id=%s reason=%s", self._channel.name, notice.id, told)

    async def close(self) -> None:
        """The process is shared and closed by its owner."""

    def _urls(self) -> list[str]:
        try:
            urls = read_urls(self._channel.urls_file)
        except (OSError, UnicodeDecodeError) as error:
            raise NotifyRetry(f"{self._channel.urls_file} cannot be read: {error}") from error
        if not urls:
            raise NotifyRetry(f"{self._channel.urls_file} holds no address")
        return urls


def read_urls(path: Path | None) -> list[str]:
    """The addresses of a file: one on each line, without comments."""
    lines = [] if path is None else path.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")))


def _is_refusal(reason: str) -> bool:
    found = _CODE.search(reason)
    return found is not None and int(found[1]) in _REFUSALS
