"""Where the store is, who may own it, and how its folder is laid out.

The folder is its owner's alone (mode 0700): with nobody else able to place a link inside,
the last component is the only one that has to be opened without following links.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from pytest_images.content import locks
from pytest_images.content.durability import Durability
from pytest_images.content.failures import translated
from pytest_images.content.writing import write_whole
from pytest_images.errors import StoreDamaged, StoreTooNew, StoreUnsafe
from pytest_images.namedtuple import NamedTuple

SETTING = "PYTEST_IMAGES_HOME"
OUTER = "PYTEST_IMAGES_RUN"
FORMAT = 1  # of the folder; the database has a schema version of its own
BUILD_TIMEOUT = 30.0  # seconds that another process may take to make the same store
RESERVE = 256 << 10  # bytes kept back so that a full disk can still be tidied
FOLDERS = (
    *("blobs", "blobs/sha256", "blobs/sha512"),
    *("ingest", "trash", "records", "runs", "leases", "guards"),
)
LOCKS = ("store.lock", "collect.lock")
WORK = "work"  # what builds keep for themselves; made when first needed, and can be lost


class Home(NamedTuple):
    """The paths of one store."""

    root: Path
    blobs: Path
    ingest: Path
    trash: Path
    records: Path
    runs: Path
    leases: Path
    guards: Path
    database: Path
    reserve: Path
    unflushed: Path
    format: Path
    store_lock: Path
    collect_lock: Path

    @classmethod
    def at(cls, root: Path) -> Home:
        """Return the paths of a store at *root*."""
        folders = (root / name for name in ("blobs", *FOLDERS[3:]))
        files = ("index.sqlite", "reserve", "unflushed", "format", *LOCKS)
        return cls(root, *folders, *(root / name for name in files))

    def journal(self) -> Path:
        """Return the path of the database's rollback journal."""
        return self.root / "index.sqlite-journal"


def locate(root: Path | None) -> Path:
    """Return *root*, or ``$PYTEST_IMAGES_HOME``, or a folder in the user's cache, as absolute."""
    if root is not None:
        return Path(root).absolute()
    named = os.environ.get(SETTING)
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "linux":  # what platformdirs says there, which takes 5 ms to import
        cache = Path(os.environ.get("XDG_CACHE_HOME", "").strip())
        usual = cache if cache.is_absolute() else Path("~/.cache").expanduser()
        return usual / "pytest-images"
    from platformdirs import user_cache_path

    return user_cache_path("pytest-images", appauthor=False)


def outer_run(root: Path | None) -> str | None:
    """Return the run around this process, by ``$PYTEST_IMAGES_RUN``; None: there is none.

    It is a run of the store that the environment names, so of the store at *root* only where
    that is the same.
    """
    run = os.environ.get(OUTER)
    return run if run and locate(root) == locate(None) else None


def prepare(root: Path, durability: Durability) -> Home:
    """Make or accept the store's folder at *root*.

    Raises StoreUnsafe (a link, another owner, writable by others, something else's folder),
    StoreTooNew, StoreDamaged, StoreReadOnly, StoreFull.
    """
    home = Home.at(root)
    with translated(root):
        info = _accept_root(root)
        if _format(home) is None:
            _refuse_foreign_content(home)
            if stat.S_IMODE(info.st_mode) != 0o700:
                root.chmod(0o700)
                if (info := root.lstat()).st_mode & 0o022:
                    raise _shared(root, info)
            build(home, durability)
    return home


def _accept_root(root: Path) -> os.stat_result:
    """Refuse a root that someone else could have prepared; make it where it is missing."""
    try:
        info = root.lstat()
    except FileNotFoundError:
        root.parent.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
        info = root.lstat()
        if info.st_mode & 0o022:
            root.rmdir()
            raise _shared(root, info) from None
    if not stat.S_ISDIR(info.st_mode):
        raise _unsafe(root, "it is not a folder of its own (a link or a file)")
    if info.st_uid != os.geteuid():
        raise _unsafe(root, f"it belongs to user {info.st_uid}, not to user {os.geteuid()}")
    if info.st_mode & 0o022 and any(root.iterdir()):
        raise _shared(root, info)
    if info.st_mode & 0o077 and (root / "format").exists():
        root.chmod(0o700)
    return info


def _shared(root: Path, info: os.stat_result) -> StoreUnsafe:
    error = _unsafe(root, f"others may write to it (mode {stat.S_IMODE(info.st_mode):o})")
    error.add_note("Where a file system keeps no modes, mount it with umask=077.")
    return error


def _unsafe(path: Path, reason: str) -> StoreUnsafe:
    error = StoreUnsafe(str(path), reason)
    error.add_note(f"Set {SETTING} to a folder that is yours alone (mode 0700).")
    return error


def _format(home: Home) -> int | None:
    """Return the version of a finished store, None where there is none yet."""
    try:
        descriptor = os.open(home.format, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        text = file.read(32)
    try:
        version = int(text)
    except ValueError:
        error = StoreDamaged(str(home.format), "it does not hold the number of the store's format")
        error.add_note(f"If this is a store of version {FORMAT}, write {FORMAT} into that file.")
        raise error from None
    if version > FORMAT:
        newer = StoreTooNew(str(home.root), f"its format is {version}, known here is {FORMAT}")
        newer.add_note("Use a newer pytest-images, or another PYTEST_IMAGES_HOME.")
        raise newer
    return version


def _refuse_foreign_content(home: Home) -> None:
    """Do not move into a folder that holds something else than an unfinished store."""
    ours = {name.partition("/")[0] for name in FOLDERS} | {*LOCKS, "format.new", "reserve"}
    for entry in home.root.iterdir():
        if entry.name not in ours:
            if _format(home) is not None:
                return  # another process finished it meanwhile
            reason = f"it is not a store and not empty (it holds {entry.name!r})"
            raise _unsafe(home.root, reason)


def build(home: Home, durability: Durability) -> None:
    """Make the layout; ``format`` comes last, so that an interrupted start is started again."""
    for name in FOLDERS:
        (home.root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in LOCKS:
        os.close(os.open(home.root / name, _CREATE, 0o600))
    with locks.acquire(home.store_lock, BUILD_TIMEOUT):
        if _format(home) is None:  # else another process made it while we waited
            _finish(home, durability)


def _finish(home: Home, durability: Durability) -> None:
    keep_reserve(home)
    fresh = home.root / "format.new"
    descriptor = os.open(fresh, _CREATE | os.O_TRUNC, 0o600)
    try:
        write_whole(descriptor, b"%d\n" % FORMAT)
        durability.flush(descriptor)
    finally:
        os.close(descriptor)
    durability.flush_folder(home.blobs)
    durability.flush_folder(home.root)
    fresh.rename(home.format)
    durability.flush_folder(home.root)
    durability.flush_folder(home.root.parent)


_CREATE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def keep_reserve(home: Home) -> None:
    """Set some real bytes aside, for `spend_reserve`."""
    descriptor = os.open(home.reserve, _CREATE, 0o600)
    try:
        if os.fstat(descriptor).st_size < RESERVE:
            write_whole(descriptor, bytes(RESERVE), 0)
    finally:
        os.close(descriptor)


def spend_reserve(home: Home) -> None:
    """Give the bytes set aside back, so that names can be taken away on a full disk."""
    home.reserve.unlink(missing_ok=True)
