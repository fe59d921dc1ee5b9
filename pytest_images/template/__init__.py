"""Go's text/template, as `--format` is written: our own, for no kept library in Python reads it."""
