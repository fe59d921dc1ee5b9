"""Take away folders that a sandbox used: their files may belong to users lent to us."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def remove(folder: Path) -> None:
    """Remove *folder* with all that is in it, whoever owns it. Raises OSError, SandboxError."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except PermissionError:
        from pytest_images.sandbox.users import as_root

        as_root(remove_as_root, {"folder": str(folder)})


def remove_as_root(argument: Mapping[str, Any]) -> None:
    """Remove ``argument["folder"]``; folders that nobody may enter are opened first."""
    folder = argument["folder"]
    for path, names, _ in os.walk(folder):
        os.chmod(path, 0o700)  # before it is listed: the walk goes from the top
        for name in names:
            inner = os.path.join(path, name)
            if not os.path.islink(inner):
                os.chmod(inner, 0o700)
    shutil.rmtree(folder)
