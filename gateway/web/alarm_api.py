"""Alarms, rules and commands for machines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.model import Ack, AlarmState, Priority
from gateway.rules.explanation import as_json as explanation_facts
from gateway.web.answers import as_json, refuse
from gateway.web.board import is_open, tally
from gateway.web.facts import Facts
from gateway.web.history import Step
from gateway.web.showing import Showing
from gateway.web.why import explanation_of
from gateway.wire import topics
from gateway.wire.decode import Malformed, decode
from gateway.wire.encode import reply_payload
from gateway.wire.messages import Command
from gateway.wire.topics import Channel, Topic

log = logging.getLogger(__name__)

MAX_COMMANDS = 8
"""Commands under way or waiting for their credential to be looked at; one more is told to come back."""
COMMAND_S = 10.0
RETRY_S = 2
#: What the errors of an answer are in HTTP; any other is a conflict with how things stand.
STATUSES = {
    "not_allowed": 403,
    "bad_request": 400,
    "unknown_command": 400,
    "no_such_alarm": 404,
    "no_such_device": 404,
    "busy": 503,
}


class AlarmApi:
    """Answers from the site as `showing` sees it; commands need a credential of their own, as over MQTT."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._commands = 0

    def routes(self) -> list[Route]:
        return [
            Route("/api/alarms", self.all),
            Route("/api/alarms/{device}/{rule}", self.one),
            Route("/api/devices/{device}/rules/{rule}", self.rule),
            Route("/api/cmd/{device}", self.command, methods=["POST"]),
        ]

    async def all(self, _request: Request) -> Response:
        alarms = self._showing.alarms
        found = tally(alarms)
        return as_json(
            {
                "open": found.open,
                "unacked": found.unacked,
                "priorities": {each.value: _count(alarms, each) for each in Priority},
                "alarms": [alarm_facts(each) for each in alarms],
            }
        )

    async def one(self, request: Request) -> Response:
        """The alarm as it stands (null while there is nothing to say of it) and what happened to it."""
        device, rule = request.path_params["device"], request.path_params["rule"]
        found = next((each for each in self._showing.alarms if (each.device, each.rule) == (device, rule)), None)
        if found is None and explanation_of(self._showing, device, rule) is None:
            return refuse(404, "no such alarm")
        steps = await self._showing.view.history(device, rule)
        return as_json(
            {
                "alarm": alarm_facts(found) if found is not None else None,
                "history": [step_facts(each) for each in steps],
            }
        )

    async def rule(self, request: Request) -> Response:
        """Why a rule says what it says."""
        told = explanation_of(self._showing, request.path_params["device"], request.path_params["rule"])
        return refuse(404, "no such rule") if told is None else as_json(explanation_facts(told))

    async def command(self, request: Request) -> Response:
        """The same message as on the MQTT topic `cmd`, answered with the same reply."""
        device = request.path_params["device"]
        obey, site = self._showing.view.obey, self._showing.view.site.id
        if device not in {*self._showing.devices, topics.SITE, topics.GATEWAY}:
            return refuse(404, "no such device")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return refuse(415, "application/json is expected")
        try:
            command = decode(Topic(site, device, Channel.COMMAND), await request.body())
        except Malformed as error:
            log.warning("command_malformed via=page device=%s reason=%s", device, error)
            return refuse(400, str(error))
        if not isinstance(command, Command):
            raise TypeError("what is decoded from `cmd` is a command")
        if self._commands >= MAX_COMMANDS:
            return refuse(503, "too many commands; try again later", {"retry-after": str(RETRY_S)})
        self._commands += 1
        try:
            async with asyncio.timeout(COMMAND_S):
                reply = await obey(device, command)
        except TimeoutError:
            return refuse(504, "not finished in time; the outcome is not known")
        finally:
            self._commands -= 1
        log.info("command via=page id=%r cmd=%r device=%s ok=%s", command.id, command.cmd, device, reply.ok)
        status = 200 if reply.ok else STATUSES.get(reply.error or "", 409)
        return Response(reply_payload(reply), status, media_type="application/json")


def alarm_facts(alarm: AlarmState) -> Facts:
    """One alarm; the members of the MQTT message, and what else is known of it."""
    return {
        "alarm": alarm.key,
        "device": alarm.device,
        "rule": alarm.rule,
        "kind": alarm.kind,
        "state": alarm.condition.value,
        "active": alarm.condition.is_active,
        "acked": alarm.condition.is_acked,
        "acks": [_ack(each) for each in alarm.acks],
        "acks_needed": alarm.acks_needed,
        "suppression": alarm.suppression.value,
        "priority": alarm.priority.value,
        "since": alarm.since,
        "occurrences": alarm.occurrences,
        "because": dict(alarm.because),
        "text": alarm.text.as_dict(),
        "action": alarm.action.as_dict(),
        "role": alarm.role,
        "stale": alarm.is_stale,
        "first_out": alarm.is_first_out,
        "consequence_of": alarm.first_out,
        "shelved_until": alarm.shelved_until,
        "shelf": [_ack(each) for each in alarm.shelf],
        "work_order": alarm.work_order,
    }


def step_facts(step: Step) -> Facts:
    """One step in the life of an alarm."""
    return {
        "ts": step.ts,
        "event": step.event.value,
        "priority": step.priority.value,
        "state": step.condition.value,
        "by": step.by,
        "note": step.note,
    }


def _ack(ack: Ack) -> Facts:
    return {"by": ack.by, "ts": ack.ts, "note": ack.note}


def _count(alarms: Sequence[AlarmState], priority: Priority) -> Facts:
    found = tally([each for each in alarms if each.priority is priority and is_open(each)])
    return {"open": found.open, "unacked": found.unacked}
