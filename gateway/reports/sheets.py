"""Reports of a site from the disk, for commands and pages; beside a gateway that runs, and without."""

from __future__ import annotations

from pathlib import Path

from gateway.errors import StoreError
from gateway.reports.handover import handover, handover_document
from gateway.reports.journal import Journal, read_journal
from gateway.reports.names import Names
from gateway.reports.rendering import as_html
from gateway.settings.types import SiteSettings
from gateway.store.trail import walk


def journal_of(state_dir: Path) -> Journal:
    """The journal as last committed; an empty one where no gateway ever ran. Reads the disk; StoreError."""
    path = state_dir / "journal.db"
    try:
        return read_journal(walk(path)) if path.is_file() else Journal()
    except OSError as error:
        raise StoreError(f"{path}: {error}") from error


def handover_html(site: SiteSettings, language: str, since: int, until: int) -> str:
    """The hand-over sheet of a shift (UTC ms) as a page of its own. Reads the disk: not for an event loop."""
    return as_html(handover_document(handover(journal_of(site.state_dir), since, until), Names.of(site, language)))
