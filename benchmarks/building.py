"""Builds, anew and with everything cached, beside Docker's classic builder, podman and buildah."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers, workload
from benchmarks.builders import builders
from benchmarks.timing import Contestant, Runs, alternate, command, table
from pytest_images import Host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.builders import Builder

BASE = "bench.test/base:1"
TAR = "tar alone"
SHA256 = "SHA-256 alone, in a process"
_SETTLED = 2.5  # seconds after which nobody doubts a file's time stamp

EVERY_SETTING = """\
MAINTAINER somebody
ARG version=1
ENV A=1 B=2
LABEL one=1
EXPOSE 80
VOLUME /data
USER app
SHELL ["/bin/sh", "-c"]
STOPSIGNAL SIGTERM
HEALTHCHECK CMD ["true"]
ONBUILD ENV C=3
ENTRYPOINT ["serve"]
CMD ["--all"]
"""

DOCKERFILES = {
    "five settings": 'ENV A=1 B=2\nLABEL one=1\nEXPOSE 80\nUSER app\nCMD ["serve"]\n',
    "every setting": EVERY_SETTING,
    "10,000 files": "COPY . /srv/\n",
    "one file of 500 MB": "COPY . /srv/\n",
    "three commands": "RUN echo a > /a\nRUN echo b > /b\nRUN echo c > /c\n",
}


def building(folder: Path, rounds: int) -> None:
    """Build each context with everything to be done, then with nothing to be done."""
    home, archive = folder / "building-store", folder / "building-base.tar"
    shutil.rmtree(home, ignore_errors=True)
    with Host(home=home, load_entry_points=False) as host:
        host.images.import_(io.BytesIO(_root()), BASE)
        host.images.save(BASE, archive, form="docker")
    with builders() as others:
        for builder in others:
            builder.load(archive)
        for title, text in DOCKERFILES.items():
            bench = _Build(title, _context(folder / "contexts" / title, title, text), home, others)
            _compared(f"build: {title}", alternate(bench.anew(), rounds), others)
            bench.settle()
            with Host(home=home, load_entry_points=False) as host:
                runs = alternate(bench.again(host), rounds)
            _compared(f"build: {title}, unchanged", runs, others)


def _compared(title: str, runs: list[Runs], others: Sequence[Builder]) -> None:
    """Print *runs* against the fastest of the *others*."""
    names = {builder.name for builder in others}
    fastest = min((run for run in runs if run.name in names), key=lambda run: run.median)
    table(title, runs, fastest.name)


@dataclass
class _Build:
    title: str
    context: Path
    home: Path
    others: Sequence[Builder]

    def anew(self) -> list[Contestant]:
        """The files were touched, and no cache is asked: every byte is read and written."""
        found = [
            Contestant("as a command", self._touch, lambda _: self._command("--no-cache")),
            Contestant("inside a process", self._touch, lambda _: self._in_process()),
        ]
        found += [_contestant(each, self, cached=False) for each in self.others]
        if "files" in self.title and (tar := peers.find("tar")):
            words = (tar, "-cf", self.context.with_suffix(".tar"), "-C", self.context, ".")
            found.append(Contestant(TAR, self._touch, lambda _: command(*words)))
        if "MB" in self.title:
            found.append(Contestant(SHA256, lambda: None, lambda _: self._hashed()))
        return found

    def settle(self) -> None:
        """Have everybody build once with files that were left alone for a while."""
        time.sleep(_SETTLED)
        self._command()
        for builder in self.others:
            builder.build(self.context, cached=True)

    def again(self, host: Host) -> list[Contestant]:
        """Nothing changed since. *host* stays open, as that of a run of pytest does."""
        found = [
            Contestant("as a command", lambda: None, lambda _: self._command()),
            Contestant("inside a process", lambda: None, lambda _: self._built(host)),
        ]
        return found + [_contestant(each, self, cached=True) for each in self.others]

    def _command(self, *words: str) -> int:
        env = {"PYTEST_IMAGES_HOME": str(self.home)}
        return command(*peers.OURS, "build", "-q", "-t", "bench", *words, self.context, env=env)

    def _in_process(self) -> int:
        with Host(home=self.home, load_entry_points=False) as host:
            return self._built(host, no_cache=True)

    def _built(self, host: Host, *, no_cache: bool = False) -> int:
        host.images.build(self.context, tags="bench", no_cache=no_cache)
        return 0

    def _hashed(self) -> int:
        with (self.context / "content").open("rb") as file:
            hashlib.file_digest(file, "sha256")
        return 0

    def _touch(self) -> None:
        """Let no file be known by its time stamp; what it says stays the same."""
        for path in self.context.rglob("*"):
            os.utime(path, (workload.TIME, workload.TIME))
        time.sleep(_SETTLED)


def _contestant(builder: Builder, bench: _Build, *, cached: bool) -> Contestant:
    def prepare() -> None:
        if not cached:
            builder.forget()

    return Contestant(
        builder.name,
        prepare,
        lambda _: builder.build(bench.context, cached=cached),
        is_served=builder.has_daemon,
    )


def _context(folder: Path, title: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM {BASE}\n{text}")
    if title.startswith("10,000"):
        workload.many_files(folder)
    elif "MB" in title:
        workload.large_file(folder / "content")
    return folder


def _root() -> bytes:
    """Return the tar of a root file system with a shell: this machine's, and what it needs."""
    shell = Path("/bin/sh").resolve()
    linked = subprocess.run(["ldd", shell], capture_output=True, text=True, check=False).stdout
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", dereference=True) as tar:
        tar.add(shell, "bin/sh")
        for name in re.findall(r"(/\S+) \(", linked):
            tar.add(name, name.lstrip("/"))
        passwd = tarfile.TarInfo("etc/passwd")
        content = b"root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n"
        passwd.size = len(content)
        tar.addfile(passwd, io.BytesIO(content))
    return out.getvalue()
