"""The udev rules that ship are rules, and the ones the documents and `vigil doctor` name."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "config" / "udev" / "61-vigil-serial.rules"
TOKEN = re.compile(r'(?:[A-Z]+(?:\{[A-Za-z_]+\})?)\s*(?:==|!=|\+=|=)\s*"[^"]*"')
MATCHES = {"ACTION", "SUBSYSTEM", "SUBSYSTEMS", "DRIVER", "ENV", "ATTR", "ATTRS"}
ASSIGNED = {"GROUP", "MODE", "SYMLINK", "ENV", "ATTR"}


def rules() -> list[list[str]]:
    lines = [line for line in RULES.read_text().splitlines() if line and not line.startswith("#")]
    return [TOKEN.findall(line) for line in lines if TOKEN.sub("", line).strip(" ,") == ""]


def test_every_line_is_a_rule_that_matches_and_assigns() -> None:
    lines = [line for line in RULES.read_text().splitlines() if line and not line.startswith("#")]
    assert len(rules()) == len(lines) >= 4
    for rule in rules():
        matched = {re.split(r"\{|==|!=", token)[0] for token in rule if "==" in token or "!=" in token}
        assigned = {re.split(r"\{|\+=|=", token)[0] for token in rule if "==" not in token and "!=" not in token}
        assert matched, rule
        assert matched <= MATCHES, rule
        assert assigned, rule
        assert assigned <= ASSIGNED, rule


def test_the_rules_are_called_by_their_name() -> None:
    for path in ("docs/operations.md", "gateway/commissioning/checks/ports.py"):
        named = set(re.findall(r"[\w-]+\.rules", (ROOT / path).read_text()))
        assert named == {RULES.name}
