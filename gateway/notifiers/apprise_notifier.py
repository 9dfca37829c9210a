"""Notices by Apprise: mail, chat, SMS services and everything else it knows an address for."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict

from gateway.errors import NotifyRejected, NotifyRetry
from gateway.notifiers.apprise_child import UNUSABLE
from gateway.notifiers.apprise_process import AppriseProcess
from gateway.ports import Notice
from gateway.settings.notify_types import ChannelSettings
from gateway.settings.notify_urls import read_urls

log = logging.getLogger(__name__)

SEND_S = 45.0
MOST_REMEMBERED = 100

_REFUSALS = frozenset({400, 413, 414, 415, 422})
"""HTTP: this notice will never be taken. Logins and names that are wrong can be corrected."""
_IN_CHINESE = {UNUSABLE: "Apprise 不认识这个地址"}
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
        en = "; ".join(f"address {number}: {reason}" for number, reason in failures)
        zh = "；".join(f"第 {number} 个地址：{_IN_CHINESE.get(reason, reason)}" for number, reason in failures)
        if not all(_is_refusal(reason) for _, reason in failures):
            raise NotifyRetry(en, zh)
        del self._took[notice.id]
        if len(failures) == len(urls):
            raise NotifyRejected(en, zh)
        log.error("address_refused channel=%s id=%s reason=%s", self._channel.name, notice.id, en)

    async def close(self) -> None:
        """The process is shared and closed by its owner."""

    def _urls(self) -> list[str]:
        path = self._channel.urls_file
        try:
            urls = [] if path is None else [url for _, url in read_urls(path)]
        except (OSError, UnicodeDecodeError) as error:
            raise NotifyRetry(f"{path} cannot be read: {error}", f"{path} 读不了：{error}") from error
        if not urls:
            raise NotifyRetry(f"{path} holds no address", f"{path} 里没有地址")
        return urls


def _is_refusal(reason: str) -> bool:
    found = _CODE.search(reason)
    return found is not None and int(found[1]) in _REFUSALS
