"""Where a member's name lies inside the root, decided by its text alone (rows T01, T04, T12).

Links that earlier members made are the business of whoever creates files: that is done by
folder descriptors, not here.
"""

from __future__ import annotations

from pytest_images.layer.header import Malformed
from pytest_images.layer.member import Kind, Member

WHITEOUT = b".wh."
_NOT_NAMES = (b"", b".", b"..")


def inside(name: bytes) -> tuple[bytes, ...]:
    """Return the parts of *name* below the root, ``()`` for the root itself.

    An absolute name is taken from the root; ``..`` may go back but not out. Raises Malformed.

    >>> inside(b"/usr/./lib/../bin")
    (b'usr', b'bin')
    """
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part in (b"", b"."):
            continue
        if part != b"..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            raise Malformed("its name leaves the root")
    return tuple(parts)


def check(member: Member) -> None:
    """Refuse a member that has no place inside any root. Raises Malformed."""
    name = member.name
    if b".." in name or not name.strip(b"./"):
        _check_name(member)
    if member.kind is Kind.HARDLINK and not inside(member.linkname):
        raise Malformed("it is a hard link to the root")
    if WHITEOUT in name:
        _check_whiteout(name.rstrip(b"/").rpartition(b"/")[2])


def _check_name(member: Member) -> None:
    if not inside(member.name) and member.kind is not Kind.DIRECTORY:
        raise Malformed(f"a {member.kind.value} would replace the root")


def _check_whiteout(base: bytes) -> None:
    """Refuse a whiteout of nothing, of the folder itself or of the one above."""
    if base.startswith(WHITEOUT) and base[len(WHITEOUT) :] in _NOT_NAMES:
        raise Malformed("it is a whiteout that hides no name")
