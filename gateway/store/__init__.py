"""What is kept on disk: the journal (alarms, events, state) and telemetry (outbox, local history)."""

from gateway.store.blocks import Sample
from gateway.store.daily import Day
from gateway.store.documents import Documents
from gateway.store.gaps import Gap
from gateway.store.history import Bucket, History
from gateway.store.labels import Labelling
from gateway.store.lock import StateInUse, hold_state
from gateway.store.outbox import Outbox
from gateway.store.store import Store, StoreOptions, open_store
from gateway.store.trail import Entry, Trail

__all__ = [
    "Bucket",
    "Day",
    "Documents",
    "Entry",
    "Gap",
    "History",
    "Labelling",
    "Outbox",
    "Sample",
    "StateInUse",
    "Store",
    "StoreOptions",
    "Trail",
    "hold_state",
    "open_store",
]
