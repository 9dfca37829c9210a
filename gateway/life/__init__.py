"""Life of the process: its tasks, the service manager, signs of life, the bound on its log."""
