"""`login`: show a registry who we are, and keep that for the commands to come."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pytest_images.cli.ending import complain, say_error
from pytest_images.cli.options import Command, Option
from pytest_images.cli.terminal import watched
from pytest_images.cli.verbs._server import registry_of
from pytest_images.errors import AuthError, InvalidUsage, Unreachable
from pytest_images.model.endpoint import Access, Credentials
from pytest_images.model.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

INPUT_LIMIT = 64 << 10  # characters of a password
IN_CLEAR = """
WARNING! Your credentials are stored unencrypted in '{path}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/
"""
OTHER_ACCOUNT = """
Info -> To login with a different account, run 'pytest-images logout' followed by \
'pytest-images login'
"""
COMMAND = Command(
    "login",
    "[SERVER]",
    (
        Option("password", "Password or Personal Access Token (PAT)", short="p", kind="string"),
        Option("password-stdin", "Take the Password or Personal Access Token (PAT) from stdin"),
        Option("username", "Username", short="u", kind="string"),
    ),
    most=1,
)


class _Refused(Exception):
    """Nothing was asked of the registry: what was typed is not enough."""


def run(parsed: Parsed, settings: Settings) -> int:
    """Log in as the options, what is kept already, or the person at the terminal say."""
    registry = registry_of(parsed.arguments[0] if parsed.arguments else "")
    try:
        given = _given(parsed)
        if given is None and _kept_are_good(settings, registry, parsed):
            print("Login Succeeded")
            return 0
        credentials = given or _asked(parsed.text("username"))
    except _Refused as refusal:
        complain(str(refusal))
        return 1
    _verify(settings, registry, credentials)
    from pytest_images.answers.docker_login import DockerLogin

    login = DockerLogin(_folder())
    if login.keep(registry, credentials):
        complain(IN_CLEAR.format(path=login.path))
    print("Login Succeeded")
    return 0


def _given(parsed: Parsed) -> Credentials | None:
    """Return what the options say in full, None where something is left to ask."""
    user, password = parsed.text("username"), parsed.text("password")
    if parsed.has("password"):
        complain("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
        if parsed.flag("password-stdin"):
            raise _Refused(
                "conflicting options: cannot specify both --password and --password-stdin"
            )
    if parsed.flag("password-stdin"):
        if not user:
            raise _Refused("the --password-stdin option requires --username to be set")
        password = _read_password()
    return Credentials(user, Secret(password)) if user and password else None


def _read_password() -> str:
    """Return standard input without the line break at its end."""
    text = sys.stdin.read(INPUT_LIMIT + 1) if sys.stdin is not None else ""
    if len(text) > INPUT_LIMIT:
        raise InvalidUsage("--password-stdin", f"more than {INPUT_LIMIT} characters")
    return text.removesuffix("\n").removesuffix("\r")


def _kept_are_good(settings: Settings, registry: str, parsed: Parsed) -> bool:
    """Whether there are credentials already, for no other user, that the registry accepts."""
    from pytest_images.answers.docker_config import DockerConfig

    if parsed.text("username") or parsed.has("password"):
        return False
    kept = DockerConfig().registry_credentials(registry, None)
    if kept is None:
        return False
    user = f" [Username: {kept.username}]" if kept.username else ""
    complain(f"Authenticating with existing credentials...{user}\n{OTHER_ACCOUNT}")
    try:
        _verify(settings, registry, kept)
    except AuthError as error:
        say_error(error)
        return False
    return True


def _asked(user: str) -> Credentials:
    """Ask the person at the terminal; the password is not shown."""
    if not watched(sys.stdin):
        raise _Refused("Error: Cannot perform an interactive login from a non TTY device")
    import getpass

    user = user or input("Username: ").strip()
    if not user:
        raise _Refused("Error: Non-null Username Required")
    password = getpass.getpass("Password: ")
    if not password:
        raise _Refused("Error: Password Required")
    return Credentials(user, Secret(password))


def _verify(settings: Settings, registry: str, credentials: Credentials) -> None:
    """Show *credentials* to the registry. Raises AuthError, Unreachable."""
    from pytest_images.registry.client import Client
    from pytest_images.registry.hub import registry_name

    def who(_registry: str, _access: Access, rejected: Credentials | None) -> Credentials | None:
        return credentials if rejected is None else None

    with settings.door() as images:
        places = images.endpoints(f"{registry}/login", Access.PULL)
    own = [place for place in places if registry_name(place.host) == registry]
    if not own:
        raise Unreachable(registry, ["no endpoint of its own may be asked"])
    client = Client(who)
    try:
        client.greet(own[0])
    finally:
        client.close()


def _folder() -> Path:
    from pytest_images.answers.docker_config import DockerConfig

    return DockerConfig().path
