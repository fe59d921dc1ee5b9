"""Reading a tar of 30,000 members, and looking into an image made of it; memory for 10^6."""

from __future__ import annotations

import io
import sys
import tarfile
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.timing import Contestant, alternate, command, table
from pytest_images import Host
from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.layer.tar import members
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COUNTS = (30_000, 1_000_000)
LOOK = """
import sys
from pathlib import Path
from pytest_images import Host
with Host(home=Path(sys.argv[1]), load_entry_points=False) as host:
    files = host.images.files("many:1")
    print(sum(len(names) for _, _, names in files.walk()))
"""


def looking(folder: Path, rounds: int) -> None:
    """Time the reader against tarfile and GNU tar, then the first look and what follows it."""
    many, most = COUNTS
    tar = folder / f"{many}.tar"
    tar.write_bytes(_tar(many, 600))
    table(f"a tar of {many} members", alternate(_readers(tar), rounds), "our reader")
    home = folder / "inside"
    _store(home, tar.read_bytes())
    table(f"an image of {many} files", alternate(_looks(home), rounds), "first look: walk")
    home = folder / "inside-most"
    _store(home, _tar(most, 0))
    look = Contestant(
        "walk, as a process",
        lambda: None,
        lambda _: command(sys.executable, "-c", LOOK, home),
    )
    table(f"an image of {most} files", alternate([look], 1))


def _readers(tar: Path) -> list[Contestant]:
    raw = tar.read_bytes()

    def ours() -> int:
        return sum(1 for _ in members(io.BytesIO(raw), "tar")) * 0

    def theirs() -> int:
        with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
            return sum(1 for _ in opened) * 0

    found = [_inside("our reader", ours), _inside("tarfile", theirs)]
    if program := peers.find("tar"):
        found.append(_inside("tar -tf, as a process", lambda: command(program, "-tf", tar)))
    return found


def _looks(home: Path) -> list[Contestant]:
    kept = Host(home=home, load_entry_points=False)
    images = kept.images
    paths = [path for path in images.files("many:1").rglob("*.js")][:2000]

    def first() -> int:
        with Host(home=home, load_entry_points=False) as host:
            return sum(len(names) for _, _, names in host.images.files("many:1").walk()) * 0

    def again() -> int:
        return sum(len(names) for _, _, names in images.files("many:1").walk()) * 0

    def read(step: int) -> int:
        return sum(len(path.read_bytes()) for path in paths[::step]) * 0

    def stat() -> int:
        return sum(path.stat().size for path in paths) * 0

    return [
        _inside("first look: walk", first),
        _inside("in the next test: walk", again),
        _inside(f"stat of {len(paths)} files", stat),
        _inside(f"read of {len(paths)} files", lambda: read(1)),
        _inside(f"read of {len(paths)} files, backwards", lambda: read(-1)),
    ]


def _inside(name: str, act: Callable[[], int]) -> Contestant:
    return Contestant(name, lambda: None, lambda _: act())


def _tar(count: int, size: int) -> bytes:
    """A tar of small files, 100 in each directory, as a package tree has them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for number in range(count):
            member = tarfile.TarInfo(f"usr/lib/modules/package{number // 100}/lib/{number}.js")
            member.size, member.mtime = size, 1_700_000_000 + number
            tar.addfile(member, io.BytesIO(b"%d" % number * size))
            tar.members.clear()  # type: ignore[attr-defined] # else it keeps all of them
    return out.getvalue()


def _store(home: Path, tar: bytes) -> None:
    with Store.open(home, durability=Durability.FAST) as store:
        samples.of_tars(tar).put(store, "many:1")
