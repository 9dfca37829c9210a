"""`vigil notify`: a test notice on the Apprise channels of a site, with the gateway running or not."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path

from gateway.errors import GatewayError, NotifyError
from gateway.model import Text
from gateway.settings.notify_types import ChannelSettings
from gateway.settings.types import SiteSettings

_HELP = {
    "config": Text("站点配置文件", "site file"),
    "channel": Text("只试这些渠道；不写则试全部", "only these channels; all where none is named"),
}
_NONE = Text("站点没有 Apprise 通知渠道", "this site has no Apprise channel")
_SENT = Text("已送出，请在收件端核对", "sent; see whether it arrived")
_OTHER = Text(
    "不是 Apprise 渠道：警报器用 vigil write 试，MQTT 看上行连接",
    "no Apprise channel: try a horn with `vigil write`, MQTT is the uplink",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("config", type=Path, metavar="CONFIG", help=_HELP["config"][language])
    parser.add_argument("channel", nargs="*", metavar="CHANNEL", help=_HELP["channel"][language])


def run(options: argparse.Namespace) -> int:
    """One line for each channel; 1 where one did not take it."""
    from gateway.app import load

    site = load(options.config, options.lang)
    failed = asyncio.run(_try(site, _chosen(site, options.channel), options.lang))
    return 1 if failed else 0


def _chosen(site: SiteSettings, names: Sequence[str]) -> list[ChannelSettings]:
    known = {} if site.notify is None else site.notify.channels
    found = [channel for channel in known.values() if channel.kind == "apprise"]
    for name in names:
        if name not in known:
            no_such = Text(f"没有渠道 {name}", f"there is no channel {name}")
            raise GatewayError(no_such.en, no_such.zh)
        if known[name].kind != "apprise":
            raise GatewayError(f"{name}: {_OTHER.en}", f"{name}：{_OTHER.zh}")
    if not found:
        raise GatewayError(_NONE.en, _NONE.zh)
    return [channel for channel in found if not names or channel.name in names]


async def _try(site: SiteSettings, channels: Sequence[ChannelSettings], language: str) -> int:
    from gateway.dispatch.trial import trial_notice
    from gateway.notifiers.apprise_notifier import AppriseNotifier
    from gateway.notifiers.apprise_process import AppriseProcess

    process, failed = AppriseProcess(), 0
    try:
        for channel in channels:
            try:
                await AppriseNotifier(channel, process).send(trial_notice(site.name, channel))
            except NotifyError as error:
                failed += 1
                print(f"{channel.name}: {Text('未送出：', 'not sent: ')[language]}{error.say(language)}")
            else:
                print(f"{channel.name}: {_SENT[language]}")
    finally:
        await process.close()
    return failed
