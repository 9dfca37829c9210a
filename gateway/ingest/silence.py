"""What the centre writes in the name of a site that says nothing any more: messages a site would have sent, as rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gateway.model import Priority, ReadinessState, Reason, Text
from gateway.ports import Fact
from gateway.wire import topics
from gateway.wire.facts import facts
from gateway.wire.messages import Alarm, DeviceReadiness, Event, GatewayStatus, Json, KindCount, SiteReadiness
from gateway.wire.topics import GATEWAY, Channel, Topic

RULE = "site_silent"
KIND = "gateway"

SITE_SILENT = Reason(
    RULE,
    Priority.HIGH,
    Text("站点失联：网关不再上报，现状未知", "the site is silent: its gateway no longer reports, nothing is known"),
)
DEVICE_SILENT = Reason(
    "device_silent",
    Priority.HIGH,
    Text("网关在线，但不再上报这台设备", "the gateway is there but no longer reports this device"),
)
CENTRE_BLIND = Reason(
    "centre_cut_off",
    Priority.HIGH,
    Text("中心与消息服务器断开，看不到站点", "the centre is cut off from the broker and cannot see the site"),
)

_LOST = Text("站点失联：网关与消息服务器的连接已断开", "Site silent: the gateway's connection to the broker is lost")
_MUTE = Text("站点失联：网关仍连接，但不再上报", "Site silent: the gateway is connected but no longer reports")
_ACTION = Text(
    "联系现场，检查网关的电源和网络；恢复前不要依据旧数据判断装备是否可用",
    "Call the site and check the gateway's power and network; until it is back do not rely on old readings",
)


def why(*, is_blind: bool, is_site_silent: bool) -> Reason:
    """The reason an expired readiness is unknown."""
    if is_blind:
        return CENTRE_BLIND
    return SITE_SILENT if is_site_silent else DEVICE_SILENT


#: A person's word outranks not knowing, as it does at the site.
_STAYS = (ReadinessState.RETIRED, ReadinessState.OUT_OF_SERVICE)


def unknown(said: DeviceReadiness | SiteReadiness, reason: Reason, ts: int) -> DeviceReadiness | SiteReadiness:
    """What was last said, turned into not knowing: kind and labels stay, no score, nothing usable."""
    if isinstance(said, DeviceReadiness):
        state = said.state if said.state in _STAYS else ReadinessState.UNKNOWN
        return replace(said, state=state, score=None, reasons=(reason,), ts=ts)
    counts = {kind: _all_unknown(count) for kind, count in said.kinds.items()}
    return replace(said, state=ReadinessState.UNKNOWN, kinds=counts, ts=ts)


def _all_unknown(count: KindCount) -> KindCount:
    seen = count.ready + count.degraded + count.not_ready + count.unknown + count.in_use
    return KindCount(unknown=seen, out_of_service=count.out_of_service, required=count.required)


def alarm(
    site: str,
    said: DeviceReadiness | SiteReadiness,
    since: int,
    ts: int,
    status: GatewayStatus | None,
    devices: int,
) -> list[Fact]:
    """The site has said nothing since `since`. What is known of its connection tells a dead gateway from a mute one."""
    connection = "unknown" if status is None else "up" if status.online else "lost"
    text = _MUTE if connection == "up" else _LOST
    because: dict[str, Json] = {"connection": connection, "topics": devices}
    return _alarm_rows(site, said, ts, "UNACK", since, because, text)


def alarm_over(site: str, said: DeviceReadiness | SiteReadiness, ts: int) -> list[Fact]:
    """The site speaks again. Nobody acknowledges this alarm, so it goes straight back to NORMAL."""
    return _alarm_rows(site, said, ts, "NORMAL", ts, {}, _LOST)


def returned(
    site: str, said: DeviceReadiness | SiteReadiness, silent_from: int, back_ts: int, *, was_running: bool
) -> list[Fact]:
    """The event that says how long the site was silent, and whether its gateway was off or only cut off."""
    data: dict[str, Json] = {
        "from": silent_from,
        "to": back_ts,
        "seconds": (back_ts - silent_from) / 1000,
        "cause": "cut_off" if was_running else "off",
    }
    event = Event(KIND, said.labels, "site_returned", data, ts=back_ts)
    return facts(Topic(site, GATEWAY, Channel.EVENT), event)


def _alarm_rows(
    site: str,
    said: DeviceReadiness | SiteReadiness,
    ts: int,
    state: str,
    since: int,
    because: Mapping[str, Json],
    text: Text,
) -> list[Fact]:
    found = Alarm(
        device=GATEWAY,
        rule=RULE,
        kind=KIND,
        labels=said.labels,
        state=state,
        active=state != "NORMAL",
        acked=False,
        acks=(),
        acks_needed=1,
        suppression="NONE",
        priority=Priority.HIGH,
        since=since,
        because=because,
        text=text,
        action=_ACTION,
        ts=ts,
    )
    return facts(topics.Topic(site, GATEWAY, Channel.ALARM, RULE), found)
