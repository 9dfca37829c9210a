"""The centre's side: MQTT to InfluxDB, acknowledged after the write."""
