"""The gateway's own figures, by their names in the vocabulary of kind `gateway`."""

from __future__ import annotations

from gateway.field import Field
from gateway.flow.reporter import Counts
from gateway.model import Value
from gateway.store.outbox import OutboxCounts
from gateway.uplink.health import Health


def books(
    counts: Counts, outbox: OutboxCounts, field: Field, uplink: Health | None, not_understood: int
) -> dict[str, Value]:
    """What was polled, sent, kept and confirmed since the start; without an uplink nothing is said of one.
    `not_understood` are the answers nobody understood that did not come by the uplink; what came by it is added."""
    stats, past = field.stats(), field.past
    values: dict[str, Value] = {
        "samples_polled": counts.polled,
        "samples_published": counts.sent,
        "samples_unchanged": counts.unchanged,
        "outbox_rows": outbox.rows,
        "outbox_bytes": outbox.bytes,
        "outbox_usage": round(outbox.usage, 1),
        "rows_accepted": outbox.accepted,
        "rows_confirmed": outbox.confirmed,
        "rows_dropped": outbox.dropped,
        "rows_refused": outbox.dead,
        "not_understood": not_understood + (uplink.malformed if uplink is not None else 0),
        "devices_silent": sum(1 for each in stats if each.silent_since is not None),
        "polls": past["polls"] + sum(each.polls for each in stats),
        "polls_missed": past["skipped"] + sum(each.skipped for each in stats),
    }
    if uplink is None:
        return values
    return values | {
        "uplink_connected": uplink.connected,
        "uplink_reconnects": max(0, uplink.connects - 1),
        "rows_sent": uplink.sent,
        "rows_resent": uplink.resent,
    }
