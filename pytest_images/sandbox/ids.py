"""Which users of this machine the users of a sandbox are."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from pytest_images.dataclass import dataclass

# All IDs but two: the last means "none", and a map of all the others is how runtimes tell that
# they are in no user namespace; they would then try what only root outside of one may do.
EVERYONE = 4294967294


@dataclass(frozen=True, slots=True)
class IdMap:
    """How the users (or the groups) of a user namespace are mapped: (inside, outside, count)."""

    ranges: tuple[tuple[int, int, int], ...]

    @property
    def is_single(self) -> bool:
        """Whether there is only one user inside: ``chown`` to another then fails."""
        return sum(count for _, _, count in self.ranges) == 1

    def lines(self) -> str:
        """Return the map as /proc/PID/uid_map takes it."""
        return "".join(f"{inside} {outside} {count}\n" for inside, outside, count in self.ranges)

    def words(self) -> list[str]:
        """Return the map as newuidmap and newgidmap take it."""
        return [str(number) for each in self.ranges for number in each]


@dataclass(frozen=True, slots=True)
class Ids:
    """The users and groups of a sandbox, and whether setuid helpers must write the maps."""

    users: IdMap
    groups: IdMap
    by_helper: bool = False


def available() -> Ids:
    """Return the widest mapping that this user may make.

    Root maps everybody to themselves: files keep their owners, and what the user namespace
    takes away is the power over the rest of the machine. Others get the IDs that
    /etc/subuid and /etc/subgid lend them, where newuidmap is there to write them, or only
    themselves as root.
    """
    if os.geteuid() == 0:
        everyone = IdMap(((0, 0, EVERYONE),))
        return Ids(everyone, everyone)
    users = _lent(Path("/etc/subuid"), os.geteuid())
    groups = _lent(Path("/etc/subgid"), os.getegid())
    if users and groups and shutil.which("newuidmap") and shutil.which("newgidmap"):
        return Ids(
            IdMap(((0, os.geteuid(), 1), *users)), IdMap(((0, os.getegid(), 1), *groups)), True
        )
    return alone()


def alone() -> Ids:
    """Return the mapping that needs nobody's leave: this user is root, and there is no other."""
    return Ids(IdMap(((0, os.geteuid(), 1),)), IdMap(((0, os.getegid(), 1),)))


def write(ids: Ids, pid: int) -> None:
    """Map the IDs of the user namespace that the process *pid* just made. Raises OSError."""
    if ids.by_helper:
        for program, ranges in (("newuidmap", ids.users), ("newgidmap", ids.groups)):
            command = [program, str(pid), *ranges.words()]
            done = subprocess.run(command, capture_output=True, check=False)
            if done.returncode:
                raise OSError(f"{program}: {done.stderr.decode(errors='replace').strip()}")
        return
    folder = Path(f"/proc/{pid}")
    if ids.groups.is_single:  # what the kernel asks for, of who is not root
        (folder / "setgroups").write_text("deny")
    (folder / "uid_map").write_text(ids.users.lines())
    (folder / "gid_map").write_text(ids.groups.lines())


def _lent(table: Path, user: int) -> tuple[tuple[int, int, int], ...]:
    """Return what *table* lends this user, as ranges that begin at 1 inside."""
    try:
        own = {str(user), pwd.getpwuid(os.geteuid()).pw_name}
    except KeyError:
        own = {str(user)}
    ranges: list[tuple[int, int, int]] = []
    inside = 1
    try:
        lines = table.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    for line in lines:
        name, _, rest = line.partition(":")
        first, _, count = rest.partition(":")
        if name in own and first.isdigit() and count.isdigit() and int(count):
            ranges.append((inside, int(first), int(count)))
            inside += int(count)
    return tuple(ranges)
