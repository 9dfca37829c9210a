"""`python -m gateway.cli.schema` writes what is made from settings and rules: `config/schema/`,
`docs/configuration.md`, `docs/rules.md`, the diagram in `docs/alarms.md`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from gateway.alarms.table import with_diagram
from gateway.app import PROTOCOLS
from gateway.rules.book import builtin_packs
from gateway.rules.schema import pack_schema
from gateway.rules.table import page
from gateway.settings.bundled import config_dir
from gateway.settings.reference import reference
from gateway.settings.schema import schemas
from gateway.settings.vocabulary import load_vocabulary


def texts() -> Mapping[Path, str]:
    """What each generated file must hold."""
    made = schemas(PROTOCOLS, load_vocabulary())
    rules = pack_schema(load_vocabulary())
    folder = config_dir()
    files = {
        folder / "schema" / name: json.dumps(schema, ensure_ascii=False, indent=1)
        for name, schema in [*made.items(), ("rules.schema.json", rules)]
    }
    pages = {"configuration.md": reference(made), "rules.md": page(builtin_packs())}
    docs = folder.parent / "docs"
    return {path: text + "\n" for path, text in files.items()} | {
        **{docs / name: text for name, text in pages.items()},
        docs / "alarms.md": with_diagram((docs / "alarms.md").read_text(encoding="utf-8")),
    }


def main() -> None:
    """Write them all."""
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
