"""How a container of an image is run: the ``config`` part of its config (OCI config.md).

What Docker takes is taken: fields in any case, ``Cmd`` as one text, a variable without
``=`` (Docker then drops the variable, and so do we). What no image can mean is refused:
NUL in a text that becomes an argument, user and group numbers that wrap around to root.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from pytest_images.dataclass import dataclass, field
from pytest_images.errors import InvalidDocument, LimitExceeded, shown
from pytest_images.model.documents import folded_fields
from pytest_images.model.frozen import FrozenMap

if TYPE_CHECKING:
    from collections.abc import Mapping

USER_LIMIT = 1024  # characters of ``user:group``
NUMBER_LIMIT = (1 << 31) - 1  # the highest user or group number that Docker and runc take
_NUMBER = "[+-]?[0-9]+"  # ASCII alone, as Go's Atoi; other digits are a name
_FIELDS = frozenset(
    {
        "User",
        "Env",
        "Entrypoint",
        "Cmd",
        "WorkingDir",
        "Labels",
        "ExposedPorts",
        "Volumes",
        "StopSignal",
        "OnBuild",
        "Shell",
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What runs, as whom, where and with which environment.

    >>> Settings.from_json({"Env": ["A=1", "B"], "Cmd": ["sh"]}, "example").environment
    {'A': '1'}
    """

    user: str = ""
    environment: Mapping[str, str] = field(default_factory=FrozenMap)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""
    labels: Mapping[str, str] = field(default_factory=FrozenMap)
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    on_build: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, document: object, source: str) -> Self:
        """Read the settings; *source* names the config for errors. Raises InvalidDocument."""
        if document is None:
            return cls()
        if not isinstance(document, dict):
            raise InvalidDocument(source, "config is not an object")
        reader = _Reader(folded_fields(document, _FIELDS, source), source)
        return cls(
            user=_checked_user(reader.text("User"), source),
            environment=_environment(reader.texts("Env")),
            entrypoint=reader.texts("Entrypoint"),
            command=reader.texts("Cmd"),
            working_directory=reader.text("WorkingDir"),
            labels=reader.labels("Labels"),
            exposed_ports=reader.names("ExposedPorts"),
            volumes=reader.names("Volumes"),
            stop_signal=reader.text("StopSignal"),
            on_build=reader.texts("OnBuild"),
            shell=reader.texts("Shell"),
        )


class _Reader:
    """Fields by their JSON type; null is as good as absent."""

    __slots__ = ("document", "source")

    def __init__(self, document: dict[str, Any], source: str) -> None:
        self.document, self.source = document, source

    def text(self, key: str) -> str:
        value = self.document.get(key)
        return self._plain(key, "" if value is None else value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.document.get(key)
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list | None):
            raise InvalidDocument(self.source, f"{key} is not a list of text")
        return tuple(self._plain(key, item) for item in value or ())

    def names(self, key: str) -> tuple[str, ...]:
        """The keys of an object whose values say nothing (``{"80/tcp": {}}``)."""
        value = self.document.get(key)
        if not isinstance(value, dict | None):
            raise InvalidDocument(self.source, f"{key} is not an object")
        return tuple(self._plain(key, name) for name in value or ())

    def labels(self, key: str) -> FrozenMap[str, str]:
        value = self.document.get(key)
        if not isinstance(value, dict | None):
            raise InvalidDocument(self.source, f"{key} is not an object")
        if not all(isinstance(text, str) for text in (value or {}).values()):
            raise InvalidDocument(self.source, f"{key} is not a map of text to text")
        return FrozenMap(value or {})

    def _plain(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise InvalidDocument(self.source, f"{key} is not text")
        if "\0" in value:
            raise InvalidDocument(self.source, f"{key} has a NUL in it")
        return value


def _environment(entries: tuple[str, ...]) -> FrozenMap[str, str]:
    pairs = (entry.partition("=") for entry in entries)
    return FrozenMap({name: value for name, equals, value in pairs if equals and name})


def _checked_user(text: str, source: str) -> str:
    """Refuse numbers that would wrap around, above all to root's."""
    if len(text) > USER_LIMIT:
        raise LimitExceeded(source, "length of User", USER_LIMIT)
    parts = text.split(":")
    if len(parts) > 2:
        raise InvalidDocument(source, f'User "{shown(text)}" has more than user and group')
    for part in parts:
        if re.fullmatch(_NUMBER, part) and not 0 <= int(part) <= NUMBER_LIMIT:
            reason = f'User "{shown(text)}" is not between 0 and {NUMBER_LIMIT}'
            raise InvalidDocument(source, reason)
    return text
