"""`vigil dashboards push` against a server that speaks Grafana's HTTP API, and what it says when things go wrong."""

from __future__ import annotations

import copy
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from gateway.cli import main
from gateway.settings.bundled import dashboards_dir
from tests.dashboards.files import alerting, load, paths
from tests.fakes.grafana import READ_ONLY, TOKEN, FakeGrafana
from tests.servers import free_port


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with FakeGrafana() as server:
        yield server


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "grafana.token"
    path.write_text(f"{TOKEN}\n")
    return path


def push(url: str, token: Path, *more: str) -> int:
    return main(["dashboards", "push", "--url", url, "--token-file", str(token), "--lang", "en", *more])


def test_everything_arrives_in_its_folder(
    grafana: FakeGrafana, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana.url, token) == 0
    state = grafana.state
    assert set(state.dashboards) == {load(path)["uid"] for path in paths()}
    assert state.folders["vigil-zh-fleet"]["title"] == "守望 · 全域"
    places = {uid: each["meta"]["folderUid"] for uid, each in state.dashboards.items()}
    assert places["vigil-overview-zh"] == "vigil-zh-fleet"
    assert places["vigil-site-en"] == "vigil-en-site"
    assert places["vigil-light_tower-zh"] == "vigil-zh-equipment"
    stored = state.dashboards["vigil-overview-zh"]["dashboard"]
    assert stored["panels"] == load("zh/fleet/overview.json")["panels"]
    assert set(state.rules) == {rule["uid"] for rule in alerting()["group"]["rules"]}
    assert state.contact_points == []
    assert "routes" not in state.policies
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"created {7 + len(paths()) + len(state.rules)}, updated 0, unchanged 0"


