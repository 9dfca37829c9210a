"""`python -m gateway.cli.schema` writes what is made from the settings: `config/schema/`, `docs/configuration.md`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from gateway.app import PROTOCOLS
from gateway.settings.bundled import config_dir
from gateway.settings.reference import reference
from gateway.settings.schema import schemas
from gateway.settings.vocabulary import load_vocabulary


def texts() -> Mapping[Path, str]:
    """What each generated file must hold."""
    made = schemas(PROTOCOLS, load_vocabulary())
    folder = config_dir()
    files = {
        folder / "schema" / name: json.dumps(schema, ensure_ascii=False, indent=1) for name, schema in made.items()
    }
    page = folder.parent / "docs" / "configuration.md"
    return {path: text + "\n" for path, text in files.items()} | {page: reference(made)}


def main() -> None:
    """Write them all."""
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
