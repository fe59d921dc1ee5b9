"""The build context that all cases share: every kind of file, links, archives, odd names."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
from functools import partial
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# path: (mode, content); folders end in a slash
FILES: dict[str, tuple[int, str]] = {
    "a.txt": (0o644, "a\n"),
    "b.txt": (0o600, "b\n"),
    "c.md": (0o644, "c\n"),
    "run.sh": (0o755, "#!/bin/sh\necho run\n"),
    "special": (0o755, "special\n"),
    "empty.txt": (0o644, ""),
    "big.bin": (0o644, "0123456789abcdef" * 20_000),
    "with space.txt": (0o644, "space\n"),
    "[x]y.txt": (0o644, "brackets\n"),
    "ünïcode.txt": (0o644, "unicode\n"),
    ".hidden": (0o644, "hidden\n"),
    "not-an-archive.tar.gz": (0o644, "just text\n"),
    "dir/": (0o755, ""),
    "dir/one.txt": (0o644, "one\n"),
    "dir/two.md": (0o640, "two\n"),
    "dir/.dot": (0o644, "dot\n"),
    "dir/empty/": (0o755, ""),
    "dir/sub/": (0o750, ""),
    "dir/sub/deep.txt": (0o644, "deep\n"),
    "dir/sub/deeper/": (0o755, ""),
    "dir/sub/deeper/three.txt": (0o644, "three\n"),
    "private/": (0o700, ""),
    "private/key": (0o400, "key\n"),
    "shared/": (0o1777, ""),
    "shared/file": (0o666, "file\n"),
    "other/": (0o755, ""),
    "other/one.txt": (0o644, "another one\n"),
    "other/sub/": (0o755, ""),
    "other/sub/new.txt": (0o644, "new\n"),
}
LINKS = {
    "link.txt": "a.txt",
    "dirlink": "dir",
    "absolute.txt": "/a.txt",
    "chain.txt": "link.txt",
    "dir/inner": "sub/deep.txt",
    "dir/up": "../a.txt",
    "linked/inside": "../dir",
    "packed.tar": "files.tar",
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": partial(gzip.compress, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}


def make_context(folder: Path) -> None:
    """Fill *folder* with the files of the shared context."""
    (folder / "linked").mkdir()
    for path in [path for path in FILES if path.endswith("/")]:
        (folder / path).mkdir(parents=True, exist_ok=True)
    for path, (_, content) in FILES.items():
        if not path.endswith("/"):
            (folder / path).write_text(content)
    for path, target in LINKS.items():
        (folder / path).symlink_to(target)
    _archives(folder)
    for path, (mode, _) in reversed(FILES.items()):
        (folder / path).chmod(mode)
    os.link(folder / "a.txt", folder / "hard.txt")


def _archives(folder: Path) -> None:
    plain = archive()
    (folder / "files.tar").write_bytes(plain)
    (folder / "root.tar").write_bytes(root())
    (folder / "over.tar").write_bytes(over())
    for name, pack in PACKERS.items():
        (folder / f"files.tar.{name}").write_bytes(pack(plain))
    (folder / "plain-name").write_bytes(gzip.compress(plain, mtime=0))
    (folder / "text.gz").write_bytes(gzip.compress(b"no archive\n", mtime=0))


def archive() -> bytes:
    """Return a tar with owners, modes, links of both kinds, a FIFO."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "packed", tarfile.DIRTYPE, 0o750, owner=(7, 8))
        _add(tar, "packed/file", tarfile.REGTYPE, 0o640, b"packed\n", owner=(1000, 1001))
        _add(tar, "packed/tool", tarfile.REGTYPE, 0o4755, b"tool\n")
        _add(tar, "packed/link", tarfile.SYMTYPE, 0o777, link="file")
        _add(tar, "packed/hard", tarfile.LNKTYPE, 0o640, link="packed/file", owner=(1000, 1001))
        _add(tar, "packed/pipe", tarfile.FIFOTYPE, 0o600)
        _add(tar, "./deep/er/alone", tarfile.REGTYPE, 0o644, b"alone\n")
        _add(tar, "sub", tarfile.DIRTYPE, 0o700)
        _add(tar, "sub/new.txt", tarfile.REGTYPE, 0o644, b"from the archive\n")
    return out.getvalue()


def root() -> bytes:
    """Return the tar of a small root file system: folders, links, accounts; no programs."""
    out = io.BytesIO()
    accounts = b"root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n"
    groups = b"root:x:0:\nstaff:x:50:\napp:x:1001:\n"
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, mode in (("etc", 0o755), ("usr", 0o755), ("usr/lib", 0o755), ("tmp", 0o1777)):
            _add(tar, path, tarfile.DIRTYPE, mode)
        _add(tar, "etc/passwd", tarfile.REGTYPE, 0o644, accounts)
        _add(tar, "etc/group", tarfile.REGTYPE, 0o644, groups)
        _add(tar, "lib", tarfile.SYMTYPE, 0o777, link="usr/lib")
        _add(tar, "absolute", tarfile.SYMTYPE, 0o777, link="/usr/lib")
        _add(tar, "dangling", tarfile.SYMTYPE, 0o777, link="not/there")
        _add(tar, "outward", tarfile.SYMTYPE, 0o777, link="../../../usr/lib")
        _add(tar, "to-file", tarfile.SYMTYPE, 0o777, link="old.txt")
        _add(tar, "old.txt", tarfile.REGTYPE, 0o600, b"old\n", owner=(5, 6))
        _add(tar, "home", tarfile.DIRTYPE, 0o750, owner=(1000, 1001))
        _add(tar, "home/sub", tarfile.DIRTYPE, 0o700, owner=(1000, 1001))
        _add(tar, "home/sub/kept", tarfile.REGTYPE, 0o600, b"kept\n", owner=(1000, 1001))
        _add(tar, "home/one.txt", tarfile.REGTYPE, 0o600, b"before\n", owner=(1000, 1001))
    return out.getvalue()


def over() -> bytes:
    """Return a tar whose members are other things than those of `root`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "lib", tarfile.DIRTYPE, 0o711)
        _add(tar, "lib/x", tarfile.REGTYPE, 0o644, b"x\n")
        _add(tar, "outward/y", tarfile.REGTYPE, 0o644, b"y\n")
        _add(tar, "old.txt", tarfile.DIRTYPE, 0o700)
        _add(tar, "home", tarfile.REGTYPE, 0o644, b"a file\n")
        _add(tar, "to-file", tarfile.REGTYPE, 0o644, b"no link\n")
        _add(tar, "tmp", tarfile.SYMTYPE, 0o777, link="usr")
    return out.getvalue()


def _add(
    tar: tarfile.TarFile,
    name: str,
    kind: bytes,
    mode: int,
    content: bytes = b"",
    *,
    link: str = "",
    owner: tuple[int, int] = (0, 0),
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size, member.linkname = kind, mode, len(content), link
    member.uid, member.gid = owner
    member.mtime = 1_000_000_000
    tar.addfile(member, io.BytesIO(content))
