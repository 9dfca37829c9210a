"""From files people write to typed settings, or every problem at once with its place."""

from gateway.settings.ingest import load_ingest
from gateway.settings.site import load_site
from gateway.settings.vocabulary import load_vocabulary

__all__ = ["load_ingest", "load_site", "load_vocabulary"]
