"""The reference of all keys, `docs/configuration.md`, made from the same schemas that editors use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_HEAD = """# Configuration

Configuration is YAML. Only `true`, `false`, `null` and plain numbers have a meaning of their own: `off`, `no` and
`20:00` stay the text they are. A length of time has its unit (`500ms`, `1s`, `5m`, `2h`, `1d`), and a relative path
starts at the folder of the file it is written in. Passwords and tokens live in files of their own, which are named
here. `vigil check FILE` finds every mistake at once, says where it is and what to write instead; with `--plan` it also
shows what each line will be asked.

Editors that know JSON Schema find the same keys in `config/schema/`: for instance with
`# yaml-language-server: $schema=config/schema/site.schema.json` as the first line. The tables below are generated from
it (`python -m gateway.cli.schema`). `*` stands for a name of your own, `[]` for each entry of a list; **bold** keys
are required.
"""

#: File -> heading, and what to know before the table.
_PARTS = {
    "site": (
        "The site file",
        "`vigil run`, `vigil simulate` and `vigil check` read it; start from `config/sites/example.yaml`.",
    ),
    "ingest": (
        "The centre's file",
        """`vigil ingest` reads it; `config/sites/ingest.yaml` is one to start from. `api: v1` takes `database`,
`username` and `password_file`; `api: v2` takes `org`, `bucket` and `token_file`.""",
    ),
    "profile": (
        "Profiles",
        """A device model as data: `config/profiles/<vendor>/<model>.yaml`, or `profiles/` beside the site file. Keys of
points are those of the site file.""",
    ),
    "vocabulary": (
        "Vocabulary",
        "The words every kind of equipment is described with: `config/vocabulary/<kind>.yaml` (see vocabulary.md).",
    ),
}
_DEEPEST = 8


def reference(schemas: Mapping[str, Schema]) -> str:
    """The whole page; `schemas` by file name as in `config/schema/`."""
    parts = [_HEAD]
    for name, (title, words) in _PARTS.items():
        schema = schemas[f"{name}.schema.json"]
        parts.append(f"\n## {title}\n\n{words}\n\n| key | meaning | default or values |\n|---|---|---|\n")
        parts.extend(f"{row}\n" for row in dict.fromkeys(_rows(schema, schema, "", ())))
    return "".join(parts)


def _rows(root: Schema, node: Schema, path: str, above: Sequence[str]) -> Iterator[str]:
    """A row per key of `node` and below; a definition inside itself is not followed."""
    for part in _alternatives(root, node):
        required = part.get("required", ())
        for key, child in part.get("properties", {}).items():
            yield from _key(root, child, f"{path}.{key}" if path else key, key in required, above)
        for child in part.get("patternProperties", {}).values():
            yield from _rows(root, child, f"{path}.*", above)
        more = part.get("additionalProperties")
        if isinstance(more, Mapping):
            yield from _rows(root, more, f"{path}.*", above)
        if isinstance(part.get("items"), Mapping):
            yield from _rows(root, part["items"], f"{path}[]", above)


def _key(root: Schema, child: Schema, path: str, is_required: bool, above: Sequence[str]) -> Iterator[str]:
    resolved = _resolve(root, child)
    meaning = child.get("description") or resolved.get("description") or ""
    shown = f"**`{path}`**" if is_required else f"`{path}`"
    yield f"| {shown} | {_cell(meaning)} | {_cell(_values(root, child))} |"
    name = child.get("$ref", "")
    if name in above or len(above) >= _DEEPEST:
        return
    yield from _rows(root, child, path, (*above, name) if name else above)


def _values(root: Schema, node: Schema) -> str:
    """The default, else the values that are allowed, else an example."""
    found = {**_resolve(root, node), **node}
    if "default" in found and found["default"] is not None:
        return f"default {_code(found['default'])}"
    if "enum" in found and len(found["enum"]) <= 20:
        return " ".join(_code(value) for value in found["enum"])
    if found.get("examples"):
        return f"e.g. {_code(found['examples'][0])}"
    return str(found.get("type", ""))


def _alternatives(root: Schema, node: Schema) -> Iterator[Schema]:
    resolved = _resolve(root, node)
    yield resolved
    for union in ("anyOf", "oneOf", "allOf"):
        for part in resolved.get(union, ()):
            yield from _alternatives(root, part)


def _resolve(root: Schema, node: Schema) -> Schema:
    name = node.get("$ref")
    return root["$defs"][name.rpartition("/")[2]] if name else node


def _code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
