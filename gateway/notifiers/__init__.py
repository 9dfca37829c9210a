"""Ways to people, one module each; all keep the contract of `gateway.ports.Notifier` (tests/contract)."""
