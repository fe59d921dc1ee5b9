"""``--chmod`` and ``--chown``: what modes and owners copied files get."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.errors import PathError
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    from pytest_images.layer.files import ImagePath

_OCTAL = regex(r"0?[0-7]{1,4}", re.ASCII)
_CLAUSE = regex(r"([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)", re.ASCII)
_ACTION = regex(r"([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)", re.ASCII)
_SHIFTS = {"u": 6, "g": 3, "o": 0}
_BITS = {"r": 4, "w": 2, "x": 1}
_ID_LIMIT = 2**31 - 1
_FILE_LIMIT = 1 << 20  # bytes of passwd and group
_PASSWD_FIELDS, _GROUP_FIELDS = 4, 3


class Owner(NamedTuple):
    """A user and a group, by number."""

    uid: int
    gid: int


ROOT = Owner(0, 0)


def changed_mode(spec: str, mode: int, *, is_folder: bool) -> int:
    """Return *mode* as ``--chmod=spec`` changes it: octal, or symbolic as of chmod(1).

    Raises Malformed.

    >>> oct(changed_mode("u=rwX,go=rX", 0o600, is_folder=True))
    '0o755'
    """
    if _OCTAL.fullmatch(spec):
        return int(spec, 8)
    for clause in spec.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            rule = "octal string and between 0 and 07777" if spec.isdigit() else "octal or symbolic"
            raise Malformed(f"invalid chmod parameter: '{spec}'. it should be {rule}")
        for operator, what in _ACTION.findall(match[2]):
            mode = _acted(mode, match[1] or "a", operator, what, is_folder=is_folder)
    return mode


def _acted(mode: int, whom: str, operator: str, what: str, *, is_folder: bool) -> int:
    everybody = "ugo" if "a" in whom else whom
    bits = 0
    for who in everybody:
        bits |= _bits(mode, what, is_folder=is_folder) << _SHIFTS[who]
    if "s" in what:
        bits |= (0o4000 if "u" in everybody else 0) | (0o2000 if "g" in everybody else 0)
    if "t" in what:
        bits |= 0o1000
    if operator == "-":
        return mode & ~bits
    if operator == "=":
        for who in everybody:
            mode &= ~(7 << _SHIFTS[who])
    return mode | bits


def _bits(mode: int, what: str, *, is_folder: bool) -> int:
    if what in _SHIFTS:
        return mode >> _SHIFTS[what] & 7
    bits = sum(_BITS[letter] for letter in set(what) & set(_BITS))
    return bits | (1 if "X" in what and (is_folder or mode & 0o111) else 0)


def owner_of(spec: str, root: ImagePath | None) -> Owner:
    """Return who ``user[:group]`` is in the image *root*, or where there is none: numbers alone.

    Raises Malformed: nobody there.
    """
    user, colon, group = spec.partition(":")
    found = _number(user, "uid")
    if found is not None:
        uid, default = found, found
    else:
        uid, default = _named_user(user, root)
    if not colon or not group:
        return Owner(uid, default)
    gid = _number(group, "gid")
    return Owner(uid, gid if gid is not None else _named_group(group, root))


def user_of(user: str, root: ImagePath | None) -> Owner:
    """Return who a config's user is in the image *root*: root, where nobody is called so."""
    try:
        return owner_of(user or "0", root)
    except Malformed:
        return ROOT


def _named_user(name: str, root: ImagePath | None) -> tuple[int, int]:
    for line in _lines(root, "etc/passwd"):
        if len(line) >= _PASSWD_FIELDS and line[0] == name:
            uid, gid = _number(line[2], "uid"), _number(line[3], "gid")
            if uid is not None and gid is not None:
                return uid, gid
    raise Malformed(f"can't find uid for user {name}: no such user: {name}")


def _named_group(name: str, root: ImagePath | None) -> int:
    for line in _lines(root, "etc/group"):
        if len(line) >= _GROUP_FIELDS and line[0] == name:
            gid = _number(line[2], "gid")
            if gid is not None:
                return gid
    raise Malformed(f"can't find gid for group {name}: no such group: {name}")


def _number(text: str, what: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) > 10 or int(text) > _ID_LIMIT:
        raise Malformed(f"{what} {text[:20]} is out of range: at most {_ID_LIMIT}")
    return int(text)


def _lines(root: ImagePath | None, name: str) -> list[list[str]]:
    if root is None:
        raise Malformed("--chown with a name needs an image that knows the name")
    try:
        with (root / name).open("rb") as stream:
            text = stream.read(_FILE_LIMIT).decode("utf-8", "replace")
    except PathError:
        return []
    return [line.split(":") for line in text.splitlines()]
