"""Breaking the whole chain on purpose, with a proof of what came of every single poll."""
