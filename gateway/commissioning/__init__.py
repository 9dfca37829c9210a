"""Getting a site right the first time: models to choose from, first site file, recordings, machine, loop check."""
