"""One module for each thing `vigil doctor` looks at; all give findings and change nothing."""
