"""The Linux calls of the sandbox that Python has no function for. For the confined process only."""

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# sched.h
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# sys/mount.h
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

# signal(7); the module of that name takes long to import
SIGINT, SIGKILL, SIGPIPE = 2, 9, 13

# linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

# linux/openat2.h
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_IN_ROOT = 0x10

# linux/mount.h
MOUNT_ATTR_RDONLY = 0x1
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000

# The same numbers on every architecture, as of all calls since 2019.
_OPENAT2 = 437
_MOUNT_SETATTR = 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Move this process into new namespaces (Linux, section 2 of its manual)."""
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Show *source*, or a new file system of *kind*, at *target*."""
    words = [os.fsencode(text) if text else None for text in (source, target, kind, data)]
    number = ctypes.c_ulong(flags)
    result = _libc.mount(words[0] or b"none", words[1], words[2], number, words[3])
    _checked(result, f"mount {kind or 'of ' + source} on {target}")


def unmount(target: str) -> None:
    """Take a mount and all below it out of the tree: umount2(2) of Linux."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), f"unmount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make *new* the root of this mount namespace and put the old one at *old*."""
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root: its number on {os.uname().machine} is not known here")
    _checked(_libc.syscall(number, os.fsencode(new), os.fsencode(old)), "pivot_root")


def set_host_name(name: str) -> None:
    """Name this machine, as a UTS namespace of its own sees it."""
    raw = os.fsencode(name)
    _checked(_libc.sethostname(raw, len(raw)), "sethostname")


def prctl(option: int, *arguments: int) -> None:
    """Change a property of this process."""
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_libc.prctl(option, *padded), f"prctl {option}")


def open_in_root(root: int, path: str, flags: int) -> int:
    """Open *path* as a process would that has the folder *root* (a descriptor) as its root.

    Links are followed inside of it, links of /proc never: see openat2(2).
    """
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
    result: Any = _libc.syscall(_OPENAT2, root, os.fsencode(path), how, len(how))
    return _checked(result, f"open {path}")


def make_read_only(mounted: int) -> None:
    """Let nobody write through the mount that *mounted* is open on, nor through those in it."""
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    flags = AT_EMPTY_PATH | AT_RECURSIVE
    result = _libc.syscall(_MOUNT_SETATTR, mounted, b"", flags, attributes, len(attributes))
    _checked(result, "make a mount read-only")


def set_capabilities(mask: int) -> None:
    """Have the capabilities of *mask* and no others, none of them inherited; see capset(2)."""
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    words = ((mask >> shift) & 0xFFFFFFFF for shift in (0, 32))
    data = b"".join(struct.pack("III", word, word, 0) for word in words)
    _checked(_libc.capset(header, data), "capset")


def reset_signal(number: int) -> None:
    """Let a signal do what it does to a program that says nothing about it."""
    _libc.signal(number, None)


def drop_from_bounding_set(capability: int) -> None:
    """Take one capability out of what any later program may get."""
    prctl(PR_CAPBSET_DROP, capability)
