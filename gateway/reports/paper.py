"""What every report has: that it is a draft, whose it is, room for signatures, where its facts come from. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gateway.model import Text
from gateway.reports import words
from gateway.reports.document import Document, Section
from gateway.reports.names import Names


class Source(Protocol):
    """The span of the journal a report was made from: numbers of the first and the last entry, hash of the last."""

    @property
    def first(self) -> int: ...

    @property
    def last(self) -> int: ...

    @property
    def head(self) -> str: ...


def paper(
    title: Text,
    facts: Iterable[tuple[Text, str]],
    sections: Iterable[Section],
    blanks: Iterable[Text],
    source: Source,
    names: Names,
    marks: Iterable[Text] = (),
) -> Document:
    """A report: `facts` stand between the site and its time zone, `blanks` are filled in by hand."""
    say = names.say
    whose = ((Text("站点", "Site"), names.of_site()), *facts, (Text("时区", "Time zone"), names.zone.key))
    return Document(
        language=names.language,
        title=say(title),
        marks=tuple(say(mark) for mark in (words.DRAFT, words.NO_WARNING, *marks)),
        facts=tuple((say(label), told) for label, told in whose),
        sections=tuple(sections),
        blanks=tuple(say(each) for each in blanks),
        foot=say(_origin(source)),
    )


def _origin(source: Source) -> Text:
    if not source.last:
        return Text("来源：站点记录，尚无条目", "Source: the journal of the site, which has no entries")
    first, last, head = source.first, source.last, source.head[:16]
    return Text(
        f"来源：站点记录第 {first} 至 {last} 条，链尾 {head}（可用 vigil alarms verify 核验）",
        f"Source: entries {first} to {last} of the site's journal, head {head} (see vigil alarms verify)",
    )
