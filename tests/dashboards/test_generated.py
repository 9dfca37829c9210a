"""The committed files are what `make dashboards` writes."""

from __future__ import annotations

from pathlib import Path

import yaml

from dashboards.source.generate import files, generate
from gateway.dashboards.folders import FOLDERS
from tests.dashboards.files import ROOT, paths


def test_committed_files_are_up_to_date() -> None:
    wanted = files()
    found = {name: (ROOT / name).read_text(encoding="utf-8") for name in wanted}
    changed = [name for name in wanted if found[name] != wanted[name]]
    assert changed == [], "run `make dashboards` and commit the result"


def test_no_dashboard_is_left_that_nobody_makes() -> None:
    assert {path.relative_to(ROOT).as_posix() for path in paths()} == {
        name for name in files() if name[:3] in ("zh/", "en/")
    }


def test_generating_removes_what_is_no_longer_made(tmp_path: Path) -> None:
    old = tmp_path / "zh" / "fleet" / "gone.json"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    kept = tmp_path / "zh" / "note.txt"
    kept.write_text("mine")
    written = generate(tmp_path)
    assert not old.exists()
    assert kept.exists()
    assert all(path.is_file() for path in written)


def test_provisioned_folders_are_those_that_push_makes() -> None:
    providers = yaml.safe_load((ROOT / "provisioning/dashboards/vigil.yaml").read_text(encoding="utf-8"))["providers"]
    found = {(each["folderUid"], each["folder"], each["options"]["path"]) for each in providers}
    assert found == {
        (folder.uid, folder.title, f"/var/lib/grafana/dashboards/vigil/{folder.lang}/{folder.level}")
        for folder in FOLDERS
    }
