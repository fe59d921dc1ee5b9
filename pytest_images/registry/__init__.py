"""The client of registries, by the OCI distribution-spec: auth, resolve, fetch, push, tags."""
