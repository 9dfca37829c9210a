"""Stand-ins for servers that a test cannot run for real."""
