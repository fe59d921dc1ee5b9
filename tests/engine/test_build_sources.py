"""What a build brings from elsewhere: contexts at addresses, further contexts, ADD's sources."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import (
    DigestMismatch,
    InvalidArchive,
    InvalidDockerfile,
    InvalidLayer,
    InvalidUsage,
    NotFound,
    Unreachable,
)
from pytest_images.testing import samples
from tests.builder.test_repository import git, project, server
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.engine.conftest import Put

__all__ = ["project", "server"]  # fixtures


@pytest.fixture
def web() -> Iterator[FaultRegistry]:
    with FaultRegistry() as web:
        yield web


@pytest.fixture(autouse=True)
def _nothing_is_left(store: Store) -> Iterator[None]:
    yield
    assert list(store.workspace("steps").iterdir()) == []


def tar(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as out:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def test_a_context_may_be_a_tar_at_an_address(images: Images, web: FaultRegistry) -> None:
    content = tar(Dockerfile=b"FROM scratch\nCOPY a /\n", a=b"1")
    web.on("GET", "/context.tar.gz", Fault(status=200, body=content))
    images.build(f"http://{web}/context.tar.gz", tags="app:1")
    assert (images.files("app:1") / "a").read_text() == "1"


def test_a_context_may_be_a_dockerfile_at_an_address(images: Images, web: FaultRegistry) -> None:
    web.on("GET", "/Dockerfile", Fault(status=200, body=b"FROM scratch\nLABEL a=b\n"))
    images.build(f"http://{web}/Dockerfile", tags="app:1")
    assert dict(images.inspect("app:1").image.labels) == {"a": "b"}


def test_a_context_may_be_a_folder_of_a_repository(
    images: Images, project: Path, server: str
) -> None:
    (project / "docker/Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    git(project, "commit", "-qam", "dockerfile")
    images.build(f"{server}/app.git#main:docker", tags="app:1")
    assert [path.name for path in images.files("app:1").iterdir()] == ["Dockerfile"]


def test_a_context_that_is_nowhere_is_said(images: Images, web: FaultRegistry) -> None:
    web.on("GET", "/missing", Fault(status=404, body=b"no"))
    with pytest.raises(NotFound, match="/missing"):
        images.build(f"http://{web}/missing")


ADD = "FROM scratch\nADD {} /in/\n"


def test_add_takes_a_file_from_an_address(images: Images, web: FaultRegistry) -> None:
    headers = {"Last-Modified": "Sat, 03 Jan 1970 00:00:00 GMT"}
    web.on("GET", "/a%20b.txt", Fault(status=200, body=b"hi", headers=headers))
    text = ADD.format(f"http://me:s3cret@{web}/a%20b.txt")
    result = images.build({}, dockerfile_text=text, tags="app:1")
    found = images.files("app:1") / "in/a b.txt"
    assert found.read_text() == "hi"
    assert (found.stat().mode, found.stat().mtime) == (0o600, 2 * 86400)
    assert "s3cret" not in result.log
    assert "s3cret" not in repr(images.history("app:1"))
    assert b"s3cret" not in images.config("app:1").raw


def test_what_is_at_an_address_counts_for_the_cache(images: Images, web: FaultRegistry) -> None:
    text = ADD.format(f"http://{web}/a")
    bodies = [b"1", b"1", b"2"]
    web.on("GET", "/a", lambda seen: Fault(status=200, body=bodies.pop(0)))
    first, second, third = (images.build({}, dockerfile_text=text) for _ in "123")
    assert "CACHED" in second.log
    assert "CACHED" not in third.log
    assert first.image == second.image != third.image


def test_an_archive_from_an_address_is_unpacked_only_where_that_is_asked_for(
    images: Images, web: FaultRegistry
) -> None:
    web.on("GET", "/a.tar.gz", Fault(status=200, body=tar(x=b"1")))
    for option, name in (("", "in/a.tar.gz"), ("--unpack=true ", "in/x")):
        text = ADD.format(f"{option}http://{web}/a.tar.gz")
        images.build({}, dockerfile_text=text, tags="app:1")
        assert (images.files("app:1") / name).is_file()


def test_a_wrong_checksum_ends_the_build(images: Images, web: FaultRegistry) -> None:
    web.on("GET", "/a", Fault(status=200, body=b"hi"))
    text = ADD.format(f"--checksum=sha256:{'0' * 64} http://{web}/a")
    with pytest.raises(DigestMismatch) as caught:
        images.build({}, dockerfile_text=text)
    assert "it is wanted by Dockerfile:2: ADD --checksum" in caught.value.__notes__[0]


def test_a_base_that_cannot_be_reached_is_told_with_the_line_that_wants_it(
    images: Images,
) -> None:
    with pytest.raises(Unreachable) as caught:
        images.build({}, dockerfile_text="FROM 127.0.0.1:1/base:1\n")
    assert "it is wanted by Dockerfile:1: FROM 127.0.0.1:1/base:1" in caught.value.__notes__


def test_a_broken_archive_is_told_with_the_line_that_wants_it(images: Images) -> None:
    with pytest.raises(InvalidLayer) as caught:
        images.build({"a.tgz": tar(x=bytes(9000))[:-9]}, dockerfile_text=ADD.format("a.tgz"))
    [note] = caught.value.__notes__
    assert note.startswith("it is wanted by Dockerfile:2: ADD a.tgz")


def test_a_checksum_of_several_sources_is_refused(images: Images, web: FaultRegistry) -> None:
    text = ADD.format(f"--checksum=sha256:{'0' * 64} http://{web}/a http://{web}/b")
    with pytest.raises(InvalidDockerfile, match="--checksum is for one source"):
        images.build({}, dockerfile_text=text)
    assert not web.seen


def test_add_takes_files_and_addresses_together(images: Images, web: FaultRegistry) -> None:
    web.on("GET", "/b", Fault(status=200, body=b"2"))
    context = {"a.tar.gz": tar(x=b"1")}
    images.build(context, dockerfile_text=ADD.format(f"a.tar.gz http://{web}/b"), tags="app:1")
    assert [path.name for path in (images.files("app:1") / "in").iterdir()] == ["b", "x"]


@pytest.mark.parametrize(("option", "is_kept"), [("", False), ("--keep-git-dir=true ", True)])
def test_add_takes_a_repository(
    images: Images, project: Path, server: str, option: str, is_kept: bool
) -> None:
    text = ADD.format(f"{option}{server}/app.git#v1")
    images.build({}, dockerfile_text=text, tags="app:1")
    root = images.files("app:1") / "in"
    assert (root / "number").read_text() == "1"
    assert (root / "docker/Dockerfile").is_file()
    assert (root / ".git/HEAD").exists() is is_kept


def test_a_further_context_is_a_folder_without_what_it_ignores(
    images: Images, tmp_path: Path
) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "a").write_text("1")
    (folder / "b").write_text("2")
    (folder / ".dockerignore").write_text("b\n.dockerignore\n")
    text = "FROM scratch\nCOPY --from=more . /\n"
    images.build({}, dockerfile_text=text, contexts={"more": str(folder)}, tags="app:1")
    assert [path.name for path in images.files("app:1").iterdir()] == ["a"]


def test_a_further_context_is_at_an_address(images: Images, web: FaultRegistry) -> None:
    web.on("GET", "/more.tar", Fault(status=200, body=tar(a=b"1")))
    text = "FROM scratch\nCOPY --from=more a /\nCOPY --from=more a /b\n"
    contexts = {"more": f"http://{web}/more.tar"}
    images.build({}, dockerfile_text=text, contexts=contexts, tags="app:1")
    assert (images.files("app:1") / "b").read_text() == "1"
    assert len(web.seen) == 1


def test_an_image_is_replaced_by_a_further_context(
    images: Images, put: Put, tmp_path: Path
) -> None:
    sample = samples.image("other")
    put(sample, "other:1")
    layout = sample.layout(tmp_path / "layout", "kept:1")
    for value in ("docker-image://other:1", f"oci-layout://{layout}", f"oci-layout://{layout}:1"):
        result = images.build({}, dockerfile_text="FROM base\n", contexts={"base": value})
        assert result.image is not None
        assert images.config(result.image).diff_ids == sample.config.diff_ids


@pytest.mark.parametrize("value", ["missing", "oci-layout://missing", "oci-layout:///"])
def test_a_further_context_that_is_nowhere_is_said(images: Images, value: str) -> None:
    text = "FROM scratch\nCOPY --from=more a /\n"
    with pytest.raises((InvalidUsage, InvalidArchive)):
        images.build({}, dockerfile_text=text, contexts={"more": value})
