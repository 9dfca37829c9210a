"""JSON Schema of rule packs, for editors."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.rules.files import PackFile
from gateway.rules.types import ANY_KIND
from gateway.settings.schema import Schema, merged, titled


def pack_schema(kinds: Iterable[str]) -> Schema:
    """Of a rule pack, with the kinds of the vocabulary."""
    defs: Schema = {}
    schema = merged(defs, PackFile)
    kind = schema["properties"]["kind"]
    schema["properties"]["kind"] = {"enum": [*sorted(kinds), ANY_KIND], "description": kind["description"]}
    return titled("Vigil rule pack", schema, defs)
