"""What people sign: the hand-over sheet of a shift, the draft of an express bulletin. Recorded facts alone."""

from gateway.reports.handover import Handover, handover, handover_document
from gateway.reports.incident import Incident, NoSuchIncident, Stage, incident, incident_document
from gateway.reports.journal import Journal, read_journal
from gateway.reports.names import Names
from gateway.reports.rendering import as_html, as_markdown
from gateway.reports.sheets import handover_html, journal_of

__all__ = [
    "Handover",
    "Incident",
    "Journal",
    "Names",
    "NoSuchIncident",
    "Stage",
    "as_html",
    "as_markdown",
    "handover",
    "handover_document",
    "handover_html",
    "incident",
    "incident_document",
    "journal_of",
    "read_journal",
]
