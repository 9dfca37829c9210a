"""Vigil (守望): the edge gateway that tells whether standby equipment would work if it were needed now."""

__version__ = "0.1.0"
