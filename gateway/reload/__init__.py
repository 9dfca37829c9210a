"""Another configuration for a running gateway: tried, watched, and taken back where it loses devices."""
