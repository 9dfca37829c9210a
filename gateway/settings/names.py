"""Names that would collide in the database: tags, fields and points share one space for each measurement."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gateway.model import Text
from gateway.settings.nodes import Section
from gateway.settings.problems import Problems

TAGS = frozenset(("site", "device", "kind", "rule", "type", "point"))

#: Fields of the measurements that are not a device's own.
FIELDS = frozenset(
    (
        "status", "good", "uncertain", "bad", "worst", "state", "ready", "usable", "score", "reasons", "lat", "lon",
        "name_zh", "name_en", "level", "active", "acked", "suppression", "priority", "text_zh", "text_en", "because",
        "from", "to", "count", "why",
    )
)  # fmt: skip

#: Counted states of a kind in measurement `site`: `<kind>_ready`, ...
COUNTS = ("ready", "degraded", "not_ready", "unknown", "in_use", "out_of_service", "usable", "required")

RESERVED_POINTS = ("time", "site", "device")


def review_labels(labels: Section, kinds: Iterable[str], points: Collection[str], problems: Problems) -> None:
    """Say of every label that would collide with what."""
    counts = {f"{kind}_{count}" for kind in kinds for count in COUNTS}
    for key, entry in labels.entries.items():
        name = str(key)
        hint = Text(f"换一个名字，例如 site_{name}", f"use another name, such as site_{name}")
        if name in TAGS or name == "time":
            problems.add(
                entry.key,
                Text(f"{name} 是固定标签，不能用作标签名", f"{name} is a tag of its own and cannot be a label"),
                hint,
            )
        elif name in FIELDS or name in counts:
            problems.add(
                entry.key,
                Text(f"{name} 是数据库字段，不能用作标签名", f"{name} is a database field and cannot be a label"),
                hint,
            )
        elif name in points:
            problems.add(
                entry.key,
                Text(f"{name} 是测点名，不能用作标签名", f"{name} is the name of a point and cannot be a label"),
                hint,
            )
