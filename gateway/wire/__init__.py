"""MQTT topics and payloads both ways, and the database rows a message becomes."""
