"""Who ``USER`` is: looked up in the image's own /etc/passwd and /etc/group."""

from __future__ import annotations

import os
import stat

from pytest_images.sandbox.places import Refused
from pytest_images.sandbox.syscalls import open_in_root

FILE_LIMIT = 1 << 20  # bytes of passwd and group that are read
ID_LIMIT = 2**31 - 1  # as Docker: what is larger could wrap around to root
_PASSWD_FIELDS, _GROUP_FIELDS = 7, 4


class Account:
    """A user with all its groups, its own too, as numbers, and its home folder."""

    def __init__(self, uid: int, gid: int, groups: tuple[int, ...], home: str) -> None:
        self.uid, self.gid, self.groups, self.home = uid, gid, groups, home


def account(root: int, user: str) -> Account:
    """Return who *user* (``name|uid[:group|gid]``, "" is root) is below the folder *root*.

    Raises Refused where the name is not known there or the number is out of range.
    """
    who, colon, group = user.partition(":")
    who = who or "0"
    passwd = [line for line in _lines(root, "/etc/passwd") if len(line) >= _PASSWD_FIELDS]
    entry = next((line for line in passwd if line[0] == who), None)
    if entry is None and who.isdigit():
        entry = next((line for line in passwd if line[2] == who), None)
    if entry is None and not who.isdigit():
        raise Refused(f"unable to find user {who}: no matching entries in passwd file")
    uid = _number(entry[2] if entry else who)
    gid = _number(entry[3]) if entry else 0
    known = [line for line in _lines(root, "/etc/group") if len(line) >= _GROUP_FIELDS]
    if colon and group:
        gid = _gid(known, group)
        further: tuple[int, ...] = ()
    else:
        name = entry[0] if entry else None
        further = tuple(_number(line[2]) for line in known if name in line[3].split(","))
    groups = (gid, *(number for number in further if number != gid))
    return Account(uid, gid, groups, (entry[5] if entry else "") or "/")


def _gid(groups: list[list[str]], group: str) -> int:
    entry = next((line for line in groups if line[0] == group), None)
    if entry is None and not group.isdigit():
        raise Refused(f"unable to find group {group}: no matching entries in group file")
    return _number(entry[2] if entry else group)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= ID_LIMIT):
        raise Refused(f"uids and gids must be in range 0-{ID_LIMIT}, not {text[:20]}")
    return int(text)


def _lines(root: int, path: str) -> list[list[str]]:
    """Return the fields of a file's lines; none where there is no such file."""
    try:
        descriptor = open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused(f"{path} is not a regular file in this image")  # runtimes would wait
        text = stream.read(FILE_LIMIT).decode("utf-8", "replace")
    return [line.split(":") for line in text.splitlines()]
