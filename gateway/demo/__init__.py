"""The whole chain on one machine: plant, gateway, embedded broker, ingest into a local history, page."""

from gateway.demo.chain import Chain, Counts, run_chain

__all__ = ["Chain", "Counts", "run_chain"]
