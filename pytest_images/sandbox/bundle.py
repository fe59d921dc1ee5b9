"""The same sandbox as an OCI runtime is told of it (runtime-spec, config.json)."""

from __future__ import annotations

from pytest_images.sandbox import seccomp
from pytest_images.sandbox.capabilities import DEFAULT
from pytest_images.sandbox.json_text import json_text
from pytest_images.sandbox.tree import HIDDEN, READ_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytest_images.sandbox.accounts import Account
    from pytest_images.sandbox.spec import Spec

_NO = ["nosuid", "noexec", "nodev"]


def config(spec: Spec, root: str, account: Account, mounts: list[dict[str, Any]]) -> bytes:
    """Return config.json for the command of *spec* in the root file system *root*."""
    namespaces = ["pid", "mount", "ipc", "uts"] + ([] if spec.has_network else ["network"])
    capabilities = sorted(DEFAULT)
    document = {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {
                "uid": account.uid,
                "gid": account.gid,
                "umask": 0o022,
                **({"additionalGids": list(account.groups)} if spec.has_groups else {}),
            },
            "args": list(spec.command),
            "env": [f"{k}={v}" for k, v in {"HOME": account.home, **spec.environment}.items()],
            "cwd": spec.directory,
            "capabilities": {
                "bounding": capabilities,
                "effective": capabilities if account.uid == 0 else [],
                "permitted": capabilities if account.uid == 0 else [],
            },
            "noNewPrivileges": True,
        },
        "root": {"path": root},
        "hostname": "build",
        "mounts": [*_kernel(), *mounts],
        "linux": {
            "namespaces": [{"type": kind} for kind in namespaces],
            "maskedPaths": list(HIDDEN),
            "readonlyPaths": list(READ_ONLY),
            "seccomp": seccomp.profile(),
        },
    }
    return json_text(document).encode()


def _kernel() -> list[dict[str, Any]]:
    """Return the mounts that every container has, but for /sys."""
    quiet = ["nosuid", "noexec"]
    terminals = [*quiet, "newinstance", "ptmxmode=0666", "mode=0620"]
    return [
        mount("/proc", "proc", "proc", _NO),
        mount("/dev", "tmpfs", "tmpfs", [*quiet, "mode=755", "size=64k"]),
        mount("/dev/pts", "devpts", "devpts", terminals),
        mount("/dev/shm", "tmpfs", "shm", [*_NO, "mode=1777", "size=64m"]),  # noqa: S108 - its own
    ]


def sysfs(view: str) -> dict[str, Any]:
    """Return the mount of /sys: a *view* of the machine's, "": a new one."""
    if view:
        return mount("/sys", "bind", view, ["rbind", "ro", *_NO])
    return mount("/sys", "sysfs", "sysfs", ["ro", *_NO])


def bind(source: str, target: str, *, read_only: bool) -> dict[str, Any]:
    """Return a bind mount of *source*."""
    return mount(target, "bind", source, ["rbind", "ro" if read_only else "rw"])


def mount(target: str, kind: str, source: str, options: list[str]) -> dict[str, Any]:
    """Return one entry of ``mounts``."""
    return {"destination": target, "type": kind, "source": source, "options": options}
