"""A build runs a command in the sandbox, over a base of its own, and copies what that made."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_images.content.store import Store
from pytest_images.host import Host
from tests.sandbox.test_run import assert_gone
from tests.survival.scenarios.build import build as plain_build
from tests.survival.scenarios.build import context, no_half_layers, right

MARK = "987.125"  # seconds: by which what is left running is known
TEXT = (
    "FROM shell:1 AS maker\nCOPY small /\n"
    f"RUN sleep {MARK} & mkdir /made; echo 1 > /made/file; ln -s file /made/link; rm /gone\n"
    "RUN --mount=type=cache,target=/cache echo 2 > /cache/x; cat /cache/x > /made/other\n"
    "FROM shell:1\nCOPY --from=maker /made /made/\n"
)


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    context(root)
    with Host(home=root, load_entry_points=False) as host:
        text = "FROM scratch\nADD shell.tar /\n"
        host.images.build({"shell.tar": SHELL}, dockerfile_text=text, tags="shell:1")


def steps(root: Path) -> Iterator[str]:
    yield f"built {plain_build(root, TEXT, 'app:1')}"


def holds(store: Store, done: list[str]) -> None:
    assert set(done) <= {f"built {ID}"}
    if done:
        right(store, "app:1", ID)
    no_half_layers(store)
    assert_gone(MARK)
    assert str(store.root) not in Path("/proc/self/mounts").read_text()


def expected() -> str:
    """Return the ID of what is built where nothing ever fails."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "home/store"
        prepare(root)
        return plain_build(root, TEXT, "app:1")


def shell() -> bytes:
    """Return the tar of a root with this machine's shell and a few programs."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "dev", "proc", "sys", "etc", "tmp"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        tar.addfile(tarfile.TarInfo("gone"))
        for source, name in sorted(programs()):
            member = tarfile.TarInfo(name)
            raw = Path(source).read_bytes()
            member.size, member.mode = len(raw), 0o755
            tar.addfile(member, io.BytesIO(raw))
    return out.getvalue()


def programs() -> set[tuple[str, str]]:
    """Return the files that the programs are made of, and where they go."""
    found = set()
    for tool in ("sh", "sleep", "mkdir", "ln", "rm", "cat"):
        path = shutil.which(tool, path="/usr/bin:/bin")
        assert path is not None
        found.add((path, f"bin/{tool}"))
        words = ["ldd", path]
        linked = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        found |= {(source, source[1:]) for source in re.findall(r"(/\S+) \(", linked)}
    return found


SHELL = shell()
ID = expected()
