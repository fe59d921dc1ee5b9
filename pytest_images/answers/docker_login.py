"""What a login leaves in Docker's ``config.json``, and what a logout takes away.

The file is another program's: every key that is not ours stays as it is, and it is exchanged
whole (mode 0600) under a lock on its folder. Passwords go to a helper where one is configured.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.answers.credential_helper import make_helper_forget, tell_helper
from pytest_images.answers.docker_config import (
    CONFIG_FILE,
    helper_of,
    invalid,
    is_of_registry,
    load,
    section,
)
from pytest_images.errors import InvalidUsage
from pytest_images.registry.hub import HUB_CONFIG_KEY, HUB_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_images.model.endpoint import Credentials

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class DockerLogin:
    """Keeps and drops credentials in the folder of a ``config.json``."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """*environment* finds the helpers; None: the process's own."""
        self.path = folder / CONFIG_FILE
        self._environment = environment

    def keep(self, registry: str, credentials: Credentials) -> bool:
        """Keep *credentials* for *registry*; say whether they now stand in the file in clear.

        Raises InvalidConfiguration, CredentialHelperError, InvalidUsage.
        """
        if ":" in credentials.username:
            raise InvalidUsage(credentials.username, "a user name has no colon in it")
        with self._edited() as document:
            entries = section(document, "auths", self.path)
            helper = helper_of(document, registry, self.path)
            if helper:
                tell_helper(helper, registry, credentials, self._environment)
            key = HUB_CONFIG_KEY if registry in HUB_NAMES else registry
            entries[key] = {} if helper else {"auth": _encoded(credentials)}
            document["auths"] = entries
        return not helper

    def drop(self, registry: str) -> bool:
        """Drop what is known of *registry*; say whether the file had something of it.

        Raises InvalidConfiguration, CredentialHelperError.
        """
        if not self.path.exists():
            return False
        with self._edited() as document:
            entries = section(document, "auths", self.path)
            ours = [key for key in entries if is_of_registry(key, registry)]
            helper = helper_of(document, registry, self.path)
            if helper:
                make_helper_forget(helper, registry, self._environment)
            for key in ours:
                del entries[key]
        return bool(ours)

    @contextmanager
    def _edited(self) -> Iterator[dict[str, Any]]:
        """Give the file's document to change; what came of it is written when the block ends."""
        with self._locked():
            document = load(self.path) or {}
            before = json.dumps(document)
            yield document
            if json.dumps(document) != before:
                reason = self._exchange(json.dumps(document, indent="\t"))
                del document, before  # so that no report of this frame shows the file
                if reason:
                    raise invalid(self.path, reason)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder, so that of two logins at once neither is lost."""
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise invalid(self.path, error.strerror or str(error)) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _exchange(self, text: str) -> str:
        """Replace the file, readable to its owner only; return why that cannot be, or nothing."""
        target = Path(os.path.realpath(self.path))  # a link stays, what it points to is exchanged
        fresh = target.with_name(f".{target.name}-{os.urandom(8).hex()}")
        try:
            descriptor = os.open(fresh, _CREATE, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            fresh.replace(target)
        except OSError as error:
            return error.strerror or str(error)
        finally:
            fresh.unlink(missing_ok=True)
        return ""


def _encoded(credentials: Credentials) -> str:
    import base64

    pair = f"{credentials.username}:{credentials.password.reveal()}"
    return base64.b64encode(pair.encode()).decode()
