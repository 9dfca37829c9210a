"""A first site from answers alone: what every site needs stands in it, also where nobody asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import app
from gateway.commissioning.interview import AnswerFile
from gateway.commissioning.site_file import Draft, site_text
from gateway.installing.first_site import first_site
from gateway.installing.looking import Step
from gateway.model import Text
from gateway.rules.book import load_rules


class Screen:
    def say(self, text: Text) -> None:
        assert text.zh
        assert text.en

    def progress(self, total: int) -> Step:
        raise AssertionError(f"nothing is searched here, {total} steps were announced")


async def made(folder: Path, **answers: str) -> Draft:
    given = {
        "site.id": "depot-07",
        "lines": "10.0.0.5:502",
        "lan-1.makers": "",
        "lan-1.scan": "no",
        "lan-1.units": "1",
        "lan-1.1.profile": "eastron/sdm630",
        "web": "no",
        **answers,
    }
    return await first_site(AnswerFile(given), Screen(), "en", folder)


@pytest.mark.parametrize("profile", ["eastron/sdm630", "smartgen/hgm6100n"])
async def test_silence_of_a_device_and_a_sick_gateway_are_always_alarms(tmp_path: Path, profile: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(site_text(await made(tmp_path, **{"lan-1.1.profile": profile})), encoding="utf-8")
    site = app.load(path, "en")
    packs = {pack.name for pack in load_rules(site).packs}
    assert {"builtin/communication", "builtin/gateway"} <= packs
    assert ("builtin/generator" in packs) is profile.startswith("smartgen")


@pytest.mark.parametrize("between", [" ", ",", ", ", "，", "、"])
async def test_commas_are_as_good_as_blanks(tmp_path: Path, between: str) -> None:
    lines, makers = between.join(("10.0.0.5:502", "10.0.0.6:502")), between.join(("smartgen", "eastron"))
    more = {"lines": lines, "lan-1.makers": makers, "lan-2.scan": "no", "lan-2.units": "3", "lan-2.makers": makers}
    draft = await made(tmp_path, **more)
    assert [(line.id, line.keys) for line in draft.lines] == [
        ("lan-1", {"tcp": "10.0.0.5:502"}),
        ("lan-2", {"tcp": "10.0.0.6:502"}),
    ]
