"""The site's local page."""
