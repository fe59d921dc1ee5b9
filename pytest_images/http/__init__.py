"""One careful HTTP session: TLS, redirects, limits, retries. Only this package dials."""
