"""Templates filled with what all of them need."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from gateway.web.alarm_showing import board_shown, device_alarms_shown
from gateway.web.alarm_words import ALARM_WORDS, SAYS
from gateway.web.showing import Showing
from gateway.web.words import STATES, WORDS

HERE = Path(__file__).parent


class Rendering:
    """Renders templates about one site; holds no state of its own."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(default=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, name: str, language: str, **facts: object) -> str:
        """A whole page."""
        return self._templates.get_template(name).render(
            lang=language,
            other="en" if language == "zh" else "zh",
            w=words(language),
            states={state.value: text[language] for state, text in STATES.items()},
            says={each.value: text[language] for each, text in SAYS.items()},
            kinds={name: kind.label[language] for name, kind in self._showing.view.site.kinds.items()},
            site=self._showing.view.site,
            **facts,
        )

    def board(self, language: str) -> str:
        """The list of alarms as it is streamed: without anybody's token."""
        shown = board_shown(self._showing, language)
        return self._templates.get_template("board.html").render(board=shown, w=words(language), csrf="")

    def device_alarms(self, device: str, language: str) -> str:
        """The alarms of one device, likewise."""
        shown = device_alarms_shown(self._showing, device, language)
        return self._templates.get_template("cards.html").render(alarms=shown, w=words(language), csrf="")


@cache
def words(language: str) -> Mapping[str, str]:
    """Every word of the page in one language."""
    return {key: text[language] for key, text in {**WORDS, **ALARM_WORDS}.items()}
