"""Simulated equipment behind real Modbus servers; encodes without the drivers' codec."""
