"""What an ingest worker counts: everything that came, went, was refused or dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields


def _counter(meaning: str) -> int:
    return field(default=0, metadata={"meaning": meaning})


@dataclass(slots=True)
class Books:
    """Counts since start. Each field is one metric, `vigil_ingest_<field>_total`."""

    messages: int = _counter("Messages received from the broker")
    empty: int = _counter("Empty payloads passed over")
    malformed: int = _counter("Messages that could not be read, sent to dead letters")
    facts: int = _counter("Rows the database took")
    rejected: int = _counter("Rows the database refused for good, sent to dead letters")
    batches: int = _counter("Batches written")
    retries: int = _counter("Writes that had to be tried again")
    acknowledged: int = _counter("Messages acknowledged to the broker after they were stored")
    confirmed: int = _counter("Sequence numbers reported as stored")
    confirmations_refused: int = _counter("Reports of stored messages the broker did not take")
    confirmations_missed: int = _counter("Reports of stored messages not sent for want of a connection")
    unkept: int = _counter("Dead letters that could not be written; their messages stay unconfirmed")
    dead_letters_dropped: int = _counter("Dead letters dropped, oldest first, to keep within their space")
    sites_silent: int = _counter("Times a site fell silent")
    watch_rows_dropped: int = _counter(
        "Rows of the watch dropped, oldest first, because the database was down too long"
    )
    unknown_rows: int = _counter("Rows written for sites and devices that fell silent")


Gauges = dict[str, tuple[str, Callable[[], float]]]
"""Name -> meaning and how to read it now."""


def exposition(books: Books, gauges: Gauges) -> str:
    """Books and gauges in the Prometheus text format."""
    lines: list[str] = []
    for counter in fields(books):
        name = f"vigil_ingest_{counter.name}_total"
        lines += [f"# HELP {name} {counter.metadata['meaning']}", f"# TYPE {name} counter"]
        lines.append(f"{name} {getattr(books, counter.name)}")
    for short, (meaning, read) in gauges.items():
        name = f"vigil_ingest_{short}"
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name} {read():g}"]
    return "\n".join(lines) + "\n"
