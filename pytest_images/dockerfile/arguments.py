"""Which variables there are: build arguments, platforms, proxies, ARG and ENV, and their scopes.

As BuildKit does it: the ARGs before the first FROM are seen by FROM lines alone, and by an ARG
of the same name without a default inside a stage. Inside a stage whatever was said last counts,
ENV or ARG; a stage on another stage begins with that one's variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dockerfile.expand import Allowance, Expander
from pytest_images.dockerfile.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.dockerfile.instructions import Arg
    from pytest_images.dockerfile.stages import Dockerfile
    from pytest_images.model.platform import Platform

# Build arguments that work without ARG, for RUN alone, and never reach history or cache keys.
PROXIES = frozenset(
    name
    for protocol in ("HTTP", "HTTPS", "FTP", "NO", "ALL")
    for name in (f"{protocol}_PROXY", f"{protocol}_PROXY".lower())
)


def platform_arguments(build: Platform, target: Platform, stage: str = "") -> dict[str, str]:
    """Return the arguments that say where we build, for what, and which stage.

    >>> from pytest_images.model.platform import Platform
    >>> arm = Platform.parse("linux/arm/v7")
    >>> found = platform_arguments(Platform.parse("linux/amd64"), arm)
    >>> found["TARGETPLATFORM"], found["TARGETVARIANT"], found["BUILDARCH"]
    ('linux/arm/v7', 'v7', 'amd64')
    """
    found = {}
    for prefix, platform in (("BUILD", build), ("TARGET", target)):
        variant = platform.plain_variant
        parts = [part for part in (platform.os, platform.architecture, variant) if part]
        found[f"{prefix}PLATFORM"] = "/".join(parts)
        found[f"{prefix}OS"] = platform.os
        found[f"{prefix}OSVERSION"] = ""
        found[f"{prefix}ARCH"] = platform.architecture
        found[f"{prefix}VARIANT"] = variant
    found["TARGETSTAGE"] = stage or "default"
    return found


def global_arguments(
    dockerfile: Dockerfile,
    given: Mapping[str, str],
    automatic: Mapping[str, str],
    allowance: Allowance | None = None,
) -> dict[str, str]:
    """Return the variables that FROM lines see; *given* are ``--build-arg``.

    *automatic* are those of `platform_arguments`, which *given* may override. Raises
    InvalidDockerfile for a default that cannot be expanded.
    """
    found = {name: given.get(name, value) for name, value in automatic.items()}
    by = Expander(found, dockerfile.escape, allowance)
    for arg in dockerfile.arguments:
        for name, default in ((one.name, one.default) for one in arg.declarations):
            if name in given:
                found[name] = given[name]
            elif default is not None:
                found[name] = _expanded(arg, default, by)
    return found


class Scope:
    """The variables of one stage while it is built, changed by each ENV and ARG.

    ``variables`` is all of them; ``arguments`` those that came by ARG, with the value of that
    moment (None: declared, without a value), which RUN sees and the history names.
    """

    def __init__(
        self,
        outside: Mapping[str, str],
        given: Mapping[str, str],
        escape: str = "\\",
        allowance: Allowance | None = None,
    ) -> None:
        self._outside, self._given, self._escape = outside, given, escape
        self._allowance = allowance or Allowance()
        self.variables: dict[str, str] = {}
        self.arguments: dict[str, str | None] = {}

    @property
    def expander(self) -> Expander:
        """What expands words by the variables as they are now."""
        return Expander(self.variables, self._escape, self._allowance)

    def set(self, name: str, value: str) -> None:
        """Take the variable of an ENV, or of the base image's config."""
        self.variables[name] = value

    def declare(self, arg: Arg) -> tuple[tuple[str, str | None], ...]:
        """Take an ARG; return its names with their values, None for those without.

        Raises InvalidDockerfile for a default that cannot be expanded.
        """
        declared = []
        for one in arg.declarations:
            value = self._value(arg, one.name, one.default)
            self.arguments[one.name] = value
            if value is not None:
                self.variables[one.name] = value
            declared.append((one.name, value))
        return tuple(declared)

    def inherited(self) -> Scope:
        """Return the scope of a stage that stands on this one."""
        scope = Scope(self._outside, self._given, self._escape, self._allowance)
        scope.variables, scope.arguments = dict(self.variables), dict(self.arguments)
        return scope

    def proxies(self) -> dict[str, str]:
        """Return the proxies given, which a RUN sees though no ARG declares them."""
        return {name: value for name, value in self._given.items() if name in PROXIES}

    def _value(self, arg: Arg, name: str, default: str | None) -> str | None:
        if name in self._given:
            return self._given[name]
        if default is not None:
            return _expanded(arg, default, self.expander)
        return self._outside.get(name)


def _expanded(arg: Arg, default: str, by: Expander) -> str:
    try:
        return by.word(default)
    except Malformed as problem:
        raise arg.place.error(str(problem)) from problem