def test_the_second_time_nothing_changes(grafana: FakeGrafana, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(grafana.url, token, "--notify", "duty@example.org") == 0
    before = copy.deepcopy(grafana.state)
    grafana.writes.clear()
    capsys.readouterr()
    assert push(grafana.url, token, "--notify", "duty@example.org") == 0
    assert grafana.writes == []
    assert grafana.state == before
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("created 0, updated 0, unchanged ")


def test_a_dry_run_shows_what_differs_and_changes_nothing(
    grafana: FakeGrafana, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana.url, token, "--dry-run") == 0
    assert grafana.writes == []
    assert "dashboard vigil-overview-zh: would be created" in capsys.readouterr().out

    assert push(grafana.url, token) == 0
    grafana.state.dashboards["vigil-overview-zh"]["dashboard"]["panels"][3]["title"] = "mine"
    grafana.state.dashboards["vigil-site-zh"]["meta"]["folderUid"] = "elsewhere"
    grafana.state.rules["vigil-site-silent"]["for"] = "2h"
    grafana.state.folders["vigil-zh-site"]["title"] = "old"
    grafana.writes.clear()
    capsys.readouterr()
    assert push(grafana.url, token, "--dry-run") == 0
    assert grafana.writes == []
    out = capsys.readouterr().out
    assert '    panels[3].title: "mine" -> "? 状态不明站点"' in out
    assert '    folder: "elsewhere" -> "vigil-zh-site"' in out
    assert '    for: "2h" -> "0s"' in out
    assert '    title: "old" -> "守望 · 站点"' in out
    assert out.splitlines()[-1].startswith("would be created 0, would be updated 4, unchanged ")

    assert push(grafana.url, token) == 0
    assert sorted(grafana.writes) == [
        ("POST", "dashboards/db"),
        ("POST", "dashboards/db"),
        ("PUT", "folders/vigil-zh-site"),
        ("PUT", "v1/provisioning/alert-rules/vigil-site-silent"),
    ]
    grafana.writes.clear()
    assert push(grafana.url, token) == 0
    assert grafana.writes == []


def test_what_people_made_stays(grafana: FakeGrafana, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = grafana.state
    state.folders["own"] = {"uid": "own", "title": "Own", "version": 1}
    theirs = {
        "dashboard": {"uid": "own-1", "title": "Own", "tags": ["vigil"], "version": 3},
        "meta": {"folderUid": "own"},
    }
    state.dashboards["own-1"] = copy.deepcopy(theirs)
    state.rules["own-rule"] = {"uid": "own-rule", "title": "x"}
    state.contact_points.append({"uid": "p", "name": "vigil-duty", "type": "wecom", "settings": {"url": "[REDACTED]"}})
    branch = {"receiver": "grafana-default-email", "object_matchers": [["team", "=", "it"]]}
    state.policies["routes"] = [branch]
    assert push(grafana.url, token, "--notify", "duty@example.org") == 0
    assert state.dashboards["own-1"] == theirs
    assert state.rules["own-rule"] == {"uid": "own-rule", "title": "x"}
    assert [each["type"] for each in state.contact_points] == ["wecom"]
    assert state.policies["routes"] == [alerting()["route"], branch]
    assert state.policies["receiver"] == "grafana-default-email"
    assert "own-1" not in capsys.readouterr().out


def test_a_dashboard_that_is_no_longer_shipped_is_named_and_left(
    grafana: FakeGrafana, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana.url, token) == 0
    gone = {
        "dashboard": {"uid": "vigil-old-zh", "title": "x", "tags": ["vigil"]},
        "meta": {"folderUid": "vigil-zh-fleet"},
    }
    grafana.state.dashboards["vigil-old-zh"] = gone
    capsys.readouterr()
    assert push(grafana.url, token) == 0
    assert "dashboard vigil-old-zh: no longer shipped, remove it by hand" in capsys.readouterr().out
    assert "vigil-old-zh" in grafana.state.dashboards


def test_the_address_of_the_contact_point_can_be_changed(grafana: FakeGrafana, token: Path) -> None:
    for address in ("duty@example.org", "night@example.org"):
        assert push(grafana.url, token, "--notify", address) == 0
        (point,) = grafana.state.contact_points
        assert point["settings"]["addresses"] == address
    assert len(grafana.state.policies["routes"]) == 1


def test_one_language_without_alerts_below_a_folder(grafana: FakeGrafana, token: Path) -> None:
    grafana.state.folders["county"] = {"uid": "county", "title": "County", "version": 1}
    assert push(grafana.url, token, "--only", "zh", "--no-alerts", "--folder-parent", "county") == 0
    assert {uid[-2:] for uid in grafana.state.dashboards} == {"zh"}
    assert grafana.state.rules == {}
    ours = {uid: each for uid, each in grafana.state.folders.items() if uid != "county"}
    assert {each["parentUid"] for each in ours.values()} == {"county"}
    grafana.state.folders["vigil-zh-site"]["parentUid"] = "elsewhere"
    assert push(grafana.url, token, "--only", "zh", "--no-alerts", "--folder-parent", "county") == 0
    assert grafana.state.folders["vigil-zh-site"]["parentUid"] == "county"


def test_below_a_path_and_over_tls(tmp_path: Path, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    with FakeGrafana("/grafana", context) as grafana:
        assert push(f"{grafana.url}/", token, "--ca-file", str(ca_file), "--only", "en") == 0
        assert grafana.state.dashboards
        assert push(grafana.url, token) == 1
    assert "is not trusted" in capsys.readouterr().err
    assert push("https://127.0.0.1/", token, "--ca-file", str(token)) == 2


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_failures_say_what_to_do(
    grafana: FakeGrafana, token: Path, tmp_path: Path, lang: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(url: str, file: Path, *more: str) -> tuple[int, str]:
        code = main(["dashboards", "push", "--url", url, "--token-file", str(file), *more, "--lang", lang])
        return code, capsys.readouterr().err.splitlines()[-1]

    wrong, viewer, empty = tmp_path / "wrong", tmp_path / "viewer", tmp_path / "empty"
    wrong.write_text("nonsense")
    viewer.write_text(READ_ONLY)
    empty.write_text("\n")
    found = {
        "401": failing(grafana.url, wrong),
        "403": failing(grafana.url, viewer),
        "refused": failing(f"http://127.0.0.1:{free_port()}", token),
        "no parent": failing(grafana.url, token, "--folder-parent", "none"),
        "another path": failing(f"{grafana.url}/elsewhere", token),
        "no name": failing("http://no-such-host.invalid", token),
        "no TLS": failing(grafana.url.replace("http", "https"), token),
    }
    words = {
        "401": ("does not accept the token", "不接受这个令牌"),
        "403": ("may not do this", "没有这项权限"),
        "refused": ("nobody listens", "没有程序在监听"),
        "no parent": ("there is no folder", "没有 uid 为"),
        "another path": ("is not Grafana's API", "不是 Grafana 的接口"),
        "no name": ("is not known", "找不到主机"),
        "no TLS": ("no TLS", "无法建立加密连接"),
    }
    for name, (code, line) in found.items():
        assert code == 1, name
        assert words[name][lang == "zh"] in line, f"{name}: {line}"
        assert TOKEN not in line
    for url, file in ((grafana.url, empty), (grafana.url, tmp_path / "none"), ("ftp://x", token), ("nonsense", token)):
        assert failing(url, file)[0] == 2
    assert grafana.writes == []


def test_somebody_else_saves_at_the_same_moment(
    grafana: FakeGrafana, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana.url, token) == 0
    kept = grafana.state.dashboards["vigil-overview-zh"]["dashboard"]
    kept["title"] = "changed"

    def interrupt(method: str, path: str) -> None:
        kept["version"] += 1

    grafana.interrupt = interrupt
    assert push(grafana.url, token) == 1
    assert "run this again" in capsys.readouterr().err
    grafana.interrupt = None
    assert push(grafana.url, token) == 0
    assert grafana.state.dashboards["vigil-overview-zh"]["dashboard"]["title"] == "守望 · 一张图"


def test_what_grafana_has_from_files_is_not_fought_over(
    grafana: FakeGrafana, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana.url, token) == 0
    grafana.state.dashboards["vigil-overview-zh"]["meta"]["provisioned"] = True
    assert push(grafana.url, token) == 0, "it is as it should be"
    grafana.state.dashboards["vigil-overview-zh"]["dashboard"]["title"] = "older"
    assert push(grafana.url, token) == 1
    assert "is provisioned from a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", "is not Grafana's API"),
        (
            b"HTTP/1.1 302 Found\r\nLocation: https://sso/\r\nContent-Length: 0\r\n\r\n",
            "sends elsewhere, to https://sso/",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the connection to"),
        (b"", "the connection to"),
    ],
)
def test_something_else_answers(answer: bytes, words: str, token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        assert push(f"http://127.0.0.1:{listening.getsockname()[1]}", token) == 1
        server.join()
    assert words in capsys.readouterr().err.splitlines()[-1]


def test_a_token_over_a_network_in_clear_is_remarked_on(token: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert push("http://no-such-host.invalid", token) == 1
    assert "travels in clear" in capsys.readouterr().err


def test_export_writes_what_provisioning_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out"
    assert main(["dashboards", "export", str(target), "--lang", "zh"]) == 0
    assert str(target) in capsys.readouterr().out
    for name in ("zh/fleet/overview.json", "provisioning/alerting/vigil.yaml", "provisioning/datasources/vigil.yaml"):
        assert (target / name).read_bytes() == (dashboards_dir() / name).read_bytes()
    assert not (target / "source").exists()
    file = tmp_path / "file"
    file.write_text("")
    assert main(["dashboards", "export", str(file), "--lang", "zh"]) == 1
    assert "无法写入" in capsys.readouterr().err


def test_usage_is_told_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["dashboards", "--lang", "zh"], ["dashboards", "push", "--lang", "zh"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert "缺少参数" in capsys.readouterr().err
