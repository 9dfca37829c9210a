"""The first of two steps: a token that is good for one write, by the same person, within half a minute."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from gateway.model import Value
from gateway.writing.refusals import arm_gone, busy

ARMED_S = 30.0
MOST_ARMED = 64


@dataclass(frozen=True, slots=True)
class Arm:
    """What was armed; `until` is monotonic seconds."""

    device: str
    point: str
    value: Value
    by: str
    until: float


class Arms:
    """The tokens that are good now."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._armed: dict[str, Arm] = {}

    def arm(self, device: str, point: str, value: Value, by: str) -> str:
        """A token for exactly this write; an earlier one of the same person for the same point is void."""
        now = self._monotonic()
        self._armed = {
            token: arm
            for token, arm in self._armed.items()
            if arm.until > now and (arm.device, arm.point, arm.by) != (device, point, by)
        }
        if len(self._armed) >= MOST_ARMED:
            raise busy()
        token = secrets.token_hex(8)
        self._armed[token] = Arm(device, point, value, by, now + ARMED_S)
        return token

    def use(self, token: str, device: str, point: str, value: Value, by: str) -> None:
        """Use a token up, whatever comes of it; WriteRefused where it is not for this write or is over."""
        arm = self._armed.pop(token, None)
        good = arm is not None and arm.until > self._monotonic()
        if arm is None or not good or (arm.device, arm.point, arm.by) != (device, point, by):
            raise arm_gone()
        if type(arm.value) is not type(value) or arm.value != value:
            raise arm_gone()
