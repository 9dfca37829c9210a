"""The local control socket behind the commands that need a running daemon."""
