"""The life of a condition that fired (ISA-18.2), and how people are told."""
