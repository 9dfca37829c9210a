"""When a line asks whom: due times, one owner per line, back-off."""
