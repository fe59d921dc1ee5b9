"""What stands before the command: which store, which engine, how much of an error is shown."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_images.cli.options import Option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.cli.options import Parsed
    from pytest_images.content.store import Store
    from pytest_images.images import Images

ENGINE_VARIABLE = "PYTEST_IMAGES_ENGINE"
MIRRORS_VARIABLE = "PYTEST_IMAGES_MIRRORS"
DEFAULT_ENGINE = "embedded"
OPTIONS = (
    Option("debug", "Show where in the program an error happened", short="D"),
    Option("engine", f"Engine to use (${ENGINE_VARIABLE})", kind="string"),
    Option("home", "Folder of the store ($PYTEST_IMAGES_HOME)", kind="string"),
    Option("version", "Print version information and quit", short="v"),
)


class Settings:
    """The global options, and the ways to what they choose: the door and the store."""

    __slots__ = ("engine", "home")

    def __init__(self, engine: str = "", home: str = "") -> None:
        self.engine = engine or os.environ.get(ENGINE_VARIABLE) or DEFAULT_ENGINE
        self.home = home

    @classmethod
    def of(cls, parsed: Parsed) -> Settings:
        """Take them from the words before the command."""
        return cls(parsed.text("engine"), parsed.text("home"))

    @property
    def folder(self) -> Path | None:
        """The folder of the store; None leaves the choice to the store."""
        from pathlib import Path

        return Path(self.home) if self.home else None

    @contextmanager
    def door(self, *plugins: object) -> Iterator[Images]:
        """Give the door to the hooks; *plugins* listen in. Closed afterwards."""
        from pytest_images.host import Host

        lines = os.environ.get(MIRRORS_VARIABLE, "").replace(",", "\n").splitlines()
        mirrors = [line for line in lines if line.strip()]
        with Host(home=self.folder, engine=self.engine, mirrors=mirrors, plugins=plugins) as host:
            yield host.images

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the embedded engine's store itself, for what is no operation on images."""
        from pytest_images.content.store import Store

        with Store.open(self.folder) as store:
            yield store
