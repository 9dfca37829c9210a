"""Looking for the units on a line, without ever writing."""

from gateway.scanning.asking import Ask, ask_directly, ask_gateway
from gateway.scanning.proposals import Candidate, load_candidates
from gateway.scanning.search import Found, LineDown, Search, describe, settings_to_try

__all__ = [
    "Ask",
    "Candidate",
    "Found",
    "LineDown",
    "Search",
    "ask_directly",
    "ask_gateway",
    "describe",
    "load_candidates",
    "settings_to_try",
]
