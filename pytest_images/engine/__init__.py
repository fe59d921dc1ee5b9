"""The embedded engine: the verbs of `docker image`, done in this process, one module each."""
