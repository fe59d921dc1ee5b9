"""The two command lines that a case is given to."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import http.client
import io
import json
import lzma
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pytest_images.cli import main
from pytest_images.server.registry import Registry
from tests.differential.case import Step, values
from tests.differential.images import INDEXES, SAMPLES
from tests.server.talk import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.differential.case import Case
    from tests.peers import Docker


TOP_LEVEL = ("images", "rmi")  # commands of Docker's that are no part of `docker image`
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended."""

    status: int
    out: str
    err: str


class Program(Protocol):
    """One of the two: it runs words in a folder."""

    name: str

    def run(self, words: tuple[str, ...], stdin: bytes, folder: Path) -> tuple[int, bytes, bytes]:
        """Run; return exit status and both outputs."""

    def load(self, archive: bytes, folder: Path) -> None:
        """Load an archive, which is no step of the case."""


@dataclass
class RealDocker:
    """`docker image` before a real engine, emptied for each case."""

    docker: Docker
    client: int
    name: str = "docker image"

    def run(self, words: tuple[str, ...], stdin: bytes, folder: Path) -> tuple[int, bytes, bytes]:
        with contextlib.chdir(folder):
            group = () if words[0] in TOP_LEVEL else ("image",)
            done = self.docker.run(*group, *words, stdin=stdin)
        return done.returncode, done.stdout, done.stderr

    def load(self, archive: bytes, folder: Path) -> None:
        """Load what a case takes for given."""
        assert b'"errorDetail"' not in self._ask("POST", "/images/load?quiet=1", archive)

    def empty(self) -> None:
        """Remove every image."""
        for image in json.loads(self._ask("GET", "/images/json?all=1")):
            self._ask("DELETE", f"/images/{image['Id']}?force=1")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Ask the engine itself: what is no step of a case need not start a client."""
        connection = http.client.HTTPConnection("docker")
        with socket.socket(socket.AF_UNIX) as connection.sock:
            connection.sock.connect(self.docker.address.removeprefix("unix://"))
            connection.request(method, path, body)
            return connection.getresponse().read()


@dataclass
class Ours:
    """`pytest-images` in this process, over the store that the environment names."""

    name: str = "pytest-images"

    def run(self, words: tuple[str, ...], stdin: bytes, folder: Path) -> tuple[int, bytes, bytes]:
        out, err = io.BytesIO(), io.BytesIO()
        streams = [io.TextIOWrapper(stream, "utf-8") for stream in (io.BytesIO(stdin), out, err)]
        kept = sys.stdin
        sys.stdin = streams[0]
        try:
            with (
                contextlib.chdir(folder),
                contextlib.redirect_stdout(streams[1]),
                contextlib.redirect_stderr(streams[2]),
            ):
                status = main(words)
        finally:
            sys.stdin = kept
        for stream in streams[1:]:
            stream.flush()
        return status, out.getvalue(), err.getvalue()

    def load(self, archive: bytes, folder: Path) -> None:
        """Load what a case takes for given."""
        status, _, err = self.run(("load", "-q"), archive, folder)
        assert status == 0, err.decode()


@dataclass
class Side:
    """A program with a folder and a registry of its own, for one case."""

    program: Program
    folder: Path
    registry: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.values = values(self.registry_text)

    @property
    def registry_text(self) -> str:
        """What stands in outputs for the registry."""
        return self.registry or "registry.test"

    def prepare(self, files: Sequence[str]) -> None:
        """Make the files that a case has."""
        (self.folder / "text.tar").write_bytes(b"this is not an archive\n" * 100)
        (self.folder / "empty.tar").write_bytes(b"")
        root = SAMPLES["one"].tars[0]
        (self.folder / "root.tar").write_bytes(root)
        for name, form in (("root.gz", "gzip"), ("root.xz", "xz"), ("root.bz2", "bzip2")):
            (self.folder / name).write_bytes(PACKERS[form](root))
        for text in files:
            named, _, form = text.partition(" in ")
            name, _, names = named.partition(" as ")
            shape = "docker" if form == "docker" else "docker-old"
            if name in INDEXES:
                archive = INDEXES[name].archive(*names.split())
            else:
                archive = SAMPLES[name].archive(*names.split(), form=shape)
            content = PACKERS[form](archive) if form in PACKERS else archive
            (self.folder / f"{name}.tar").write_bytes(content)

    def given(self, case: Case) -> None:
        """Load what the case takes for given."""
        for text in case.given:
            name, _, names = text.partition(" as ")
            archive = SAMPLES[name].archive(*self._filled(names).split(), form="docker-old")
            self.program.load(archive, self.folder)

    def step(self, line: str, answer: str = "") -> Outcome:
        """Run one step."""
        step = Step.parse(line, self.values)
        stdin = (self.folder / step.read).read_bytes() if step.read else answer.encode()
        status, out, err = self.program.run(step.words, stdin, self.folder)
        if step.written:
            (self.folder / step.written).write_bytes(out)
            out = b""
        return Outcome(status, out.decode(), err.decode())

    def _filled(self, text: str) -> str:
        return text.replace("$registry", self.registry)


@contextlib.contextmanager
def serving(served: Sequence[str], steps: Sequence[str]) -> Iterator[str]:
    """Serve what *steps* want served, on a registry that is theirs alone; give its address."""
    if not any("$registry" in step for step in steps):
        yield ""
        return
    with Registry.serving() as registry:
        client = Client(registry)
        for text in served:
            name, _, targets = text.partition(" as ")
            for target in targets.split():
                repository, _, tag = target.partition(":")
                if name in INDEXES:
                    client.push_index(INDEXES[name], tag, repository)
                else:
                    client.push(SAMPLES[name], tag, repository)
        client.close()
        yield str(registry)
