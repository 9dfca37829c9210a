"""`vigil notify` tries channels and says what became of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli import main
from tests.fakes.http_script import HttpScript, Said

SITE = """\
schema: 1
site: {id: a, name: {zh: 城东库, en: East depot}, kind: warehouse}
notify:
  channels:
    duty: {apprise: duty.urls}
    chief: {apprise: chief.urls, language: both, form: short}
    centre: {mqtt: true}
"""


def site_file(folder: Path, duty: HttpScript, chief: HttpScript) -> str:
    for name, server in (("duty", duty), ("chief", chief)):
        (folder / f"{name}.urls").write_text(server.url.replace("http", "json"), encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return str(path)


def test_each_channel_is_tried_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with HttpScript(lambda _: Said(200)) as duty, HttpScript(lambda _: Said(503)) as chief:
        file = site_file(tmp_path, duty, chief)
        assert main(["notify", file, "--lang", "en"]) == 1
        out = capsys.readouterr().out.splitlines()
        assert out[0] == "duty: sent; see whether it arrived"
        assert out[1].startswith("chief: not sent: address 1: ")
        assert main(["notify", file, "duty", "--lang", "zh"]) == 0
        assert capsys.readouterr().out == "duty: 已送出，请在收件端核对\n"
    (first, second) = (json.loads(asked.body) for asked in duty.asked)
    assert first["title"] == second["title"] == "【测试】城东库：通知渠道 duty"
    assert "无需处置" in first["message"]
    assert "[TEST] East depot: channel chief. This is a test" in json.loads(chief.asked[0].body)["message"]


@pytest.mark.parametrize(
    ("names", "why"), [(["nobody"], "there is no channel nobody"), (["centre"], "centre: no Apprise channel")]
)
def test_what_cannot_be_tried(names: list[str], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with HttpScript(lambda _: Said(200)) as server:
        assert main(["notify", site_file(tmp_path, server, server), *names, "--lang", "en"]) == 1
        assert why in capsys.readouterr().err
        assert server.asked == []
