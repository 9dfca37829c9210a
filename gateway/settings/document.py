"""Reads a YAML file into a tree with places; everything wrong with it becomes a problem, never an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from gateway.model import Text
from gateway.settings.nodes import Entry, Key, Listing, Node, Scalar, Section
from gateway.settings.problems import Place, Problems, step
from gateway.settings.scalars import NotANumber, resolve
from gateway.settings.syntax import CLOSE_IT, QUOTE_OPEN, explain

#: The version of the file format this Vigil reads; there is none before it.
NEWEST = 1
LARGEST_FILE = 4_000_000
LARGEST_TREE = 500_000
DEEPEST = 40

#: libyaml where the wheel carries it: the same events at a thirtieth of the time.
PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(path: Path, problems: Problems, name: str | None = None) -> tuple[Section | None, bytes]:
    """The mapping a file holds, and its bytes; None where there is none, with problems saying why."""
    file = name or str(path)
    start = Place(file, 1, 1, ".")
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        problems.add(start, Text("文件不存在", "there is no such file"), _NO_FILE)
        return None, b""
    except IsADirectoryError:
        problems.add(
            start,
            Text("这是目录，不是文件", "this is a directory, not a file"),
            Text("写出其中的文件，例如 site.yaml", "name the file in it, such as site.yaml"),
        )
        return None, b""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.add(start, Text(f"无法读取文件：{reason}", f"the file cannot be read: {reason}"), _UNREADABLE)
        return None, b""
    if len(data) > LARGEST_FILE:
        problems.add(
            start,
            Text("文件大于 4 MB", "the file is larger than 4 MB"),
            Text(
                "把共同的测点写进型号文件，用 profile 引用",
                "move shared points to a profile and name it with `profile`",
            ),
        )
        return None, data
    return parse(data, file, problems), data


def parse(data: bytes, file: str, problems: Problems) -> Section | None:
    """The mapping `data` holds. Everything wrong that can be told apart is added to `problems`."""
    try:
        source = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        problems.add(
            Place(file, line, column, "."),
            Text("文件不是 UTF-8 编码", "the file is not UTF-8"),
            Text("用 UTF-8 编码保存", "save it as UTF-8"),
        )
        return None
    if (strange := _UNPRINTABLE.search(source)) is not None:
        before = source[: strange.start()]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        problems.add(
            Place(file, line, column, "."),
            Text("有看不见的控制字符", "an invisible control character stands here"),
            Text("删去它，重新输入这一行", "delete it, or type the line again"),
        )
        return None
    root = _Builder(file, source, problems).build()
    if isinstance(root, Section) and _refuse_newer(root, problems):
        return None
    if root is None or isinstance(root, Section):
        return root
    if isinstance(root, Scalar) and root.value is None:
        problems.add(
            root.place,
            Text("文件是空的", "the file is empty"),
            Text("vigil init 可以写出第一份站点文件", "vigil init writes a first site file"),
        )
    else:
        problems.add(
            root.place,
            Text("这里应当是“键: 值”", "`key: value` lines are expected here"),
            Text("schema: 1", "schema: 1"),
        )
    return None


def _refuse_newer(root: Section, problems: Problems) -> bool:
    """Whether the file is of a later version of the format: nothing else in it can be judged."""
    entry = root.entries.get("schema")
    if entry is None or not isinstance(entry.value, Scalar):
        return False
    version = entry.value.value
    if isinstance(version, bool) or not isinstance(version, int) or version <= NEWEST:
        return False
    problems.add(
        entry.value.place,
        Text(
            f"文件格式 {version} 属于更新版本的守望，本版只能读格式 {NEWEST}",
            f"file format {version} is of a newer version of Vigil; this one reads format {NEWEST}",
        ),
        Text("升级守望", "upgrade Vigil"),
    )
    return True


_NO_FILE = Text("检查路径；vigil init 可以写出第一份站点文件", "check the path; vigil init writes a first site file")
_UNREADABLE = Text(
    "让运行网关的用户能读它，例如 chmod 640", "let the user the gateway runs as read it, such as chmod 640"
)
_TOO_DEEP = Text("不需要这么多层，检查括号和缩进", "no file needs this many levels: check brackets and indentation")


class _Stop(Exception):
    """Nothing after this can be read."""


class _Builder:
    """Turns parser events into the tree."""

    def __init__(self, file: str, source: str, problems: Problems) -> None:
        self._file = file
        self._source = source
        self._problems = problems
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._size = 0
        self._long_quote: tuple[int, int, int] | None = None

    def build(self) -> Node | None:
        try:
            return self._document()
        except yaml.YAMLError as error:
            line, column, text, hint = explain(error, self._source)
            if self._long_quote is not None and self._long_quote[2] == line:
                # A forgotten quote ends at the next one, lines below: the person is helped by where it began.
                line, column, text, hint = *self._long_quote[:2], QUOTE_OPEN, CLOSE_IT
            self._problems.add(Place(self._file, line, column, "."), text, hint)
        except (ValueError, OverflowError):
            # PyYAML's own scanner lets chr() fail on an impossible \U escape.
            self._problems.add(
                Place(self._file, 1, 1, "."),
                Text("\\U 后的字符不存在", "a \\U escape names no character"),
                Text("直接输入这个字符，或改用单引号", "type the character itself, or use single quotes"),
            )
        except _Stop:
            pass
        return None

    def _document(self) -> Node:
        events = iter(yaml.parse(self._source, Loader=PARSER))
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    place = self._place(event, ".")
                    self._problems.add(
                        place,
                        Text("一个文件只能有一份配置", "a file holds one document only"),
                        Text("删去 ---", "remove the ---"),
                    )
                    break
                root = self._node(next(events), ".", None, events, 0)
        return root if root is not None else Scalar(Place(self._file, 1, 1, "."), None, "")

    def _node(self, event: Any, path: str, key: Place | None, events: Iterator[Any], depth: int) -> Node:
        place = self._place(event, path)
        if depth > DEEPEST:
            self._problems.add(place, Text("嵌套太深", "nested too deeply"), _TOO_DEEP)
            raise _Stop
        self._grow(1, place)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, place)
        if event.tag is not None:
            self._problems.add(
                place,
                Text("不使用 YAML 的 ! 标签", "YAML tags (!) are not used here"),
                Text("删去标签", "remove the tag"),
            )
        before = self._size
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Listing(place)
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                node.items.append(self._node(item, step(path, len(node.items)), None, events, depth + 1))
        else:
            node = Section(place, key or place)
            while not isinstance(name := next(events), yaml.MappingEndEvent):
                self._entry(node, name, path, events, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._size - before + 1)
        return node

    def _entry(self, node: Section, event: Any, path: str, events: Iterator[Any], depth: int) -> None:
        name = self._node(event, path, None, events, depth + 1)
        key: Key
        if not isinstance(name, Scalar):
            self._problems.add(
                self._place(event, path),
                Text("键只能是一个词", "a key must be a single word"),
                Text("例如 level: {at: holding:40}", "such as level: {at: holding:40}"),
            )
            key = ""
        elif isinstance(name.value, int) and not isinstance(name.value, bool):
            key = name.value
        else:
            key = name.text
        below = self._place(event, f"{path}.{key}" if path != "." else str(key))
        value = self._node(next(events), below.path, below, events, depth + 1)
        if not isinstance(name, Scalar):
            return
        if key == "<<" and event.style in (None, ""):
            self._problems.add(
                below,
                Text("不支持用 << 合并", "merging with << is not supported"),
                Text(
                    "把键写全，或把共用的部分放进设备型号文件（profile）",
                    "write the keys out, or put what is shared into a profile",
                ),
            )
        elif key in node.entries:
            first = node.entries[key].key.line
            self._problems.add(
                below,
                Text(f"键重复，第 {first} 行已经写过", f"this key stands twice, first on line {first}"),
                Text("删去一个", "remove one"),
            )
        else:
            node.entries[key] = Entry(below, value)

    def _scalar(self, event: Any, place: Place) -> Scalar:
        if event.style not in (None, ""):
            if event.style in "'\"" and event.end_mark.line > event.start_mark.line:
                self._long_quote = place.line, place.column, event.end_mark.line + 1
            return Scalar(place, event.value, event.value)
        try:
            return Scalar(place, resolve(event.value), event.value)
        except NotANumber:
            self._problems.add(
                place,
                Text("这个数无法使用", "this number cannot be used"),
                Text("写一个有限的数", "write a finite number"),
            )
            return Scalar(place, event.value, event.value)

    def _alias(self, event: Any, place: Place) -> Node:
        known = self._anchors.get(event.anchor)
        if known is None:
            self._problems.add(
                place,
                Text(f"没有锚点 &{event.anchor}", f"there is no anchor &{event.anchor} before this"),
                Text(f'文字以 * 开头时写 "*{event.anchor}"', f'a text that starts with * is written "*{event.anchor}"'),
            )
            return Scalar(place, None, "")
        node, size = known
        self._grow(size, place)
        return node

    def _grow(self, nodes: int, place: Place) -> None:
        self._size += nodes
        if self._size > LARGEST_TREE:
            self._problems.add(
                place,
                Text("内容太多", "there is too much in this file"),
                Text("分到几个站点文件，别名 * 少用", "split it into several site files, with fewer aliases (*)"),
            )
            raise _Stop

    def _place(self, event: Any, path: str) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1, path)
