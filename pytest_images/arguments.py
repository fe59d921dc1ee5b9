"""What callers of the door may write, and the values that hooks see: text is parsed here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO, Literal

    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference
    from pytest_images.model.selector import Selector

    Name = str | Reference
    Thing = str | Reference | Digest | Image
    Platforms = str | Platform | Iterable[str | Platform] | None
    Source = BinaryIO | Path | str
    Filters = Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]]
    Policy = Literal["missing", "newer", "always", "never"]

POLICIES = ("missing", "newer", "always", "never")


def reference_of(name: Name, *, bare: bool = False) -> Reference:
    """Parse a name; *bare*: without filling in ``latest``."""
    from pytest_images.model.reference import Reference

    if isinstance(name, Reference):
        return name
    if not isinstance(name, str):
        raise InvalidUsage(repr(name), "an image name is a text or a Reference")
    return Reference.parse_bare(name) if bare else Reference.parse(name)


def selector_of(thing: Thing) -> Selector:
    """Point at an image: by name, ID, the start of an ID, or by an `Image` (its ID)."""
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.reference import Reference
    from pytest_images.model.selector import Selector

    named = thing.id if isinstance(thing, Image) else thing
    if not isinstance(named, str | Reference | Digest):
        raise InvalidUsage(repr(named), "an image is an Image, or a name or ID of one")
    return Selector.of(named)


def selectors_of(things: Thing | Iterable[Thing]) -> tuple[Selector, ...]:
    """Point at one image or several."""
    if isinstance(things, str) or not isinstance(things, Iterable):
        return (selector_of(things),)
    return tuple(selector_of(thing) for thing in things)


def references_of(names: Name | Iterable[Name]) -> tuple[Reference, ...]:
    """Parse one name or several."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        return (reference_of(names),)
    return tuple(reference_of(name) for name in names)


def platform_of(given: str | Platform | None) -> Platform | None:
    """Read one platform, None stays None. Raises InvalidPlatform.

    An operating system alone is that on this machine's architecture, as in containerd.
    """
    if not isinstance(given, str):
        return given
    from pytest_images.model.platform import SYSTEMS, Platform

    if given.lower() in SYSTEMS:
        return Platform(given, os.uname().machine)
    return Platform.parse(given)


def platforms_of(given: Platforms) -> tuple[Platform, ...]:
    """Read platforms: one, several, or a text with commas between."""
    if given is None:
        return ()
    from pytest_images.model.platform import Platform

    if isinstance(given, Platform):
        return (given,)
    texts = filter(None, given.split(",")) if isinstance(given, str) else given
    found = (platform_of(one.strip() if isinstance(one, str) else one) for one in texts)
    return tuple(filter(None, found))


def require_files(context: object) -> None:
    """Raise InvalidUsage for a build context of anything else than names and bytes."""
    for name, content in context.items() if isinstance(context, Mapping) else ():
        if not isinstance(name, str):
            raise InvalidUsage(repr(name), "the name of a file of the context is a text")
        if not isinstance(content, bytes | bytearray | memoryview):
            raise InvalidUsage(name, "what a file of the context holds are bytes: b'...'")


def policy_of(given: Any) -> Policy | None:
    """Read when a registry is asked, None stays None. Raises InvalidUsage."""
    if given is not None and given not in POLICIES:
        raise InvalidUsage(str(given), f"a pull policy is one of {', '.join(POLICIES)}")
    return cast("Policy | None", given)


def pairs_of(filters: Filters) -> tuple[tuple[str, str], ...]:
    """Read filters: a mapping of a key to one value or several, or pairs.

    >>> pairs_of({"label": ["a", "b"], "dangling": "true"})
    (('label', 'a'), ('label', 'b'), ('dangling', 'true'))
    """
    if not isinstance(filters, Mapping):
        return tuple((key, value) for key, value in filters)
    return tuple(
        (key, one)
        for key, value in filters.items()
        for one in ([value] if isinstance(value, str) else value)
    )


@contextlib.contextmanager
def fetched(source: Source, name: str, *, offline: bool) -> Iterator[tuple[BinaryIO | Path, str]]:
    """Open *source* as `opened` does, or where it is an address; that is dialled when read.

    An address keeps its own name, by which policies know it, whatever *name* says.
    """
    from pytest_images.http.address import is_url

    if not isinstance(source, str) or not is_url(source):
        with opened(source) as (stream, called):
            yield stream, called if is_url(called) else name or called
        return
    from pytest_images.http.download import Download

    with Download(source, offline=offline) as download:
        yield cast("BinaryIO", download), download.name


@contextlib.contextmanager
def opened(source: Source) -> Iterator[tuple[BinaryIO | Path, str]]:
    """Open *source* where it is a file; give it with what errors call it."""
    if not isinstance(source, str | Path):
        yield source, str(getattr(source, "name", "archive"))
    elif (path := Path(source)).is_dir():
        yield path, str(source)
    else:
        with path.open("rb") as stream:
            yield stream, str(source)


@contextlib.contextmanager
def written(to: BinaryIO | Path | str) -> Iterator[BinaryIO]:
    """Give the stream to write to; a path gets the whole content at the end or keeps its own.

    What was written is on the disk before the name stands for it. Raises InvalidUsage for a
    path that is no file, OSError naming it.
    """
    if not isinstance(to, str | Path):
        yield to
        return
    import tempfile

    target = Path(to)
    _refuse_other_than_file(target)
    with _naming(target):
        descriptor, name = tempfile.mkstemp(prefix=".save-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream, _naming(target):
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _refuse_other_than_file(path: Path) -> None:
    """Refuse what would be replaced by a file: a device, a pipe, a link (as Docker does)."""
    import stat

    kinds = {
        stat.S_IFDIR: "a directory",
        stat.S_IFLNK: "a symbolic link directly",
        stat.S_IFIFO: "a named pipe (FIFO)",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a character device file",
        stat.S_IFBLK: "a block device file",
    }
    try:
        kind = stat.S_IFMT(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if kind != stat.S_IFREG:
        error = InvalidUsage(str(path), f"cannot write to {kinds.get(kind, 'it')}")
        error.add_note("Name a file; standard output can be redirected anywhere.")
        raise error


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an OSError of the block say which file it is about: a write's does not know."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)
        raise
