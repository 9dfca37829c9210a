"""How much one small machine can carry: Vigil beside plain peers, measured in one run. docs/benchmarks.md says how."""
