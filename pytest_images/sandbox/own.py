"""The sandbox without a runtime: the mounts, the new root, the command, all by our own hands."""

from __future__ import annotations

import os

from pytest_images.sandbox import syscalls
from pytest_images.sandbox.capabilities import DEFAULT, MASK
from pytest_images.sandbox.places import Refused
from pytest_images.sandbox.tree import DEVICES, HIDDEN, LINKS, READ_ONLY, Opened, bind, here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from pytest_images.sandbox.accounts import Account
    from pytest_images.sandbox.places import Places
    from pytest_images.sandbox.spec import Spec

_NO = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
_LAST_CAPABILITY = 63
NOT_FOUND, NOT_EXECUTABLE = 127, 126


def mount_kernel(places: Places, sysfs: str) -> None:
    """Mount fresh /proc, /dev and /sys; *sysfs* is a view of the machine's, "": a new one.

    The kernel gives a new sysfs only to who has a network namespace of its own.
    """
    syscalls.mount("proc", here(places.real_folder("/proc")), "proc", _NO)
    sys = here(places.real_folder("/sys"))
    if sysfs:
        bind(sysfs, sys)
    else:
        syscalls.mount("sysfs", sys, "sysfs", _NO | syscalls.MS_RDONLY)
    _mount_devices(places)


def _mount_devices(places: Places) -> None:
    flags = syscalls.MS_NOSUID | syscalls.MS_NOEXEC
    syscalls.mount("tmpfs", here(places.real_folder("/dev")), "tmpfs", flags, "mode=755,size=64k")
    dev = places.real_folder("/dev")
    for name in DEVICES:
        if os.path.exists(f"/dev/{name}"):
            bind(f"/dev/{name}", here(places.file(f"/dev/{name}")))
    for name, target in LINKS.items():
        os.symlink(target, name, dir_fd=dev)
    data = "newinstance,ptmxmode=0666,mode=0620"
    syscalls.mount("devpts", here(places.folder("/dev/pts")), "devpts", flags, data)
    os.symlink("pts/ptmx", "ptmx", dir_fd=dev)
    shm = here(places.folder("/dev/shm"))  # noqa: S108 - the sandbox's own
    syscalls.mount("tmpfs", shm, "tmpfs", _NO, "mode=1777,size=64m")


def hide_kernel() -> None:
    """Take out of sight, or out of reach, what the kernel shows of the rest of the machine."""
    for path in READ_ONLY:
        if os.path.exists(path):
            bind(path, path)
            with Opened(path) as mounted:
                syscalls.make_read_only(mounted)
    for path in HIDDEN:
        if os.path.isdir(path):
            syscalls.mount("tmpfs", path, "tmpfs", _NO | syscalls.MS_RDONLY, "size=0,nr_inodes=1")
        elif os.path.exists(path):
            bind("/dev/null", path)


def enter(merged: str) -> None:
    """Make *merged* the root; nothing outside of it can be reached any more."""
    os.chdir(merged)
    syscalls.pivot_root(".", ".")  # the old root lies over the new one now
    syscalls.unmount(".")
    os.chdir("/")


def become(spec: Spec, account: Account) -> NoReturn:
    """Be the command; never returns. Only descriptors 0 to 2 stay open."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # first: the directory may be one of them
    try:
        _take_directory(spec.directory)
        _drop(account, has_groups=spec.has_groups)
    except (OSError, Refused) as error:
        end(str(error), NOT_EXECUTABLE)
    environment = {"HOME": account.home, **spec.environment}
    program = spec.command[0]
    try:
        _execute(program, spec.command, environment)
    except FileNotFoundError:
        where = "no such file or directory" if "/" in program else "not found in $PATH"
        end(f"exec: {program}: {where}", NOT_FOUND)
    except (OSError, ValueError) as error:
        end(f"exec: {program}: {getattr(error, 'strerror', None) or error}", NOT_EXECUTABLE)


def _execute(program: str, words: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    """Be *program*, looked for as `execvp` does; that of `os` needs a library to do so."""
    if "/" in program:
        os.execve(program, words, environment)
    refused: OSError | None = None
    for folder in environment.get("PATH", os.defpath).split(":"):
        try:
            os.execve(os.path.join(folder, program), words, environment)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = refused or error
    raise refused or FileNotFoundError


def _take_directory(path: str) -> None:
    """Go to the working directory. A link of /proc could lead out of the new root."""
    try:
        os.chdir(path)
        inside = os.getcwd().startswith("/")  # "(unreachable)" when it is not
    except OSError as error:
        raise Refused(f"working directory {path}: {error.strerror}") from None
    if not inside:
        raise Refused(f"working directory {path}: it lies outside of the root file system")


def _drop(account: Account, *, has_groups: bool) -> None:
    """Give up everything but Docker's capabilities, and with another user than root these too."""
    os.umask(0o022)
    os.setsid()
    for number in range(_LAST_CAPABILITY + 1):
        if number not in DEFAULT.values():
            try:
                syscalls.drop_from_bounding_set(number)
            except OSError:
                break  # the kernel has no more
    if has_groups:
        os.setgroups(account.groups)
    os.setresgid(account.gid, account.gid, account.gid)
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    os.setresuid(account.uid, account.uid, account.uid)
    syscalls.set_capabilities(MASK if account.uid == 0 else 0)
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    for number in (syscalls.SIGPIPE, syscalls.SIGINT):  # Python ignores or catches these
        syscalls.reset_signal(number)


def end(message: str, status: int) -> NoReturn:
    """End this process as a command ends that could not be started."""
    os.write(2, message.encode(errors="replace") + b"\n")
    os._exit(status)
