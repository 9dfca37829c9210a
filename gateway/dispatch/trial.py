"""A notice that says of itself that it is a test, so that a channel can be tried before it is needed."""

from __future__ import annotations

import secrets

from gateway.model import Priority, Text
from gateway.ports import Notice
from gateway.settings.notify_types import ChannelSettings


def trial_notice(site: Text, channel: ChannelSettings) -> Notice:
    """In the language of the channel; names no alarm."""
    id_ = f"test-{secrets.token_hex(4)}"
    title = Text(f"【测试】{site.zh}：通知渠道 {channel.name}", f"[TEST] {site.en}: channel {channel.name}")
    body = Text(
        f"这是一条测试消息，没有告警，无需处置。收到即表示渠道可用。编号 {id_}",
        f"This is a test, there is no alarm and nothing to do. The channel works if you read this. Ref {id_}",
    )
    languages = ("zh", "en") if channel.language == "both" else (channel.language,)
    return Notice(
        id=id_,
        channel=channel.name,
        priority=Priority.LOW,
        title=" / ".join(title[each] for each in languages),
        short="\n".join(
            f"{title[each]}。{body[each]}" if each == "zh" else f"{title[each]}. {body[each]}" for each in languages
        ),
        long="\n\n".join(body[each] for each in languages),
        alarms=(),
    )
