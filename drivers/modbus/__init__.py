"""Modbus: TCP, RTU, RTU over TCP, ASCII and UDP (Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02)."""

from drivers.modbus.access import compile_access
from drivers.modbus.device import compile_device
from drivers.modbus.line import open_line
from drivers.modbus.probe import make_probe
from drivers.modbus.protocol import MODBUS

__all__ = ["MODBUS", "compile_access", "compile_device", "make_probe", "open_line"]
