"""Questions to an installer, answered at the keyboard or by a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TextIO

from gateway.errors import GatewayError
from gateway.model import Text

#: What a word given must be: None where it will do, else why it will not.
Check = Callable[[str], Text | None]


@dataclass(frozen=True, slots=True)
class Question:
    """`key` names it in an answers file; an empty answer takes `default`, None where there must be one."""

    key: str
    text: Text
    default: str | None = None
    choices: Sequence[str] = ()
    """What may be meant; shown, and asked for again where something else is said (unless empty)."""
    check: Check | None = None


class CannotAnswer(GatewayError):
    """A file leaves a question open, or answers it with what cannot be."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en, text.zh)
        self.text = text


class Interview(Protocol):
    def ask(self, question: Question) -> str:
        """The answer; CannotAnswer where there is none to be had."""
        ...


def fault_of(question: Question, answer: str) -> Text | None:
    """Why `answer` will not do."""
    if not answer and question.default is None:
        return Text("这一项必须填写", "this must be answered")
    if question.choices and answer not in question.choices and answer != question.default:
        wanted = ", ".join(question.choices)
        return Text(f"{answer} 不在可选范围：{wanted}", f"{answer} is none of: {wanted}")
    return question.check(answer) if question.check is not None else None


class Keyboard:
    """Asks until the answer will do."""

    def __init__(self, out: TextIO, read: Callable[[], str], language: str) -> None:
        self._out = out
        self._read = read
        self._language = language

    def ask(self, question: Question) -> str:
        while True:
            choices = f" ({'/'.join(question.choices)})" if question.choices else ""
            shown = f" [{question.default}]" if question.default else ""
            self._out.write(f"{question.text[self._language]}{choices}{shown}: ")
            self._out.flush()
            line = self._read()
            if not line:
                raise CannotAnswer(Text("输入在问完之前结束", "the answers ended before the questions"))
            answer = line.strip() or question.default or ""
            fault = fault_of(question, answer)
            if fault is None:
                return answer
            self._out.write(f"  {fault[self._language]}\n")


class AnswerFile:
    """Answers by key; what is not in the file takes the question's default. `unused` are keys nobody asked for."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self._answers = {str(key): _word(value) for key, value in answers.items()}
        self._asked: set[str] = set()

    def ask(self, question: Question) -> str:
        self._asked.add(question.key)
        answer = self._answers.get(question.key, "") or question.default or ""
        fault = fault_of(question, answer)
        if fault is not None:
            raise CannotAnswer(Text(f"{question.key}：{fault.zh}", f"{question.key}: {fault.en}"))
        return answer

    @property
    def unused(self) -> list[str]:
        return sorted(self._answers.keys() - self._asked)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(_word, value))
    return "" if value is None else str(value)
