"""`vigil check` as a person meets it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.modbus import MODBUS
from gateway.cli import main
from gateway.cli.tables import aligned, size, width
from gateway.cli.traffic import site_traffic
from gateway.settings import load_site
from gateway.settings.durations import duration_text
from tests.unit.settings.fake import FAKES
from tests.unit.settings.sample import GOOD, write_site

SITE = """\
schema: 1
site: {id: depot-07, name: {zh: 库, en: Depot}, kind: warehouse, labels: {city: xining}}
lines: {lan: {tcp: "10.0.0.5:502"}}
devices:
  - id: tank-1
    kind: tank
    line: lan
    unit: 1
    interval: 5s
    points:
      level: {at: "holding:40", type: float32}
      volume: {at: "holding:42", type: uint32}
rules: [builtin/generator]
rule_overrides: {battery_low: {limits: {low: 11.9}, levels: {medium: {on: 20m}}}}
"""


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = main(["check", "--lang", "en", *arguments])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, captured.out.splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def test_a_good_site_is_one_line(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(capsys, str(site)) == (0, [f"{site}: ok: depot-07, lines: 1, devices: 1, points: 2"])


def test_a_good_ingest_file_and_a_good_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_site(tmp_path, GOOD)
    ingest = tmp_path / "ingest.yaml"
    ingest.write_text(
        'schema: 1\nmqtt: {url: "mqtt://h"}\ninflux: {url: "http://d:8086", api: v1, database: v}\n', encoding="utf-8"
    )
    profile = tmp_path / "profiles" / "acme" / "g1.yaml"
    assert check(capsys, str(ingest)) == (0, [f"{ingest}: ok: h:1883 -> http://d:8086 (v1)"])
    assert check(capsys, str(profile)) == (0, [f"{profile}: ok: generator, points: 4"])


def test_problems_stand_on_stdout_sorted(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.write_text(
        SITE.replace("kind: tank", "kind: tnk").replace("kind: warehouse", "knd: warehouse"), encoding="utf-8"
    )
    assert check(capsys, str(site)) == (
        2,
        [
            f"{site}:2:1: site.kind: this key is missing (such as kind: warehouse)",
            f"{site}:2:48: site.knd: there is no key knd here (did you mean kind?)",
            f"{site}:6:11: devices[0].kind: there is no kind tnk (did you mean tank?)",
        ],
    )


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "file format 7 is of a newer version of Vigil; this one reads format 1 (upgrade Vigil)"),
        ("zh", "文件格式 7 属于更新版本的守望，本版只能读格式 1 (升级守望)"),
    ],
)
@pytest.mark.parametrize("kind", ["site", "pack", "profile"])
def test_of_a_file_for_a_newer_version_nothing_else_is_said(
    kind: str, language: str, said: str, site: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    profile = tmp_path / "profiles" / "acme" / "g1.yaml"
    pack = tmp_path / "pack.yaml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    for each in (pack, profile):
        each.write_text("schema: 1\nkind: generator\n", encoding="utf-8")
    file = {"site": site, "pack": pack, "profile": profile}[kind]
    file.write_text(
        file.read_text(encoding="utf-8").replace("schema: 1\n", "schema: 7\nflavour: sweet\n", 1), encoding="utf-8"
    )
    assert main(["--lang", language, "check", str(file)]) == 2
    assert capsys.readouterr().out.splitlines() == [f"{file}:1:9: schema: {said}"]


def test_the_plan(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = check(capsys, str(site), "--plan")
    text = "\n".join(lines)
    assert code == 0
    assert lines[0] == "line lan  tcp:10.0.0.5:502  devices: 1"
    assert lines[1].split() == ["device", "table", "first", "count", "points", "every", "wire", "ms"]
    assert lines[2].split()[:6] == ["tank-1", "holding", "40", "4", "2", "5s"]
    assert "one cycle: 1 requests" in lines[3]
    assert "vigil/v1/depot-07/tank-1/telemetry" in text
    series = dict(line.split()[:2] for line in lines[lines.index("InfluxDB series") + 1 :] if len(line.split()) > 1)
    health = len(load_site(site, {"modbus": MODBUS}).kinds["gateway"].points)
    assert (series["tank"], series["readiness"]) == ("1", "1")
    assert (series["point_quality"], series["quality"], series["total"]) == (str(2 + health), "2", str(8 + health))
    assert "at rest" in text
    assert "battery_low  limits.low        12 -> 11.9" in text
    assert "battery_low  levels.medium.on  10m -> 20m" in text
    assert lines[-1] == f"{site}: ok: depot-07, lines: 1, devices: 1, points: 2"


def test_the_plan_in_chinese(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "zh", "check", "--plan", str(site)]) == 0
    text = capsys.readouterr().out
    for words in ("线路 lan", "设备", "一轮共 1 个请求", "MQTT 主题", "InfluxDB 序列数", "每天上传字节", "正确"):
        assert words in text
    head, row = text.splitlines()[1:3]
    assert width(head) == width(row)


def test_bytes_per_day_follow_report_policies(tmp_path: Path) -> None:
    """One point of 60 s against one of 6 s: ten times the telemetry, and the worst case is the poll interval."""

    def traffic(every: str, interval: str) -> tuple[float, float]:
        path = tmp_path / "site.yaml"
        point = f"{{at: 1, interval: {interval}, report: {{every: {every}}}}}"
        path.write_text(
            "schema: 1\nsite: {id: a, name: {zh: 甲, en: A}, kind: shelter}\nlines: {a: {tcp: x}}\n"
            f"devices: [{{id: t, kind: tank, line: a, unit: 1, points: {{level: {point}}}}}]\n",
            encoding="utf-8",
        )
        total = site_traffic(load_site(path, FAKES))
        return total.at_rest, total.at_most

    slow, fast = traffic("60s", "6s"), traffic("6s", "6s")
    assert slow[1] == fast[1] == fast[0] > slow[0]
    one_message = (fast[0] - slow[0]) / (86400 / 6 - 86400 / 60)
    assert 100 < one_message < 250


@pytest.mark.parametrize(
    ("arguments", "language", "words"),
    [
        (["check"], "en", "the following arguments are required: CONFIG"),
        (["check"], "zh", "缺少参数：CONFIG"),
        (["chekc"], "zh", "不能是 'chekc'"),
        (["check", "a", "--paln"], "en", "unrecognized arguments: --paln"),
        (["check", "a", "--paln"], "zh", "不认识的参数：--paln"),
        (["check", "a", "--lang", "fr"], "en", "invalid choice: 'fr'"),
        ([], "zh", "缺少参数：COMMAND"),
    ],
)
def test_wrong_usage_exits_with_2(
    arguments: list[str], language: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8" if language == "zh" else "C.UTF-8")
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("usage:", "options:")), ("zh", ("用法：", "选项：", "显示帮助"))]
)
def test_help(language: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["check", "--help"]):
        with pytest.raises(SystemExit) as stopped:
            main([*arguments, "--lang", language] if arguments[0] == "check" else [f"--lang={language}", *arguments])
        assert stopped.value.code == 0
        text = capsys.readouterr().out
        assert all(word in text for word in words)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_the_real_command_speaks_the_locale_s_language(site: Path) -> None:
    done = run("check", str(site), LC_ALL="zh_CN.UTF-8", PYTHONUTF8="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "正确" in done.stdout


def test_a_terminal_without_chinese_shows_something(site: Path) -> None:
    done = run("check", "--lang", "zh", str(site), LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "depot-07" in done.stdout


def test_a_reader_that_goes_away_is_no_crash(site: Path) -> None:
    lines = "\n".join(f"  extra{n}: 1" for n in range(5000))
    site.write_text(SITE.replace("rule_overrides", f"oops:\n{lines}\nrule_overrides"), encoding="utf-8")
    command = f"{sys.executable} -m gateway check {site} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert "oops" in done.stdout
    assert "Traceback" not in done.stderr


def test_only_the_asked_command_is_imported() -> None:
    code = (
        "import sys, gateway.cli as cli\n"
        "try: cli.main(['check', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(name for name in sys.modules if name.startswith(('gateway.cli.run', 'gateway.app', 'paho'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_tables_align_chinese() -> None:
    rows = [["设备", "数量"], ["gen-1", "7"]]
    lines = aligned(rows, right=(1,))
    assert lines == ["  设备   数量", "  gen-1     7"]
    assert width("设备a") == 5


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.5, "500ms"), (1.0, "1s"), (1.5, "1.5s"), (300.0, "5m"), (7200.0, "2h"), (86400.0, "1d"), (90.0, "90s")],
)
def test_durations_as_files_write_them(value: float, shown: str) -> None:
    assert duration_text(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 B"), (999, "999 B"), (1234, "1.23 kB"), (26_543_210, "26.5 MB"), (4_321_000_000, "4.32 GB")],
)
def test_sizes(value: float, shown: str) -> None:
    assert size(value) == shown
