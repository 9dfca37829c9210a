"""Real endpoints of simulated lines: TCP and UDP sockets, pseudo-terminals."""
