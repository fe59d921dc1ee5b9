"""The default answer about credentials: Docker's ``config.json``, as ``docker login`` leaves it."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.errors import ImagesError, InvalidConfiguration, LimitExceeded
from pytest_images.hookspecs import hookimpl
from pytest_images.registry.hub import HUB_CONFIG_KEY, HUB_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.model.endpoint import Credentials

CONFIG_FILE = "config.json"
SIZE_LIMIT = 1 << 20  # bytes
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
# The only paths that old clients wrote behind a registry's host; others name a repository.
_WHOLE_REGISTRY = frozenset({"", "v1", "v2"})


class DockerConfig:
    """Answers ``registry_credentials`` from ``$DOCKER_CONFIG`` or ``~/.docker/config.json``.

    ``credHelpers`` of the registry come first, then ``credsStore``, then ``auths``. The file is
    read at each question, so that a login meanwhile is seen.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """*environment* None: the process's own."""
        self._environment = environment

    @property
    def path(self) -> Path:
        """The folder of the file that is read."""
        known = os.environ if self._environment is None else self._environment
        folder = known.get("DOCKER_CONFIG")
        home = known.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 - Path.home() may raise
        return Path(folder) if folder else Path(home) / ".docker"

    @hookimpl(trylast=True)
    def registry_credentials(
        self, registry: str, rejected: Credentials | None
    ) -> Credentials | None:
        """Say who the user of this machine is to *registry*.

        Raises InvalidConfiguration naming the file, CredentialHelperError.
        """
        path = self.path / CONFIG_FILE
        document = load(path)
        if document is None:
            return None
        found = self._find(document, registry.lower(), path)
        return None if found == rejected else found

    def _find(self, document: dict[str, Any], registry: str, path: Path) -> Credentials | None:
        from pytest_images.answers.credential_helper import ask_helper, is_installed

        helpers = section(document, "credHelpers", path)
        auths = section(document, "auths", path)
        helper = _match(helpers, registry)
        if helper is not None and helpers[helper]:
            return ask_helper(str(helpers[helper]), registry, self._environment)
        entry = _match(auths, registry)
        store = document.get("credsStore")
        if store and (entry is not None or is_installed(str(store), self._environment)):
            found = ask_helper(str(store), registry, self._environment)
            if found is not None:
                return found
        return None if entry is None else _entry(auths[entry], entry, path)


def load(path: Path) -> dict[str, Any] | None:
    """Return the file's JSON, None where there is no file. Raises InvalidConfiguration."""
    from pytest_images.model.documents import load_object

    try:
        raw, mode = _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise invalid(path, error.strerror or str(error)) from None
    if len(raw) <= SIZE_LIMIT and not raw.strip():
        return None
    try:
        document = load_object(raw, str(path), SIZE_LIMIT)
    except LimitExceeded as error:
        raise invalid(path, f"{error.what} exceeds {error.limit}") from None
    except ImagesError:
        document = None
    del raw  # so that no report of this frame shows the file
    if document is None:
        raise invalid(path, "it is not strict JSON: an object without doubled keys")
    _warn_of_readers(path, mode, document)
    return document


def _read(path: Path) -> tuple[bytes, int]:
    descriptor = os.open(path, _FLAGS)  # not blocking: it could be a pipe
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(SIZE_LIMIT + 1), info.st_mode


def _warn_of_readers(path: Path, mode: int, document: dict[str, Any]) -> None:
    """Warn where others may read the passwords in the file, or write what runs as a helper."""
    auths = document.get("auths")
    entries = auths.values() if isinstance(auths, dict) else ()
    has_secrets = any(isinstance(entry, dict) and entry for entry in entries)
    exposed = (stat.S_IRGRP | stat.S_IROTH if has_secrets else 0) | stat.S_IWGRP | stat.S_IWOTH
    if mode & exposed:
        text = f"{path}: other users may read or change it (mode {mode & 0o777:04o}); chmod 600 it"
        warnings.warn(text, UserWarning, stacklevel=2)


def section(document: dict[str, Any], key: str, path: Path) -> dict[str, Any]:
    """Return one object of the file, empty where there is none. Raises InvalidConfiguration."""
    value = document.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(path, f"{key} is not an object")
    return value


def _match(entries: Mapping[str, object], registry: str) -> str | None:
    """Return the key that is *registry*: exactly, else as an address of it, never by a prefix."""
    names = HUB_NAMES if registry in HUB_NAMES else frozenset({registry})
    exact = [key for key in (registry, HUB_CONFIG_KEY, *sorted(names)) if key in entries]
    if exact and (exact[0] == registry or registry in HUB_NAMES):
        return exact[0]
    return next((key for key in entries if _host_of(key) in names), None)


def is_of_registry(key: str, registry: str) -> bool:
    """Whether a key of ``auths`` stands for all of *registry*, under any of its spellings."""
    names = HUB_NAMES if registry in HUB_NAMES else frozenset({registry})
    return key in names or _host_of(key) in names


def helper_of(document: dict[str, Any], registry: str, path: Path) -> str:
    """Return the helper that keeps the credentials of *registry*, "" where the file does."""
    helpers = section(document, "credHelpers", path)
    own = _match(helpers, registry)
    return str((helpers[own] if own is not None else "") or document.get("credsStore") or "")


def _host_of(key: str) -> str:
    """Return the host that a key of ``auths`` stands for, "" where it names a part of one."""
    text = key.lower()
    for scheme in ("https://", "http://"):
        text = text.removeprefix(scheme)
    host, _, path = text.partition("/")
    return host if path.rstrip("/") in _WHOLE_REGISTRY else ""


def _entry(entry: object, key: str, path: Path) -> Credentials | None:
    """Read one entry of ``auths``. What is raised names the entry and shows nothing of it."""
    from pytest_images.model.endpoint import Credentials
    from pytest_images.model.secret import Secret

    if not isinstance(entry, dict):
        raise invalid(path, f"the entry of {key} is not an object")
    fields = {name: entry.get(name) or "" for name in ("auth", "username", "password")}
    token = entry.get("identitytoken") or ""
    if not all(isinstance(value, str) for value in (*fields.values(), token)):
        raise invalid(path, f"the entry of {key} has a field that is not text")
    if token:
        return Credentials(identity_token=Secret(token))
    if not fields["auth"]:
        found = Credentials(fields["username"], Secret(fields["password"]))
        return found if found.username else None
    pair = _decoded(fields["auth"])
    del fields, entry
    if pair is None:
        raise invalid(path, f"the auth of {key} is not base64 of user:password")
    return pair


def _decoded(auth: str) -> Credentials | None:
    """Decode ``user:password``, split at the first colon; old clients padded it with NULs."""
    import base64
    import binascii

    from pytest_images.model.endpoint import Credentials
    from pytest_images.model.secret import Secret

    try:
        text = base64.b64decode(auth, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    if not colon or not user:
        return None
    return Credentials(user, Secret(password.rstrip("\0")))


def invalid(path: Path, reason: str) -> InvalidConfiguration:
    """Return the error of a file that cannot be used, with what to do about it."""
    error = InvalidConfiguration(str(path), reason)
    error.add_note("repair it, or name another folder in DOCKER_CONFIG")
    return error
