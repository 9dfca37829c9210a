"""Modbus: TCP, RTU, RTU over TCP, ASCII and UDP (Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02)."""
