"""The ``config`` part of a config while instructions change it.

One rule for each instruction, as Docker has them; what other instructions do to files is not
here. Instructions come expanded. A draft keeps fields of the base that nobody here knows.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Self

from pytest_images.builder.signals import is_signal
from pytest_images.dockerfile.instructions import (
    Cmd,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    OnBuild,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from pytest_images.model.documents import folded_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.dockerfile.instructions import CommandLine

DEFAULT_SHELL = ("/bin/sh", "-c")
WINDOWS_SHELL = ("cmd", "/S", "/C")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FIELDS = (  # in the order in which they are written
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "OnBuild",
    "Shell",
)


class SettingsDraft:
    """Settings that can be changed; begin with nothing, or with those `of` a base.

    >>> draft = SettingsDraft()
    >>> draft.apply(Workdir("app"))
    >>> draft.to_json()
    {'WorkingDir': '/app'}
    """

    def __init__(self, os: str = "linux") -> None:
        self._fields: dict[str, Any] = {}
        self._default_shell = WINDOWS_SHELL if os == "windows" else DEFAULT_SHELL
        self._has_command = False  # of its own, not of the base

    @classmethod
    def of(cls, document: Mapping[str, Any] | None, source: str, os: str = "linux") -> Self:
        """Begin with the settings of a base image, their JSON; *source* names it for errors.

        Its triggers are taken out: ``on_build`` of the base is for the builder to run.
        Raises InvalidDocument.
        """
        draft = cls(os)
        draft._fields = folded_fields(dict(document or {}), _FIELDS, source)
        draft._fields.pop("OnBuild", None)
        return draft

    def complete(self) -> None:
        """Set what every image of Linux has, as BuildKit does: a PATH."""
        if self._default_shell == DEFAULT_SHELL and "PATH" not in self.environment:
            self._set_variable("PATH", DEFAULT_PATH)

    @property
    def on_build(self) -> tuple[str, ...]:
        """The triggers for whoever builds on this, as they were written."""
        return tuple(self._fields.get("OnBuild") or ())

    @property
    def environment(self) -> dict[str, str]:
        """The variables, in their order: a copy."""
        pairs = (entry.partition("=") for entry in self._fields.get("Env") or ())
        return {name: value for name, _, value in pairs}

    @property
    def shell(self) -> tuple[str, ...]:
        """What runs a shell form."""
        return tuple(self._fields.get("Shell") or self._default_shell)

    @property
    def user(self) -> str:
        """Who runs commands, "" for root."""
        return self._fields.get("User") or ""

    @property
    def working_directory(self) -> str:
        """Where commands run, "" for the root."""
        return self._fields.get("WorkingDir") or ""

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a config has them, without what says nothing."""
        known = [name for name in _FIELDS if self._fields.get(name)]
        others = [name for name, value in self._fields.items() if name not in _FIELDS and value]
        return {name: self._fields[name] for name in (*known, *sorted(others))}

    def apply(self, instruction: Instruction) -> None:
        """Change what *instruction* changes; one that changes no setting changes nothing.

        Raises InvalidDockerfile for a value that nothing can mean.
        """
        match instruction:
            case Env():
                for pair in instruction.pairs:
                    self._set_variable(pair.name, pair.value)
            case Label():
                labels = {pair.name: pair.value for pair in instruction.pairs}
                self._fields["Labels"] = dict(sorted((self._map("Labels") | labels).items()))
            case Workdir():
                self._fields["WorkingDir"] = below(self.working_directory, instruction.path)
            case User():
                self._fields["User"] = instruction.user
            case Expose():
                self._add_names("ExposedPorts", instruction.ports)
            case Volume():
                self._add_names("Volumes", instruction.paths)
            case Shell():
                self._fields["Shell"] = list(instruction.words)
            case OnBuild():
                self._fields["OnBuild"] = [*self._fields.get("OnBuild", ()), instruction.expression]
            case _:
                self._apply_command(instruction)

    def _apply_command(self, instruction: Instruction) -> None:
        """Change how the container's process is started, watched and ended."""
        match instruction:
            case Cmd():
                self._fields["Cmd"] = list(instruction.command.with_shell(self.shell))
                self._has_command = True
            case Entrypoint():
                self._set_entrypoint(instruction.command)
            case StopSignal():
                if not is_signal(instruction.signal):
                    raise instruction.place.error(f"Invalid signal: {instruction.signal}")
                self._fields["StopSignal"] = instruction.signal
            case Healthcheck():
                self._fields["Healthcheck"] = _health(instruction)

    def _set_entrypoint(self, command: CommandLine) -> None:
        """An ENTRYPOINT takes away the base's CMD, which was meant for the base's own."""
        self._fields["Entrypoint"] = list(command.with_shell(self.shell) if command.words else ())
        if not self._has_command:
            self._fields.pop("Cmd", None)

    def _set_variable(self, name: str, value: str) -> None:
        """Set a variable where it is, or as the last one."""
        variables = self.environment | {name: value}
        self._fields["Env"] = [f"{name}={value}" for name, value in variables.items()]

    def _add_names(self, field: str, names: tuple[str, ...]) -> None:
        added = self._map(field) | {name: {} for name in names}
        self._fields[field] = dict(sorted(added.items()))

    def _map(self, field: str) -> dict[str, Any]:
        return dict(self._fields.get(field) or {})


def below(directory: str, path: str) -> str:
    """Return the absolute path that *path* is in the working *directory*, "" for the root."""
    return "/" + posixpath.normpath(posixpath.join("/", directory, path)).lstrip("/")


def _health(instruction: Healthcheck) -> dict[str, Any]:
    times = {
        "Interval": instruction.interval,
        "Timeout": instruction.timeout,
        "StartPeriod": instruction.start_period,
        "StartInterval": instruction.start_interval,
        "Retries": instruction.retries,
    }
    given = {name: value for name, value in times.items() if value}
    return {"Test": list(instruction.test), **given}
