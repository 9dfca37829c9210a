"""What a YAML parser's complaint means to somebody who has never heard of YAML's grammar."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from gateway.model import Text

_QUOTES = Text('给文字加上引号，例如 "..."', 'put the text into quotes, such as "..."')
_BLANKS = Text("用空格缩进", "indent with blanks")
_ALIGN = Text("与同级的键对齐", "align it with the keys it belongs to")

TAB = Text("这里用了制表符（Tab）", "a tab stands where only blanks may")


@dataclass(frozen=True, slots=True)
class Complaint:
    """`at_start`: the person is helped by the place where the broken thing begins, not by where the parser gave up."""

    words: tuple[str, ...]
    text: Text
    hint: Text
    at_start: bool = False


QUOTE_OPEN = Text("这里开始的引号没有闭合", "the quote that opens here is never closed")
CLOSE_IT = Text("补上引号", "close it")

#: Matched in order against the parser's message (libyaml's and PyYAML's own wording).
_COMPLAINTS = (
    Complaint(("tab character", "character '\\t'"), TAB, _BLANKS),
    Complaint(
        ("character that cannot start", "character '"),
        Text("这个字符不能用作开头", "nothing may begin with this character"),
        _QUOTES,
    ),
    Complaint(
        ("mapping values are not allowed",),
        Text("这里不能再出现“键: 值”", "a `key: value` is not possible here"),
        Text("检查缩进，或给含冒号的文字加引号", "check the indentation, or quote a text that holds a colon"),
    ),
    Complaint(
        ("',' or ']'",),
        Text("方括号列表没有写完", "this [list] is not complete"),
        Text("补上逗号或 ]", "add the missing comma or ]"),
        at_start=True,
    ),
    Complaint(
        ("',' or '}'",),
        Text("花括号没有写完", "this {mapping} is not complete"),
        Text("补上逗号或 }", "add the missing comma or }"),
        at_start=True,
    ),
    Complaint(("unexpected end of stream",), QUOTE_OPEN, CLOSE_IT, at_start=True),
    Complaint(("unexpected document separator",), QUOTE_OPEN, CLOSE_IT, at_start=True),
    Complaint(
        ("expected ':'",),
        Text("键的后面缺少冒号", "the key that begins here has no colon"),
        Text("写成“键: 值”，冒号后留一个空格", "write `key: value`, with a blank after the colon"),
        at_start=True,
    ),
    Complaint(
        ("expected key", "block end", "expected '-' indicator"),
        Text("这一行的缩进与上文不符", "the indentation of this line fits nothing above it"),
        _ALIGN,
    ),
    Complaint(
        ("sequence entries are not allowed",),
        Text("这里不能开始“- ”列表", "a `- ` list may not begin here"),
        Text("列表另起一行", "begin the list on a line of its own"),
    ),
    Complaint(
        ("node content",),
        Text("这里缺少一个值", "a value is missing here"),
        Text("写上值，或删去多余的逗号或冒号", "write a value, or remove the comma or colon before it"),
    ),
    Complaint(
        ("escape",),
        Text("双引号中的 \\ 写法无效", "this \\ sequence is unknown inside double quotes"),
        Text("改用单引号，或写成 \\\\", "use single quotes, or write \\\\"),
    ),
    Complaint(("comment or",), Text("| 或 > 之后只能换行", "only a line break may follow | or >"), _QUOTES),
    Complaint(
        ("tag",), Text("不使用 YAML 的 ! 标签", "YAML tags (!) are not used here"), Text("删去标签", "remove the tag")
    ),
    Complaint(("directive",), Text("不认识的 % 指令", "an unknown % directive"), Text("删去这一行", "remove the line")),
    Complaint(
        ("anchor", "alias"),
        Text("锚点或别名的名字写错了", "the name of an anchor or alias is wrong"),
        Text("只用字母和数字", "use letters and digits only"),
    ),
    Complaint(("document start",), Text("这一行不属于上面的内容", "this line belongs to nothing above it"), _ALIGN),
)

_OTHER = Text("这里不是有效的 YAML", "this is not YAML")


def explain(error: yaml.YAMLError, source: str) -> tuple[int, int, Text, Text]:
    """Line, column (1-based), what is wrong, what to write instead."""
    message = str(getattr(error, "problem", None) or error)
    complaint = next((each for each in _COMPLAINTS if any(word in message for word in each.words)), None)
    mark = getattr(error, "problem_mark", None)
    if mark is not None and source[mark.index : mark.index + 1] == "\t":
        return mark.line + 1, mark.column + 1, TAB, _BLANKS
    start = getattr(error, "context_mark", None)
    if complaint is None:
        text, hint, at_start = _OTHER, _QUOTES, False
    else:
        text, hint, at_start = complaint.text, complaint.hint, complaint.at_start
    chosen = start if at_start and start is not None else mark
    if chosen is None:
        return 1, 1, text, hint
    return chosen.line + 1, chosen.column + 1, text, hint
