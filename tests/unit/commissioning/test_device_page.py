"""`docs/devices.md` says what the profiles say."""

from __future__ import annotations

from pathlib import Path

from gateway.app import PROTOCOLS
from gateway.cli import devices
from gateway.commissioning.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_up_to_date() -> None:
    assert devices.page() == ROOT / "docs" / "devices.md"
    assert devices.page().read_text(encoding="utf-8") == devices.text(), "run make schema"


def test_the_page_has_every_profile_with_every_caveat_in_both_languages() -> None:
    text = devices.text()
    cards = catalogue(PROTOCOLS)
    assert len(cards) == len(list((ROOT / "config" / "profiles").glob("*/*.yaml")))
    for card in cards:
        assert f"### {card.profile}\n" in text
        for caveat in card.caveats:
            assert caveat.zh in text
            assert caveat.en in text
        for source in card.sources:
            assert source in text


def test_a_model_that_extends_another_has_its_caveats_and_identity() -> None:
    cards = {card.profile: card for card in catalogue(PROTOCOLS)}
    assert {caveat.en for caveat in cards["dse/gencomm"].caveats} < {
        caveat.en for caveat in cards["dse/gencomm-mk1"].caveats
    }
    assert cards["dse/gencomm-mk1"].marks == ["holding:768"]
    assert cards["smartgen/hgm6100n"].port == {"baudrate": 9600, "parity": "N", "stopbits": 1}
