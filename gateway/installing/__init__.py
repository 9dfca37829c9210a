"""What an installer does by hand, with the gateway running or stopped: a first site file, recordings, single reads."""
