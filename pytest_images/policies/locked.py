"""Which lock is in force: that of a file that is there, or the one that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.policies.lock import Lock, Mode

MODES = ("use", "update", "verify", "off")


def lock_in(folder: Path, mode: str | None) -> Lock | None:
    """Return the lock of *folder*; *mode* None: ``use`` where there is a file, else ``off``.

    What is not in force is not imported. Raises InvalidUsage.
    """
    path = folder / "images.lock"
    if mode not in (None, *MODES):
        raise InvalidUsage(str(mode), f"images_lock is one of {', '.join(MODES)}")
    if mode == "off" or (mode is None and not path.exists()):
        return None
    from pytest_images.policies.lock import Lock
    from pytest_images.policies.lock_file import LockFile

    return Lock(LockFile(path), cast("Mode", mode or "use"))
