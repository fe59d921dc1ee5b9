"""Which servers' certificates are believed."""

from __future__ import annotations

import ssl
from pathlib import Path


def context_for(verify: bool | str) -> ssl.SSLContext:
    """Return a TLS context: *verify* True: the system's authorities; a path: those in it.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` hold, as for any OpenSSL program. False believes
    everybody, and is only ever asked for by an endpoint that says so.
    """
    if isinstance(verify, str):
        is_folder = Path(verify).is_dir()
        return ssl.create_default_context(
            cafile=None if is_folder else verify, capath=verify if is_folder else None
        )
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif not _has_authorities(context):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _has_authorities(context: ssl.SSLContext) -> bool:
    """Whether the system brought any (python.org's macOS builds have none)."""
    if context.cert_store_stats()["x509_ca"]:
        return True
    folder = ssl.get_default_verify_paths().capath  # None where there is no such folder
    return bool(folder) and any(Path(folder).iterdir())
