"""How a process of ours begins that has a user namespace of its own."""

from __future__ import annotations

import os

from pytest_images.sandbox.syscalls import CLONE_NEWUSER, unshare

_MAP_ME, _GO_ON = b"m", b"g"


def enter_user_namespace(control: int) -> None:
    """Enter a user namespace and be root there: what the started process does first."""
    unshare(CLONE_NEWUSER)
    os.write(control, _MAP_ME)
    if os.read(control, 1) != _GO_ON:
        os._exit(1)  # who started this is gone, or could not map our users
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
