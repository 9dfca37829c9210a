"""Which database the centre's file names."""

from __future__ import annotations

from gateway.ingest.influx_v1 import InfluxV1
from gateway.ingest.influx_v2 import InfluxV2
from gateway.ports import Sink
from gateway.settings.types import InfluxSettings


def open_sink(influx: InfluxSettings) -> Sink:
    """The sink for `influx`, which settings have checked; GatewayError where its library is not installed."""
    if influx.api == "v2" and influx.org and influx.bucket and influx.token_file:
        return InfluxV2(influx.url, influx.org, influx.bucket, influx.token_file)
    if influx.api == "v1" and influx.database:
        return InfluxV1(influx.url, influx.database, influx.username, influx.password_file)
    raise AssertionError(f"settings let through api {influx.api} without its keys")
