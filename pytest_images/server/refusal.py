"""How the server says no: one exception, one JSON form (OCI distribution-spec, Error Codes)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 200  # characters of the client's text that an answer repeats


class Refusal(Exception):
    """A request is answered with *status* and the specification's *code*.

    It never leaves the server: a connection turns it into a response. ``close`` says that the
    connection cannot be used any more, for where the next request begins is in doubt.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        detail: object = None,
        headers: Sequence[tuple[str, str]] = (),
        close: bool = False,
    ) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message
        self.detail, self.headers, self.close = detail, tuple(headers), close

    def to_json(self) -> bytes:
        """Return the body of the answer; the client's text in it is escaped and cut."""
        import json

        error: dict[str, Any] = {"code": self.code, "message": self.message[:SHOWN]}
        if self.detail is not None:
            error["detail"] = self.detail
        return json.dumps({"errors": [error]}).encode("ascii")


class Cut(Exception):
    """The client went away, or was sent away, in the middle of a request: nobody to answer."""


def malformed(message: str) -> Refusal:
    """A request that breaks HTTP itself; what follows it on the connection cannot be trusted."""
    return Refusal(400, "UNSUPPORTED", message, close=True)
