"""Every broken site file gives its problems, all of them and no others, where its first comments say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.modbus import MODBUS
from gateway.errors import ConfigError
from gateway.settings import load_site

FOLDER = Path(__file__).parent / "broken"
FILES = sorted(FOLDER.glob("*.yaml"))

GOOD_SITE = """schema: 1
site: {id: a, name: {zh: 甲, en: A}, kind: warehouse}
lines: {lan: {tcp: '10.0.0.5:502'}}
devices:
  - id: tank-1
    kind: tank
    line: lan
    unit: 1
    interval: 5s
""".encode()

_EXPECTED = re.compile(r"# (\d+):(\d+): (\S+): ?(.*)")


def expected_of(path: Path) -> list[tuple[int, int, str, str]]:
    """Line, column, path and a phrase of each problem, from the comments a broken file starts with."""
    lines = path.read_bytes().decode(errors="replace").splitlines()
    found = [_EXPECTED.fullmatch(line) for line in lines]
    return [(int(each[1]), int(each[2]), each[3], each[4]) for each in found if each]


def test_there_are_thirty_broken_files_with_expectations() -> None:
    assert len(FILES) >= 30
    assert all(expected_of(path) for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_broken_file(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_site(path, {"modbus": MODBUS})
    problems = caught.value.problems
    expected = expected_of(path)
    assert [(each.line, each.column, each.path) for each in problems] == [each[:3] for each in sorted(expected)]
    for problem, (_, _, _, phrase) in zip(problems, sorted(expected), strict=True):
        assert phrase in f"{problem.text} ({problem.hint})"
        assert problem.file == str(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_chinese_says_the_same_at_the_same_places(path: Path) -> None:
    with pytest.raises(ConfigError) as english:
        load_site(path, {"modbus": MODBUS})
    with pytest.raises(ConfigError) as chinese:
        load_site(path, {"modbus": MODBUS}, "zh")
    assert [(each.line, each.path) for each in chinese.value.problems] == [
        (each.line, each.path) for each in english.value.problems
    ]
    for problem in (*chinese.value.problems, *english.value.problems):
        assert problem.hint, f"does not say what to write instead: {problem}"
    for problem in chinese.value.problems:
        assert re.search("[\u4e00-\u9fff]", problem.text), problem
    for problem in english.value.problems:
        assert not re.search("[\u4e00-\u9fff]", problem.text), problem


@pytest.mark.parametrize("name", ["duplicate_keys", "tab_for_indentation", "not_utf8", "missing_files"])
def test_real_command(name: str) -> None:
    path = FOLDER / f"{name}.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "check", "--lang", "en", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr == ""
    places = [tuple(line.split(":")[1:3]) for line in done.stdout.splitlines()]
    assert places == [(str(line), str(column)) for line, column, _, _ in sorted(expected_of(path))]


@pytest.mark.parametrize(
    ("name", "content", "zh", "en"),
    [
        ("none.yaml", None, "vigil init", "check the path"),
        ("folder", b"", "site.yaml", "site.yaml"),
        ("large.yaml", b"# " + b"x" * 4_000_001, "profile", "profile"),
        ("deep.yaml", b"[" * 60, "括号", "brackets"),
        ("list_as_key.yaml", b"? [a]\n: 1\n", "level:", "level:"),
        ("escape.yaml", b'schema: "\\UFFFFFFFF"\n', "单引号", "single quotes"),
        ("points.yaml", GOOD_SITE + b"    points: 3\n", "holding:40", "holding:40"),
        ("no_lines.yaml", GOOD_SITE.replace(b"lines: {lan: {tcp: '10.0.0.5:502'}}\n", b"lines: {}\n"), "lan:", "lan:"),
        ("fact.yaml", GOOD_SITE + b"    facts: {retired: 'yes'}\n", "不加引号", "without quotes"),
    ],
)
def test_whatever_is_wrong_with_a_file_says_what_to_do(
    tmp_path: Path, name: str, content: bytes | None, zh: str, en: str
) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    for language, hint in (("zh", zh), ("en", en)):
        with pytest.raises(ConfigError) as caught:
            load_site(path, {"modbus": MODBUS}, language)
        assert [hint in problem.hint for problem in caught.value.problems].count(True) == 1, caught.value.problems
