"""One RUN step of a build, as the question `build_run` gets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.model.frozen import FrozenMap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_images.model.platform import Platform


@dataclass(frozen=True, slots=True)
class RunStep:
    """One command to run in a root file system; its output goes to ``log``."""

    rootfs: Path
    command: tuple[str, ...]
    platform: Platform
    log: BinaryIO
    environment: Mapping[str, str] = field(default_factory=FrozenMap)
    working_directory: str = "/"
    user: str = ""
    network: str = "default"

    def __post_init__(self) -> None:
        object.__setattr__(self, "environment", FrozenMap(self.environment))
