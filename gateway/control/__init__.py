"""The local control socket: commands on this machine ask the running gateway, so that a bus never has two clients."""

from gateway.control.client import ControlClient, ControlFailed
from gateway.control.registry import Peer, Registry, Request, refuse_unknown
from gateway.control.server import serve_control
from gateway.ports import Refused

__all__ = [
    "ControlClient",
    "ControlFailed",
    "Peer",
    "Refused",
    "Registry",
    "Request",
    "refuse_unknown",
    "serve_control",
]
