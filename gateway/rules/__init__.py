"""Conditions over points, three-valued, and the readiness they give."""
