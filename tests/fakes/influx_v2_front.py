"""`/api/v2/write` in front of an InfluxDB 1.x, so that values written through the v2 API can be read back one to one.

Login, organisation, bucket and precision are checked as InfluxDB 2 does; the body goes to `/write` unchanged. Errors of
the 1.x are handed on in the form of 2.x.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class InfluxV2Front:
    """Hands what is written to `org`/`bucket` with `token` to `database` of the InfluxDB 1.x at `behind`."""

    def __init__(self, behind: str, database: str, *, org: str, bucket: str, token: str) -> None:
        self.refused: list[tuple[int, str]] = []
        front = self

        class Speaker(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                if url.path != "/api/v2/write":
                    return self.say(404, "not found", "path not found")
                if self.headers.get("Authorization") != f"Token {token}":
                    return self.say(401, "unauthorized", "unauthorized access")
                if query.get("org") != org:
                    return self.say(404, "not found", f"organization name {query.get('org')!r} not found")
                if query.get("bucket") != bucket:
                    return self.say(404, "not found", f"bucket {query.get('bucket')!r} not found")
                if query.get("precision") != "ms":
                    return self.say(400, "invalid", "this front takes milliseconds only")
                target = f"{behind}/write?db={urllib.parse.quote(database)}&precision=ms"
                headers = {"Content-Encoding": self.headers.get("Content-Encoding", "identity")}
                try:
                    with urllib.request.urlopen(urllib.request.Request(target, body, headers), timeout=10):
                        return self.say(204)
                except urllib.error.HTTPError as error:
                    with error:
                        text = json.loads(error.read() or b"{}").get("error", "")
                        return self.say(error.code, "invalid" if error.code == 400 else "internal error", text)
                except OSError as error:
                    return self.say(503, "unavailable", str(error))

            def say(self, status: int, code: str = "", text: str = "") -> None:
                body = b"" if status == 204 else json.dumps({"code": code, "message": text}).encode()
                if status != 204:
                    front.refused.append((status, text))
                self.send_response_only(status)
                if body:
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Speaker)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()
