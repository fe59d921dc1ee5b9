"""What an image runs on: operating system, architecture, variant (OCI image-index.md)."""

from __future__ import annotations

import re
from typing import Self

from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidPlatform

# The names that other tools use for Go's, as containerd normalises them; then those of
# `uname -m`. A variant given beside such a name does not count where the name implies one.
_ARCHITECTURES = {
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "aarch64": ("arm64", None),
    "i386": ("386", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "i486": ("386", ""),
    "i586": ("386", ""),
    "i686": ("386", ""),
    "aarch64_be": ("arm64be", None),
    "armv5tel": ("arm", "v5"),
    "armv5tejl": ("arm", "v5"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v8"),
    "loongarch64": ("loong64", None),
}
_OPERATING_SYSTEMS = {"macos": "darwin"}
SYSTEMS = frozenset({"linux", "windows", "darwin", "macos", "freebsd"})  # no architectures
# Those of Go, as containerd knows them: a word that stands alone is one of them.
_KNOWN = frozenset(
    {
        *("386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "loong64", "mips"),
        *("mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le", "ppc", "ppc64", "ppc64le"),
        *("riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm"),
    }
)
_WORD = r"[A-Za-z0-9_.-]{1,64}"
_NUMBER = r"v(\d{1,2})(?:\.(\d{1,2}))?"
_V8_MINORS = 9  # Armv8.9 is the last of its line
EXPECTED = "expected os/architecture or os/architecture/variant"


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and an architecture, normalised: ``x86_64`` is ``amd64``.

    >>> str(Platform.parse("linux/aarch64"))
    'linux/arm64/v8'
    """

    os: str
    architecture: str
    variant: str = ""

    def __post_init__(self) -> None:
        for word in (self.os, self.architecture, self.variant or "-"):
            if not re.fullmatch(_WORD, word):
                raise InvalidPlatform(str(self), EXPECTED)
        os = self.os.lower()
        architecture, variant = _normalised(self.architecture.lower(), self.variant.lower())
        object.__setattr__(self, "os", _OPERATING_SYSTEMS.get(os, os))
        object.__setattr__(self, "architecture", architecture)
        object.__setattr__(self, "variant", variant)

    def __lt__(self, other: Self) -> bool:
        ours = (self.os, self.architecture, self.variant)
        return ours < (other.os, other.architecture, other.variant)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``os/architecture[/variant]``, or an architecture alone (then ``linux``).

        Raises InvalidPlatform.
        """
        parts = text.split("/", 3)
        if len(parts) == 1 and _normalised(text.lower(), "")[0] in _KNOWN:
            parts = ["linux", *parts]
        if not 2 <= len(parts) <= 3 or "" in parts:
            raise InvalidPlatform(text, EXPECTED)
        return cls(*parts)

    @classmethod
    def of_machine(cls, machine: str) -> Self:
        """Return the Linux platform of a *machine* name as ``platform.machine()`` gives it."""
        return cls("linux", machine)

    @property
    def plain_variant(self) -> str:
        """The variant as configs have it: that of arm64 goes without saying (containerd)."""
        return "" if (self.architecture, self.variant) == ("arm64", "v8") else self.variant

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


def candidates(platform: Platform) -> tuple[Platform, ...]:
    """Return the platforms whose images run on *platform*, the best first.

    What containerd's ``platforms.Only`` takes: older variants, and the 32-bit architecture.

    >>> [str(p) for p in candidates(Platform.parse("linux/amd64/v2"))]
    ['linux/amd64/v2', 'linux/amd64', 'linux/386']
    >>> [str(p) for p in candidates(Platform.parse("linux/arm/v7"))]
    ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']
    """
    older = _OLDER.get(platform.architecture)
    match = re.fullmatch(_NUMBER, platform.variant, re.ASCII)
    pairs = older(int(match[1]), int(match[2] or 0)) if older and match else ()
    found = [Platform(platform.os, *pair) for pair in pairs]
    if platform.architecture == "amd64":
        found.append(Platform(platform.os, "386"))
    return (platform, *found)


def _normalised(architecture: str, variant: str) -> tuple[str, str]:
    """Return Go's architecture and the variant in its one spelling, both lower case."""
    if architecture in _ARCHITECTURES:
        architecture, implied = _ARCHITECTURES[architecture]
        variant = variant if implied is None else implied
    if architecture in ("arm", "arm64"):
        variant = variant.removesuffix(".0")
        variant = f"v{variant}" if variant[:1].isdigit() else variant
    if architecture == "arm64":
        variant = variant or "v8"
    elif architecture == "arm":
        variant = variant or "v7"
    elif architecture == "amd64" and variant == "v1":
        variant = ""
    return architecture, variant


def _older_amd64(version: int, _minor: int) -> list[tuple[str, str]]:
    return [("amd64", f"v{number}") for number in range(version - 1, 0, -1)]


def _older_arm(version: int, _minor: int) -> list[tuple[str, str]]:
    return [("arm", f"v{number}") for number in range(version - 1, 4, -1)]


def _older_arm64(major: int, minor: int) -> list[tuple[str, str]]:
    """Versions 9.N can do what 8.(N+5) can; all of them run the code of 32-bit v8."""
    if major not in (8, 9):
        return []
    older = [f"v{major}.{number}" for number in range(minor - 1, -1, -1)]
    if major == 9:
        older += [f"v8.{number}" for number in range(min(minor + 5, _V8_MINORS), -1, -1)]
    return [*(("arm64", name) for name in older), ("arm", "v8"), *_older_arm(8, 0)]


_OLDER = {"amd64": _older_amd64, "arm": _older_arm, "arm64": _older_arm64}
UNKNOWN = Platform("unknown", "unknown")  # as BuildKit marks attestations; matches no host
