"""One module a command: its options and what it does. Only the one that is run is imported."""
