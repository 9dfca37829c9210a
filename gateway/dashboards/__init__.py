"""Bringing the dashboards and alert rules into a Grafana, through its HTTP API."""
