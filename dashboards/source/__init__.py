"""Dashboards and alert rules as code: `python -m dashboards.source` writes the JSON and YAML that Grafana reads."""
