"""Bringing a Grafana to what the product ships: look, compare, and change only what differs.

What people added stays: dashboards and rules that are not ours are not touched, a contact point that is there keeps
its address, and of the notification policies only our own branch is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.dashboards.bundle import Alerting, Bundle, Json, Placed
from gateway.dashboards.client import Grafana, GrafanaError, escaped
from gateway.dashboards.differences import Difference, differences


class Action(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT = "left"
    """Ours once, and no longer shipped; a person may remove it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, or in a dry run would be done, to one thing."""

    what: str
    uid: str
    action: Action
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Push:
    """One run. `parent` is the uid of a folder that ours go into; `notify` the address of the contact point."""

    grafana: Grafana
    bundle: Bundle
    dry_run: bool = False
    parent: str | None = None
    alerts: bool = True
    notify: str | None = None

    def run(self) -> Iterator[Change]:
        """Everything in turn; GrafanaError at the first refusal, with what came before it done."""
        self.grafana.greet()
        if self.parent is not None and self.grafana.get(f"/api/folders/{escaped(self.parent)}") is None:
            raise GrafanaError(f"there is no folder with the uid {self.parent}", f"没有 uid 为 {self.parent} 的文件夹")
        for folder in self.bundle.folders:
            yield self._folder(folder.uid, folder.title)
        for placed in self.bundle.dashboards:
            yield self._dashboard(placed)
        yield from self._left_over()
        if self.alerts:
            alerting = self.bundle.alerting
            yield self._folder(alerting.folder_uid, alerting.folder_title)
            yield from (self._rule(rule) for rule in alerting.rules)
        if self.notify is not None:
            yield self._contact_point(self.bundle.alerting, self.notify)
            yield self._route(self.bundle.alerting.route)

    def _send(self, method: str, path: str, body: object) -> None:
        if not self.dry_run:
            self.grafana.send(method, path, body)

    def _folder(self, uid: str, title: str) -> Change:
        path = f"/api/folders/{escaped(uid)}"
        found = self.grafana.get(path)
        if found is None:
            parent = {} if self.parent is None else {"parentUid": self.parent}
            self._send("POST", "/api/folders", {"uid": uid, "title": title, **parent})
            return Change("folder", uid, Action.CREATED)
        changed = list(differences({"title": title}, found))
        if changed:
            self._send("PUT", path, {"title": title, "version": found.get("version"), "overwrite": False})
        if self.parent is not None and found.get("parentUid") != self.parent:
            self._send("POST", f"{path}/move", {"parentUid": self.parent})
            changed.append(Difference("parentUid", found.get("parentUid"), self.parent))
        return _change("folder", uid, changed)

    def _dashboard(self, placed: Placed) -> Change:
        wanted = {key: value for key, value in placed.dashboard.items() if key not in ("id", "version")}
        found = self.grafana.get(f"/api/dashboards/uid/{escaped(placed.uid)}")
        body = {"folderUid": placed.folder.uid, "overwrite": False, "message": "vigil dashboards push"}
        if found is None:
            self._send("POST", "/api/dashboards/db", {**body, "dashboard": {**wanted, "id": None}})
            return Change("dashboard", placed.uid, Action.CREATED)
        there, meta = found["dashboard"], found["meta"]
        changed = list(differences(wanted, there))
        changed += differences({"folder": placed.folder.uid}, {"folder": meta.get("folderUid")})
        if changed:
            if meta.get("provisioned"):
                raise GrafanaError(
                    f"{placed.uid} is provisioned from a file in Grafana; change the file, or take it out there",
                    f"{placed.uid} 由 Grafana 的文件配置提供；请改那个文件，或先把它撤下",
                )
            known = {"id": there.get("id"), "version": there.get("version")}
            self._send("POST", "/api/dashboards/db", {**body, "dashboard": {**wanted, **known}})
        return _change("dashboard", placed.uid, changed)

    def _left_over(self) -> Iterator[Change]:
        """Dashboards with our tag, in our folders, that are not shipped any more."""
        folders = {folder.uid for folder in self.bundle.folders}
        shipped = {placed.uid for placed in self.bundle.dashboards}
        for found in self.grafana.get("/api/search?type=dash-db&tag=vigil&limit=5000") or ():
            if found.get("folderUid") in folders and found["uid"] not in shipped:
                yield Change("dashboard", found["uid"], Action.LEFT)

    def _rule(self, rule: Json) -> Change:
        uid = str(rule["uid"])
        path = "/api/v1/provisioning/alert-rules"
        found = self.grafana.get(f"{path}/{escaped(uid)}")
        if found is None:
            self._send("POST", path, rule)
            return Change("alert rule", uid, Action.CREATED)
        changed = list(differences(rule, found))
        if changed:
            self._send("PUT", f"{path}/{escaped(uid)}", rule)
        return _change("alert rule", uid, changed)

    def _contact_point(self, alerting: Alerting, address: str) -> Change:
        """Made where it is missing. One that is there keeps its address, unless it is an e-mail to somebody else."""
        path = "/api/v1/provisioning/contact-points"
        wanted = {**alerting.contact_point, "settings": {**alerting.contact_point["settings"], "addresses": address}}
        name, uid = wanted["name"], wanted["uid"]
        found = next((each for each in self.grafana.get(path) or () if each.get("name") == name), None)
        if found is None:
            self._send("POST", path, wanted)
            return Change("contact point", uid, Action.CREATED)
        if found.get("type") != wanted["type"]:
            return Change("contact point", uid, Action.UNCHANGED)
        changed = list(differences({"settings": {"addresses": address}}, found))
        if changed:
            merged = {**found, "settings": {**found["settings"], "addresses": address}}
            self._send("PUT", f"{path}/{escaped(str(found['uid']))}", merged)
        return _change("contact point", uid, changed)

    def _route(self, route: Json) -> Change:
        path = "/api/v1/provisioning/policies"
        tree = self.grafana.get(path)
        branches: Sequence[Mapping[str, Any]] = (tree or {}).get("routes") or ()
        place = next((index for index, each in enumerate(branches) if _is_ours(each, route)), None)
        if place is None:
            self._send("PUT", path, {**(tree or {}), "routes": [route, *branches]})
            return Change("notification policy", route["receiver"], Action.CREATED)
        changed = list(differences(route, branches[place]))
        if changed:
            routes = [route if index == place else each for index, each in enumerate(branches)]
            self._send("PUT", path, {**tree, "routes": routes})
        return _change("notification policy", route["receiver"], changed)


def _is_ours(branch: Mapping[str, Any], route: Json) -> bool:
    return bool(branch.get("object_matchers") == route["object_matchers"])


def _change(what: str, uid: str, changed: Sequence[Difference]) -> Change:
    return Change(what, uid, Action.UPDATED if changed else Action.UNCHANGED, tuple(changed))
