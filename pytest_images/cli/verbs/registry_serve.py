"""`registry serve`: a registry in the foreground, until it is interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import Command, Option, invalid_value

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

LOOPBACK = "127.0.0.1"
PORTS = range(65536)
_PORT = Option("port", "Port to listen on; 0 takes a free one (default 5000)", kind="int")
COMMAND = Command(
    "registry serve",
    "",
    (
        Option("access-log", "Print a line for each request"),
        Option("host", f"Address to listen on (default {LOOPBACK})", kind="string"),
        _PORT,
        Option("root", "Folder of the content; without it, it goes at the end", kind="string"),
    ),
    most=0,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM, which are the ways to end it and no failure."""
    host, port, root = parsed.text("host") or LOOPBACK, _port(parsed), parsed.text("root")
    from pathlib import Path

    from pytest_images.server.foreground import serve

    access_log = parsed.flag("access-log")
    return serve(host, port, Path(root) if root else None, _echo, access_log=access_log)


def _echo(line: str) -> None:
    print(line, flush=True)


def _port(parsed: Parsed) -> int:
    text = parsed.text("port", "5000")
    if not (text.isascii() and text.isdigit() and int(text) in PORTS):
        raise invalid_value(COMMAND, _PORT, text, "it is no port: 0 to 65535")
    return int(text)
