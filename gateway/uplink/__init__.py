"""The gateway's MQTT session: live rows at once, the backlog beside them, forgotten when stored."""
