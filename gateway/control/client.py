"""Asks the running gateway over its control socket. Blocking: for commands, which do one thing at a time."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.control.path import NAME, short_path
from gateway.errors import GatewayError
from gateway.model import Text
from gateway.wire import json_text

CONNECT_S = 3.0
ASK_S = 30.0
LONGEST_REPLY = json_text.MAX_BYTES


class ControlFailed(GatewayError):
    """The gateway said no, or nothing that could be understood; `error` is its word for programs."""

    def __init__(self, error: str, text: Text) -> None:
        super().__init__(text.en, text.zh)
        self.error = error
        self.text = text


class ControlClient:
    """One connection. `ControlFailed` with `unreachable` where nobody listens."""

    def __init__(self, state_dir: Path) -> None:
        self._number = 0
        self._buffer = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_S)
        try:
            with short_path(state_dir / NAME) as name:
                self._socket.connect(name)
        except OSError as error:
            self._socket.close()
            reason = error.strerror or str(error)
            raise ControlFailed(
                "unreachable",
                Text(f"连不上运行中的网关：{reason}", f"the running gateway cannot be reached: {reason}"),
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def ask(self, name: str, args: Mapping[str, object], *, ask_s: float = ASK_S) -> Mapping[str, object]:
        """The `result` of a request; ControlFailed where there is none."""
        self._number += 1
        self._socket.settimeout(ask_s)
        try:
            self._socket.sendall(json_text.dumps({"id": self._number, "do": name, "args": args}).encode() + b"\n")
            found = json_text.loads(self._line())
        except (OSError, json_text.NotJson) as error:
            self.close()
            raise ControlFailed(
                "unreachable", Text("运行中的网关没有应答", f"the running gateway did not answer: {error}")
            ) from error
        if not isinstance(found, dict) or found.get("id") not in (self._number, None):
            raise ControlFailed("bad_reply", Text("应答无法理解", "the answer cannot be understood"))
        result = found.get("result")
        if found.get("ok") is True and isinstance(result, dict):
            return result
        text = found.get("text")
        if not isinstance(text, dict):
            raise ControlFailed("bad_reply", Text("应答无法理解", "the answer cannot be understood"))
        raise ControlFailed(str(found.get("error")), Text(str(text.get("zh")), str(text.get("en"))))

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            piece = self._socket.recv(65536)
            if not piece:
                raise ConnectionError("it closed the connection")
            self._buffer += piece
            if len(self._buffer) > LONGEST_REPLY:
                raise ConnectionError("the answer is too long")
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line
