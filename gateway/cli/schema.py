"""Writes the JSON Schemas of `config/schema/`: `python -m gateway.cli.schema`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.app import PROTOCOLS
from gateway.settings.bundled import config_dir
from gateway.settings.schema import schemas
from gateway.settings.vocabulary import load_vocabulary


def texts() -> Mapping[str, str]:
    """What each file of `config/schema/` must hold."""
    made = schemas(PROTOCOLS, load_vocabulary())
    return {name: json.dumps(schema, ensure_ascii=False, indent=1) + "\n" for name, schema in made.items()}


def main() -> None:
    """Write them all."""
    for name, text in texts().items():
        path = config_dir() / "schema" / name
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
