"""What went wrong on the way, as one of our errors: never a library's, never with a header."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_images.errors import ImagesError, InvalidResponse, TlsError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.http.address import Address

_DEPTH = 12
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")


class BrokenOff(ConnectionError):
    """An answer ended before its end."""


class MalformedAnswer(ValueError):
    """An answer is not one of HTTP/1.1."""


def failure_of(error: Exception, address: Address) -> ImagesError:
    """Return *error*, met while talking to *address*, as one of ours (to raise ``from None``)."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ImagesError):
            return cause.with_traceback(None)
    for cause in chain:
        if isinstance(cause, _class("ssl", "SSLError")):
            return _tls_failure(cause, address)
    for cause in reversed(chain):
        if isinstance(cause, (BrokenOff, _class("http.client", "IncompleteRead"))):
            return Unreachable(address.base, [f"the answer broke off: {cause}"])
        if isinstance(cause, MalformedAnswer):
            return InvalidResponse(address.base, f"not an answer of HTTP/1.1: {cause}")
        if isinstance(cause, ConnectionError):
            continue
        if isinstance(cause, _class("http.client", "HTTPException")):
            return InvalidResponse(address.base, f"{type(cause).__name__}: {cause}")
    return Unreachable(address.base, [_reason(chain)])


def _class(module: str, name: str) -> Any:
    """Return a class to look for; () where its module was not imported: nothing is of it then."""
    return getattr(sys.modules.get(module), name, ())


def _tls_failure(error: Any, address: Address) -> TlsError:
    if isinstance(error, _class("ssl", "SSLCertVerificationError")):
        failure = TlsError(address.base, [f"certificate: {error.verify_message}"])
        failure.add_note("set SSL_CERT_FILE to the authority that signed it, if you trust it")
    elif any(word in (error.reason or "") for word in _NOT_TLS):
        failure = TlsError(address.base, ["the server does not speak TLS on this port"])
        failure.add_note("only loopback registries are asked in plain HTTP without being told to")
    else:
        failure = TlsError(address.base, [f"TLS: {error.reason or error}"])
    return failure


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error* and what is wrapped in it, outermost first: reasons, arguments, causes.

    Not contexts: those may be what our caller was handling when it asked for something.
    """
    for _ in range(_DEPTH):
        if error is None:
            return
        yield error
        inner = [getattr(error, "reason", None), *error.args]
        nested = [item for item in inner if isinstance(item, BaseException)]
        error = nested[0] if nested else error.__cause__


def _reason(chain: list[BaseException]) -> str:
    """Return the innermost reason in words."""
    for cause in reversed(chain):
        if isinstance(cause, TimeoutError):
            return f"timed out: {cause}" if str(cause) not in ("", "timed out") else "timed out"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    text = str(chain[-1]) or type(chain[-1]).__name__
    return f"connection broken: {text}"
