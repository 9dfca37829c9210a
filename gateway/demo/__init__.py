"""The whole chain on one machine: plant, gateway, embedded broker, ingest into a local history, page."""
