"""Rule packs a site names: `builtin/<name>` or a path beside the file. What is in them is read by the rules."""

from __future__ import annotations

from pathlib import Path

from gateway.model import Text
from gateway.settings.bundled import config_dir
from gateway.settings.nodes import Listing, Scalar, Section
from gateway.settings.paths import check_file
from gateway.settings.problems import Problems, suggest

BUILTIN = "builtin/"


def pack_path(name: str, base: Path) -> Path:
    """The file of a rule pack; `base` is the folder of the site file."""
    return config_dir() / "rules" / f"{name.removeprefix(BUILTIN)}.yaml" if name.startswith(BUILTIN) else base / name


def read_packs(root: Section, base: Path, problems: Problems) -> dict[str, bytes]:
    """The bytes of every pack the site names, by name."""
    listing = root.get("rules")
    contents = {}
    for item in listing.items if isinstance(listing, Listing) else ():
        name = item.value if isinstance(item, Scalar) else None
        if not isinstance(name, str):
            continue
        path = pack_path(name, base)
        if name.startswith(BUILTIN) and not path.is_file():
            known = sorted(f"{BUILTIN}{each.stem}" for each in (config_dir() / "rules").glob("*.yaml"))
            problems.add(item.place, Text(f"没有规则包 {name}", f"there is no rule pack {name}"), suggest(name, known))
        elif check_file(path, item.place, problems):
            contents[name] = path.read_bytes()
    return contents
