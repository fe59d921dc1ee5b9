"""``RUN --mount=…``: what a command sees beside its root file system (reference, "RUN --mount")."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from pytest_images.dockerfile.malformed import Malformed, hint
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Callable


class MountType(Enum):
    """What is mounted."""

    BIND = "bind"  # files of the context, of a stage or of an image
    CACHE = "cache"  # a folder that stays from build to build
    TMPFS = "tmpfs"  # a folder that is gone afterwards
    SECRET = "secret"  # noqa: S105  # a kind of mount


class Sharing(Enum):
    """Who else may use a cache at the same time."""

    SHARED = "shared"
    PRIVATE = "private"
    LOCKED = "locked"


class Mount(NamedTuple):
    """One mount; what is not given has the default of its type.

    ``origin`` is ``from``: a stage or an image, "" for the build context. ``size`` in bytes.
    ``environment``: the variable that a secret becomes; "" stands for the secret's own name.
    """

    type: MountType = MountType.BIND
    origin: str = ""
    source: str = ""
    target: str = ""
    is_read_only: bool = True
    size: int = 0
    id: str = ""
    sharing: Sharing | None = None
    is_required: bool = False
    environment: str | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None


_KEYS = {
    "src": "source",
    "dst": "target",
    "destination": "target",
    "ro": "readonly",
    "rw": "readwrite",
}
_NAMES = frozenset(
    [
        "type",
        "from",
        "source",
        "target",
        "readonly",
        "readwrite",
        "id",
        "sharing",
        "required",
        "size",
        "mode",
        "uid",
        "gid",
        "env",
    ]
)
_ALONE = frozenset({"readonly", "readwrite", "required"})
_OWNED = frozenset({MountType.SECRET, MountType.CACHE})
_SIZE = regex(r"(\d{1,18}(?:\.\d{1,18})?) ?(?:([kmgtp])i?)?b?", re.ASCII | re.IGNORECASE)
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_ID_LIMIT = 1 << 32


def is_plain(text: str) -> bool:
    """Tell whether a mount means the same whatever the variables are."""
    return "$" not in text


def parse_mount(text: str, expand: Callable[[str], str]) -> Mount:
    """Return what the value of ``--mount`` says, its values expanded. Raises Malformed.

    >>> parse_mount("type=cache,target=/root/.cache", str).is_read_only
    False
    """
    given = _fields(text, expand)
    kind = _type(given.get("type", "bind"))
    is_read_only = _access(given, default=kind in (MountType.BIND, MountType.SECRET))
    mount = Mount(
        type=kind,
        origin=given.get("from", ""),
        source=given.get("source", ""),
        target=given.get("target", ""),
        is_read_only=is_read_only,
        size=_size(given["size"]) if "size" in given else 0,
        id=given.get("id", ""),
        sharing=_sharing(given["sharing"]) if "sharing" in given else None,
        is_required=_truth("required", given.get("required", "false")),
        environment=given.get("env"),
        mode=_number("mode", given.get("mode"), 8),
        uid=_number("uid", given.get("uid"), 10),
        gid=_number("gid", given.get("gid"), 10),
    )
    _check(mount, given)
    return mount


def require_plain_origin(text: str) -> None:
    """Raise Malformed when ``from`` has a variable, which could name a stage only too late."""
    for field in _row(text):
        key, _, value = field.partition("=")
        if key.lower() == "from" and "$" in value[:-1]:
            raise Malformed("'from' doesn't support variable expansion, define alias stage instead")


def _row(text: str) -> list[str]:
    import csv

    try:
        row = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise Malformed(f"the mount is not a list of key=value: {error}") from error
    if '"' in "".join(row) and '""' not in text:
        raise Malformed("the mount is not a list of key=value: a quote stands inside a field")
    return row


def _fields(text: str, expand: Callable[[str], str]) -> dict[str, str]:
    found = {}
    for field in _row(text):
        name, equals, value = field.partition("=")
        key = _KEYS.get(name.lower(), name.lower())
        if key not in _NAMES:
            if not equals:
                raise Malformed(f"invalid field '{field}' must be a key=value pair")
            near = hint(key, sorted(_NAMES | set(_KEYS)))
            raise Malformed(f"unexpected key '{key}' in '{field}'{near}")
        if not equals and key not in _ALONE:
            raise Malformed(f"invalid field '{field}' must be a key=value pair")
        found[key] = expand(value) if equals else "true"
    return found


def _type(text: str) -> MountType:
    if text.lower() == "ssh":
        raise Malformed("--mount=type=ssh is not supported here")
    try:
        return MountType(text.lower())
    except ValueError as error:
        near = hint(text, [kind.value for kind in MountType])
        raise Malformed(f'unsupported mount type "{text}"{near}') from error


def _sharing(text: str) -> Sharing:
    try:
        return Sharing(text.lower())
    except ValueError as error:
        near = hint(text, [kind.value for kind in Sharing])
        raise Malformed(f'unsupported sharing value "{text}"{near}') from error


def _access(given: dict[str, str], *, default: bool) -> bool:
    """Return whether the mount is read only; the last of the two keys counts."""
    said = default
    for key, value in given.items():
        if key in ("readonly", "readwrite"):
            said = _truth(key, value) is (key == "readonly")
    return said


def _truth(key: str, text: str) -> bool:
    if text not in _TRUE | _FALSE:
        raise Malformed(f"invalid value for {key}: {text}")
    return text in _TRUE


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if not match:
        raise Malformed(f"invalid value for size: {text}")
    return int(float(match[1]) * 1024 ** " kmgtp".index((match[2] or " ").lower()))


def _number(key: str, text: str | None, base: int) -> int | None:
    if text is None:
        return None
    digits = "01234567" if base == 8 else "0123456789"
    if not text or len(text) > 20 or set(text) - set(digits) or int(text, base) >= _ID_LIMIT:
        raise Malformed(f"invalid value {text} for {key}")
    return int(text, base)


def _check(mount: Mount, given: dict[str, str]) -> None:
    """Refuse what does not go together."""
    kind = mount.type.value
    for key in ("mode", "uid", "gid"):
        if key in given and mount.type not in _OWNED:
            raise Malformed(f'{key} not allowed for "{kind}" type mounts')
    for key, only in (("required", MountType.SECRET), ("size", MountType.TMPFS)):
        if key in given and mount.type is not only:
            raise Malformed(f"unexpected key '{key}' for mount type '{kind}'")
    if mount.type is MountType.SECRET:
        _check_secret(mount)
    elif mount.sharing is not None and mount.type is not MountType.CACHE:
        raise Malformed(f"invalid cache sharing set for {kind} mount")


def _check_secret(mount: Mount) -> None:
    if mount.origin:
        raise Malformed("secret mount should not have a from")
    if mount.sharing is not None:
        raise Malformed("secret mount should not define sharing")
    if not (mount.source or mount.target or mount.id):
        raise Malformed("invalid secret mount. one of source, target required")
    if mount.source and mount.id:
        raise Malformed("both source and id can't be set")
