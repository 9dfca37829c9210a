"""Writing to devices: who may, under which conditions, on record before and after."""

from gateway.writing.arms import Arm, Arms
from gateway.writing.refusals import WriteRefused
from gateway.writing.values import value_of_json, value_of_text
from gateway.writing.writing import Order, Outcome, Writing

__all__ = ["Arm", "Arms", "Order", "Outcome", "WriteRefused", "Writing", "value_of_json", "value_of_text"]
