"""The throw-away registry: the OCI distribution protocol over a folder, on loopback."""
