"""The root file system of a step, mounted where nobody else sees it."""

from __future__ import annotations

import os

from pytest_images.sandbox import syscalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_images.sandbox.spec import MountSpec, Spec

HIDDEN = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}


def here(descriptor: int) -> str:
    """Return a path of what *descriptor* is open on, whatever has its name by now."""
    return f"/proc/self/fd/{descriptor}"


def mount_root(spec: Spec) -> str:
    """Mount the root file system below the scratch folder; return where.

    The layers are named by short links: all their paths together must fit into one page.
    """
    merged = os.path.join(spec.scratch, "merged")
    os.mkdir(merged, 0o700)
    if not spec.lowers:
        bind(spec.rootfs, merged)
        return merged
    os.chdir(spec.scratch)
    os.mkdir("work", 0o700)
    os.symlink(spec.rootfs, "upper")
    for number, lower in enumerate(spec.lowers):
        os.symlink(lower, str(number))
    below = ":".join(map(str, range(len(spec.lowers))))
    options = f"lowerdir={below},upperdir=upper,workdir=work,userxattr"
    syscalls.mount("overlay", merged, "overlay", data=options)
    os.chdir("/")
    return merged


def pinned(mount: MountSpec, scratch: str) -> str:
    """Bind the source of *mount* in the scratch folder, out of anybody's reach; return where.

    What is mounted later is what was found now, whatever lies at the source's path by then.
    """
    path = os.path.join(scratch, f"source{len(os.listdir(scratch))}")
    with Opened(mount.source) as source:
        if os.path.isdir(here(source)):
            os.mkdir(path, 0o700)
        else:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        bind(here(source), path)
    return path


def bind(source: str, target: str) -> None:
    """Show *source*, with all that is mounted in it, at *target* too."""
    syscalls.mount(source, target, flags=syscalls.MS_BIND | syscalls.MS_REC)


def view_of_sys(spec: Spec) -> str:
    """Bind /sys, with all that is mounted in it, where nobody can write to it; return where."""
    path = os.path.join(spec.scratch, "sys")
    os.mkdir(path, 0o700)
    bind("/sys", path)
    with Opened(path) as mounted:
        syscalls.make_read_only(mounted)
    return path


class Opened:
    """Opens what is at a path for a block: for the calls that take a descriptor."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *exception: object) -> None:
        os.close(self._descriptor)
