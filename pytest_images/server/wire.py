"""The head of an HTTP/1.1 request, read strictly (RFC 9112).

What two readers could read in two ways is refused, so that nothing can be smuggled past this
server or a proxy in front of it: two lengths, a length beside chunks, bare line feeds, folded
lines, space before a colon, absolute targets. Every part has its limit.
"""

from __future__ import annotations

from pytest_images.dataclass import dataclass
from pytest_images.regex import regex
from pytest_images.server.refusal import Refusal, malformed

HEAD_LIMIT = 32 << 10  # bytes of request line and headers together
HEADER_LIMIT = 100  # lines
TARGET_LIMIT = 8 << 10  # bytes of path and query
PARAMETER_LIMIT = 32  # of a query

_REQUEST_LINE = regex(rb"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.([01])")
_LINE_BEGINNING = regex(rb"[A-Z]{1,16}(?: (?:/[!-~]*(?: [HTP/1.0]{0,8})?)?)?\r?")
_HEADER = regex(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t -~\x80-\xff]*)")
_LENGTH = regex(r"[0-9]{1,18}")
_BARE_NEWLINE = regex(rb"(?<!\r)\n|\r(?=[^\n])")
# Headers that decide framing, identity or range: a second one is an attack or a fault.
_SINGLE = frozenset(
    {
        "content-length",
        "content-range",
        "content-type",
        "expect",
        "host",
        "origin",
        "range",
        "transfer-encoding",
    }
)


@dataclass(slots=True)
class Request:
    """The head of one request. ``length`` is the body's in bytes; None: it comes in chunks."""

    method: str
    target: str
    headers: dict[str, str]
    length: int | None
    keep_alive: bool
    expects_continue: bool

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    def parameters(self) -> dict[str, list[str]]:
        """Decode the query: each name with its values, in order."""
        _, _, query = self.target.partition("?")
        found: dict[str, list[str]] = {}
        if not query:
            return found
        from urllib.parse import unquote_plus

        pairs = query.split("&")
        if len(pairs) > PARAMETER_LIMIT:
            raise Refusal(414, "UNSUPPORTED", f"more than {PARAMETER_LIMIT} parameters")
        for pair in pairs:
            name, _, value = pair.partition("=")
            found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
        return found

    def parameter(self, name: str) -> str | None:
        """The one value of a parameter, or None; a second value is refused."""
        values = self.parameters().get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise Refusal(400, "UNSUPPORTED", f"the parameter {name} is given twice")
        return values[0]


def check_beginning(data: bytes, start: int) -> None:
    """Refuse a head that can no longer become good, before all of it is here.

    *data* is what came so far, checked already up to *start*. A client that ends its lines
    with bare line feeds, or speaks HTTP/0.9, would wait for an answer that never comes.
    """
    if len(data) > HEAD_LIMIT:
        raise Refusal(431, "UNSUPPORTED", "the request's headers are too large", close=True)
    if _BARE_NEWLINE.search(data, start):
        raise malformed("a line does not end with CR LF")
    line, newline, _ = data.partition(b"\r\n")
    if not (_REQUEST_LINE if newline else _LINE_BEGINNING).fullmatch(line):
        raise malformed("not a request line of HTTP/1.1")


def parse_head(head: bytes) -> Request:
    """Read a request's head, given without the empty line that ends it."""
    if len(head) > HEAD_LIMIT:
        raise Refusal(431, "UNSUPPORTED", "the request's headers are too large", close=True)
    line, *lines = head.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise malformed("not a request line of HTTP/1.1")
    method, target, minor = match.groups()
    if len(target) > TARGET_LIMIT:
        raise Refusal(414, "UNSUPPORTED", "the request's target is too long", close=True)
    headers = _headers(lines)
    is_old = minor == b"0"
    if not is_old and "host" not in headers:
        raise malformed("there is no Host header")
    return Request(
        method=method.decode("ascii"),
        target=target.decode("ascii"),
        headers=headers,
        length=_length(headers, is_old),
        keep_alive=_keeps_alive(headers.get("connection", ""), is_old),
        expects_continue=_expects_continue(headers, is_old),
    )


def _headers(lines: list[bytes]) -> dict[str, str]:
    if len(lines) > HEADER_LIMIT:
        reason = f"more than {HEADER_LIMIT} headers"
        raise Refusal(431, "UNSUPPORTED", reason, close=True)
    headers: dict[str, str] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise malformed("a header line is malformed")
        name = match[1].decode("ascii").lower()
        value = match[2].strip(b" \t").decode("latin-1")
        if name in headers:
            if name in _SINGLE:
                raise malformed(f"the header {name} is given twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _length(headers: dict[str, str], is_old: bool) -> int | None:
    """Say how long the body is, in the only way that no two readers read differently."""
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if length is not None:
            raise malformed("both Content-Length and Transfer-Encoding are given")
        if is_old or coding.lower() != "chunked":
            raise malformed("the only transfer coding is chunked, of HTTP/1.1")
        return None
    if length is None:
        return 0
    if not _LENGTH.fullmatch(length):
        raise malformed("Content-Length is not a number of bytes")
    return int(length)


def _keeps_alive(connection: str, is_old: bool) -> bool:
    if not connection:
        return not is_old
    options = {option.strip() for option in connection.lower().split(",")}
    return "keep-alive" in options if is_old else "close" not in options


def _expects_continue(headers: dict[str, str], is_old: bool) -> bool:
    expectation = headers.get("expect")
    if expectation is None or is_old:
        return False
    if expectation.lower() != "100-continue":
        raise Refusal(417, "UNSUPPORTED", "the only expectation is 100-continue", close=True)
    return True
