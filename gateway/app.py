"""The composition root: the one module that knows concrete drivers, sinks and notifiers."""
