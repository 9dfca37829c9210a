"""The part of Grafana's HTTP API that dashboards are pushed through, as a real server on a free port.

It keeps what it is given, numbers versions, adds members of its own as Grafana does, and refuses what Grafana refuses:
unknown tokens, missing folders, versions that are not the latest, changes of what is provisioned from files.
"""

from __future__ import annotations

import json
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Json = dict[str, Any]

TOKEN = "glsa_test"
READ_ONLY = "glsa_viewer"


@dataclass
class State:
    folders: dict[str, Json] = field(default_factory=dict)
    dashboards: dict[str, Json] = field(default_factory=dict)
    """uid -> {"dashboard": ..., "meta": ...}"""
    rules: dict[str, Json] = field(default_factory=dict)
    contact_points: list[Json] = field(default_factory=list)
    policies: Json = field(
        default_factory=lambda: {"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"]}
    )


class Refusal(Exception):
    def __init__(self, code: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"message": message, **more}


class FakeGrafana:
    """`state` is what it holds, `writes` every request that was to change something."""

    def __init__(self, prefix: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.state = State()
        self.writes: list[tuple[str, str]] = []
        self.prefix = prefix
        self.interrupt: Any = None
        """Called with method and path before each request that is to change something."""
        fake = self

        class Speaker(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                try:
                    status, found = fake.serve(self.command, self.path, self.headers.get("Authorization", ""), body)
                except Refusal as refusal:
                    status, found = refusal.code, refusal.body
                data = b"" if found is None else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def do_PUT(self) -> None:
                self.answer()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Speaker)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}{prefix}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, method: str, target: str, login: str, body: Any) -> tuple[int, Any]:
        url = urllib.parse.urlsplit(target)
        if not url.path.startswith(f"{self.prefix}/api/"):
            raise Refusal(404, "Not found")
        path = url.path.removeprefix(f"{self.prefix}/api/")
        if (method, path) == ("GET", "health"):
            return 200, {"database": "ok", "version": "11.6.0", "commit": "0"}
        if login not in (f"Bearer {TOKEN}", f"Bearer {READ_ONLY}"):
            raise Refusal(401, "Invalid API key", messageId="api-key.invalid")
        if method != "GET":
            if login != f"Bearer {TOKEN}":
                raise Refusal(403, "You'll need additional permissions to perform this action.")
            self.writes.append((method, path))
            if self.interrupt is not None:
                self.interrupt(method, path)
        parts = [urllib.parse.unquote(part) for part in path.split("/")]
        match parts:
            case ["folders", *rest]:
                return self._folders(method, rest, body)
            case ["dashboards", *rest]:
                return self._dashboards(method, rest, body)
            case ["search"]:
                return 200, self._search(dict(urllib.parse.parse_qsl(url.query)))
            case ["v1", "provisioning", "alert-rules", *rest]:
                return self._rules(method, rest, body)
            case ["v1", "provisioning", "contact-points", *rest]:
                return self._contact_points(method, rest, body)
            case ["v1", "provisioning", "policies"]:
                return self._policies(method, body)
        raise Refusal(404, "Not found")

    def _folders(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        folders = self.state.folders
        match method, rest:
            case "GET", [uid] if uid in folders:
                return 200, folders[uid]
            case "POST", []:
                if body["uid"] in folders:
                    raise Refusal(412, "a folder with that uid already exists", status="version-mismatch")
                self._parent(body.get("parentUid"))
                folders[body["uid"]] = {"id": len(folders) + 1, "version": 1, "url": f"/f/{body['uid']}", **body}
                return 200, folders[body["uid"]]
            case "PUT", [uid] if uid in folders:
                if body["version"] != folders[uid]["version"] and not body.get("overwrite"):
                    raise Refusal(412, "the folder has been changed by someone else", status="version-mismatch")
                folders[uid] |= {"title": body["title"], "version": folders[uid]["version"] + 1}
                return 200, folders[uid]
            case "POST", [uid, "move"] if uid in folders:
                self._parent(body.get("parentUid"))
                folders[uid]["parentUid"] = body["parentUid"]
                return 200, folders[uid]
        raise Refusal(404, "folder not found", status="not-found")

    def _parent(self, uid: str | None) -> None:
        if uid is not None and uid not in self.state.folders:
            raise Refusal(404, "parent folder not found")

    def _dashboards(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        kept = self.state.dashboards
        match method, rest:
            case "GET", ["uid", uid] if uid in kept:
                return 200, kept[uid]
            case "GET", ["uid", _]:
                raise Refusal(404, "Dashboard not found", status="not-found")
            case "POST", ["db"]:
                return 200, self._save(body)
        raise Refusal(404, "Not found")

    def _save(self, body: Any) -> Json:
        given: Json = dict(body["dashboard"])
        if body["folderUid"] not in self.state.folders:
            raise Refusal(400, "folder not found")
        before = self.state.dashboards.get(given["uid"])
        version = 1
        if before is not None:
            if before["meta"].get("provisioned"):
                raise Refusal(400, "Cannot save provisioned dashboard")
            if given.get("version") != before["dashboard"]["version"] and not body.get("overwrite"):
                raise Refusal(412, "The dashboard has been changed by someone else", status="version-mismatch")
            version = before["dashboard"]["version"] + 1
        # Grafana adds members of its own and drops what is empty.
        stored = {key: value for key, value in given.items() if value not in (None, [], {})}
        stored |= {"id": len(self.state.dashboards) + 1, "version": version, "gnetId": None}
        meta = {"folderUid": body["folderUid"], "version": version, "provisioned": False, "canSave": True}
        self.state.dashboards[given["uid"]] = {"dashboard": stored, "meta": meta}
        return {"uid": given["uid"], "id": stored["id"], "status": "success", "version": version, "url": "/d/x"}

    def _search(self, query: dict[str, str]) -> list[Json]:
        return [
            {"uid": uid, "title": each["dashboard"]["title"], "folderUid": each["meta"]["folderUid"], "type": "dash-db"}
            for uid, each in self.state.dashboards.items()
            if query.get("tag") in each["dashboard"].get("tags", [])
        ]

    def _rules(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        rules = self.state.rules
        match method, rest:
            case "GET", [uid] if uid in rules:
                return 200, rules[uid]
            case "POST", []:
                if body["uid"] in rules:
                    raise Refusal(409, "rule uid is taken")
                rules[body["uid"]] = self._rule(body, len(rules) + 1)
                return 201, rules[body["uid"]]
            case "PUT", [uid] if uid in rules:
                rules[uid] = self._rule(body, rules[uid]["id"])
                return 200, rules[uid]
            case "GET", [_]:
                return 404, None
        raise Refusal(404, "alert rule not found")

    def _rule(self, body: Any, number: int) -> Json:
        if body["folderUID"] not in self.state.folders:
            raise Refusal(400, "folder does not exist")
        if not body["title"] or body["condition"] not in {each["refId"] for each in body["data"]}:
            raise Refusal(400, "invalid alert rule")
        return {**body, "id": number, "updated": "2026-01-01T00:00:00Z", "provenance": ""}

    def _contact_points(self, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        points = self.state.contact_points
        match method, rest:
            case "GET", []:
                return 200, points
            case "POST", []:
                points.append({**body, "provenance": ""})
                return 202, points[-1]
            case "PUT", [uid]:
                points[:] = [{**body, "uid": uid} if each["uid"] == uid else each for each in points]
                return 202, {"message": "contactpoint updated"}
        raise Refusal(404, "Not found")

    def _policies(self, method: str, body: Any) -> tuple[int, Any]:
        if method == "PUT":
            receivers = {each["name"] for each in self.state.contact_points} | {"grafana-default-email"}
            for branch in body.get("routes", []):
                if branch["receiver"] not in receivers:
                    raise Refusal(400, f"receiver '{branch['receiver']}' does not exist")
            self.state.policies = body
            return 202, {"message": "policies updated"}
        return 200, self.state.policies
