"""A report as a page that prints on A4, and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from gateway.reports.document import Document, Section, Table

_STYLE = """@page{size:A4;margin:16mm 14mm}
*{box-sizing:border-box}
body{font:10.5pt/1.55 "Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",sans-serif;color:#111;
background:#fff;max-width:182mm;margin:8mm auto;padding:0 2mm;overflow-wrap:anywhere}
h1{font-size:17pt;text-align:center;margin:.3em 0 .6em}
h2{font-size:12pt;margin:1.1em 0 .35em;border-bottom:1px solid #555;break-after:avoid}
.marks{margin:0;text-align:center;font-weight:bold}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;margin:.6em 0}
dt{font-weight:bold}dd{margin:0}
p{margin:.35em 0}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin:.4em 0}
thead{display:table-header-group}tr{break-inside:avoid}
th,td{border:1px solid #777;padding:2px 5px;text-align:left;vertical-align:top}
th{background:#eee}
.blanks{display:grid;grid-template-columns:1fr 1fr;gap:1.4em 2em;margin-top:2em;break-inside:avoid}
.blanks span{border-bottom:1px solid #333;display:inline-block;min-width:45%}
.foot{margin-top:1.5em;font-size:8.5pt;color:#444;border-top:1px solid #999;padding-top:.4em}
@media print{body{margin:0;padding:0;max-width:none}}"""


def as_html(document: Document) -> str:
    """One page without anything from elsewhere."""
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in document.facts)
    blanks = "".join(f"<div>{escape(each)} <span>&nbsp;</span></div>" for each in document.blanks)
    language = "zh-CN" if document.language == "zh" else "en"
    parts = [
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(document.title)}</title><style>{_STYLE}</style></head><body>",
        *(f'<p class="marks">{escape(mark)}</p>' for mark in document.marks),
        f"<h1>{escape(document.title)}</h1><dl>{facts}</dl>",
        *map(_html_section, document.sections),
        f'<div class="blanks">{blanks}</div>',
        f'<p class="foot">{escape(document.foot)}</p></body></html>',
    ]
    return "\n".join(parts) + "\n"


def _html_section(section: Section) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in section.lines)
    body = "" if section.table is None else _html_table(section.table)
    if section.table is not None and not section.table.rows:
        body = f"<p>{escape(section.nothing)}</p>"
    return f"<section><h2>{escape(section.title)}</h2>{lines}{body}</section>"


def _html_table(table: Table) -> str:
    columns = "".join(f'<col style="width:{width}%">' for width in table.widths)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def as_markdown(document: Document) -> str:
    """For files, mails and chats."""
    lines = [*(f"**{_plain(mark)}**  " for mark in document.marks), "", f"# {_plain(document.title)}", ""]
    colon = "：" if document.language == "zh" else ": "
    lines += [f"- {_plain(name)}{colon}{_plain(value)}" for name, value in document.facts]
    for section in document.sections:
        lines += ["", f"## {_plain(section.title)}", ""]
        lines += [text for line in section.lines for text in (_plain(line), "")]
        if section.table is not None and section.table.rows:
            lines += [_row(section.table.head), _row("---" for _ in section.table.head)]
            lines += [_row(map(_plain, row)) for row in section.table.rows]
        elif section.table is not None:
            lines.append(_plain(section.nothing))
    lines += [
        "",
        *(f"{_plain(each)} ____________________  " for each in document.blanks),
        "",
        f"*{_plain(document.foot)}*",
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no end of a cell or line."""
    one_line = " ".join(text.split())
    return re.sub(r"([\\`*\[\]|<>#~])", r"\\\1", one_line).replace("\\<", "&lt;").replace("\\>", "&gt;")
