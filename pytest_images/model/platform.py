"""What an image runs on: operating system, architecture, variant (OCI image-index.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from pytest_images.errors import InvalidPlatform

# containerd's normalisation (platforms/database.go): the names other tools use for Go's.
_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "i386": ("386", ""),
    "i486": ("386", ""),
    "i586": ("386", ""),
    "i686": ("386", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v7"),
}
_OPERATING_SYSTEMS = {"macos": "darwin"}
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """An operating system and an architecture, normalised: ``x86_64`` is ``amd64``.

    >>> str(Platform.parse("linux/aarch64"))
    'linux/arm64/v8'
    """

    os: str
    architecture: str
    variant: str = ""

    def __post_init__(self) -> None:
        text = "/".join(filter(None, (self.os, self.architecture, self.variant)))
        for word in (self.os, self.architecture, self.variant or "-"):
            if not _WORD.fullmatch(word):
                raise InvalidPlatform(text, "expected os/architecture or os/architecture/variant")
        os = self.os.lower()
        architecture, variant = self.architecture.lower(), self.variant.lower()
        if architecture in _ARCHITECTURES:
            architecture, implied = _ARCHITECTURES[architecture]
            variant = variant or implied
        if architecture == "arm64" and variant in ("", "8"):
            variant = "v8"
        elif architecture == "arm":
            variant = f"v{variant}" if variant.isdigit() else variant or "v7"
        elif architecture == "amd64" and variant == "v1":
            variant = ""
        object.__setattr__(self, "os", _OPERATING_SYSTEMS.get(os, os))
        object.__setattr__(self, "architecture", architecture)
        object.__setattr__(self, "variant", variant)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``os/architecture[/variant]``, or an architecture alone (then ``linux``)."""
        parts = text.split("/")
        if len(parts) == 1:
            parts = ["linux", *parts]
        if len(parts) > 3:
            raise InvalidPlatform(text, "expected os/architecture or os/architecture/variant")
        return cls(*parts)

    @classmethod
    def of_machine(cls, machine: str) -> Self:
        """Return the Linux platform of a *machine* name as ``platform.machine()`` gives it."""
        return cls("linux", machine)

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))
