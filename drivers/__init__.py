"""Southbound adapters: one package per protocol; they do not know each other, nor polling, rules, alarms or store."""
