"""Import, from every form of a tar, beside a real Docker, and with every hostile row."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from pytest_images.errors import (
    ImageNotFound,
    InvalidConfiguration,
    InvalidDockerfile,
    InvalidLayer,
    InvalidReference,
    InvalidUsage,
    LimitExceeded,
    NotFound,
    StoreFull,
)
from pytest_images.model.digest import Digest
from pytest_images.testing import samples
from tests.faults.server import Fault, FaultRegistry
from tests.layer.raw import END, member
from tests.layer.test_measure import FINE, REFUSALS
from tests.ledger import Ledger, refused
from tests.peers import Docker, DockerRegistry, serving_docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.image import Image

ONE = samples.image("one", compression="none")
[TAR] = ONE.tars
ZSTD = zstandard.ZstdCompressor(write_checksum=True).compress(TAR)
OCI = "application/vnd.oci.image.layer.v1.tar"
# compression: how it is packed, and the media type and bytes it is kept as
FORMS = {
    "none": (TAR, OCI, TAR),
    "gzip": (gzip.compress(TAR), f"{OCI}+gzip", gzip.compress(TAR)),
    "zstd": (ZSTD, f"{OCI}+zstd", ZSTD),
    "xz": (lzma.compress(TAR), OCI, TAR),
    "bzip2": (bz2.compress(TAR), OCI, TAR),
}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.fixture
def account(images: Images, store: Store, request: pytest.FixtureRequest) -> Ledger:
    """The ledger, opened when the store is open already."""
    images.ls()
    store.images()
    ledger: Ledger = request.getfixturevalue("ledger")
    return ledger


def imported(images: Images, raw: bytes, tag: str | None = None, **options: Any) -> Image:
    return images.import_(io.BytesIO(raw), tag, **options)


@pytest.mark.parametrize("form", FORMS)
def test_a_layer_is_kept_in_the_form_that_it_has_where_that_is_one(
    images: Images, store: Store, form: str
) -> None:
    packed, media_type, kept = FORMS[form]
    inspection = images.inspect(imported(images, packed, "app:1").id)
    [layer] = inspection.manifest.layers
    assert inspection.config.diff_ids == (Digest.of(TAR),)
    assert (layer.media_type, layer.digest, layer.size) == (media_type, Digest.of(kept), len(kept))
    assert store.read(layer.digest) == kept
    assert inspection.image.size == 1000
    assert store.fsck().clean


def test_the_config_says_when_where_and_what(images: Images) -> None:
    image = imported(images, TAR, platform="linux/arm/v7", changes=["ENV A=1", "CMD x"])
    assert images.inspect(image.id).config.document == {
        "created": "2023-11-14T22:13:20Z",
        "comment": "Imported from -",
        "architecture": "arm",
        "os": "linux",
        "variant": "v7",
        "config": {"Env": ["A=1"], "Cmd": ["/bin/sh", "-c", "x"]},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(TAR))]},
        "history": [{"created": "2023-11-14T22:13:20Z", "comment": "Imported from -"}],
    }


def test_a_message_is_the_comment(images: Images) -> None:
    image = imported(images, TAR, message="by hand")
    assert [line.comment for line in images.history(image.id)] == ["by hand"]


def test_the_same_input_at_the_same_time_is_the_same_image(images: Images) -> None:
    assert imported(images, TAR, "one:1").id == imported(images, TAR, "two:1").id


def test_without_a_time_set_the_clock_counts(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert imported(images, TAR).id != imported(images, TAR).id


def test_a_name_moves_and_the_image_before_stays(images: Images) -> None:
    before = imported(images, TAR, "app:1")
    after = imported(images, TAR, "app:1", message="newer")
    assert images.inspect("app:1").image.id == after.id
    assert [image.id for image in images.ls() if image.is_dangling] == [before.id]
    assert after.reference is not None


def test_an_image_needs_no_name(images: Images) -> None:
    assert imported(images, TAR).is_dangling


@pytest.mark.parametrize("raw", [b"", bytes(1024), gzip.compress(b"")], ids=range(3))
def test_an_empty_root_is_a_root_as_for_docker(images: Images, raw: bytes) -> None:
    assert imported(images, raw).size == 0


def test_a_path_is_imported_and_a_folder_is_not(images: Images, tmp_path: Path) -> None:
    (tmp_path / "root.tar").write_bytes(TAR)
    assert images.import_(tmp_path / "root.tar", "app:1").size == 1000
    with pytest.raises(InvalidUsage, match="imported from a tar"):
        images.import_(tmp_path)


def test_a_pipe_is_read_as_it_comes(images: Images) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stream:
        os.write(writer, TAR)
        os.close(writer)
        assert images.import_(stream).size == 1000


# what is refused leaves nothing behind


def unchanged(images: Images, store: Store) -> bool:
    return images.ls() == () and store.usage().blobs == 0 and store.fsck().clean


@pytest.mark.parametrize("case", REFUSALS)
def test_a_hostile_member_is_refused(
    images: Images, store: Store, account: Ledger, case: str
) -> None:
    archive, word = REFUSALS[case]
    with refused(InvalidLayer, word, "rootfs"):
        imported(images, archive + END, "app:1", name="rootfs")
    assert unchanged(images, store)


@pytest.mark.parametrize("case", FINE)
def test_what_real_root_file_systems_hold_is_taken(images: Images, case: str) -> None:
    assert len(images.inspect(imported(images, FINE[case] + END).id).manifest.layers) == 1


def test_a_tar_cut_at_any_block_is_refused_or_a_whole_one(images: Images, store: Store) -> None:
    """Docker, too, takes a tar that lacks its end marker."""
    whole = member(b"a", b"x" * 700) + member(b"b") + END
    taken = [end for end in range(0, len(whole), 512) if _is_taken(images, whole[:end])]
    assert taken == [0, 1536, 2048, 2560]
    assert store.fsck().clean


def _is_taken(images: Images, raw: bytes) -> bool:
    try:
        imported(images, raw)
    except InvalidLayer:
        return False
    return True


@pytest.mark.parametrize("form", ["gzip", "zstd", "xz", "bzip2"])
def test_a_cut_or_damaged_compressed_tar_is_refused(
    images: Images, store: Store, account: Ledger, form: str
) -> None:
    packed = FORMS[form][0]
    for bad in (packed[:-3], packed[: len(packed) // 2], packed + b"garbage", flipped(packed)):
        with refused(InvalidLayer):
            imported(images, bad)
    assert unchanged(images, store)


def flipped(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 0x55]) + packed[middle + 1 :]


@pytest.mark.parametrize("raw", [b"hello\n" * 500, b"ab", b"\x89PNG\r\n\x1a\n" * 100], ids=range(3))
def test_what_is_no_tar_is_refused(
    images: Images, store: Store, account: Ledger, raw: bytes
) -> None:
    with refused(InvalidLayer):
        imported(images, raw, "app:1")
    assert unchanged(images, store)


@pytest.mark.parametrize("form", ["none", "gzip", "xz"])
def test_a_bomb_is_stopped_at_the_limit(
    images: Images,
    store: Store,
    account: Ledger,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_EXPANSION_LIMIT", str(1 << 20))
    big = member(b"zeros", bytes(8 << 20)) + END
    packed = {"none": big, "gzip": gzip.compress(big), "xz": lzma.compress(big)}[form]
    with refused(LimitExceeded):
        imported(images, packed)
    assert unchanged(images, store)


def test_a_stream_without_end_is_stopped_at_the_limit(
    images: Images, store: Store, account: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_EXPANSION_LIMIT", str(1 << 20))
    with open("/dev/zero", "rb") as endless, refused(LimitExceeded, "/dev/zero"):  # noqa: PTH123  # as a user gives it
        images.import_(endless)
    assert unchanged(images, store)


def test_a_bad_change_is_refused_before_a_byte_is_read(images: Images) -> None:
    stream = io.BytesIO(TAR)
    with pytest.raises(InvalidDockerfile, match="run is not a valid change command"):
        images.import_(stream, changes=["RUN x"])
    assert stream.tell() == 0


def test_a_digest_can_not_be_given_as_a_name(images: Images) -> None:
    with pytest.raises(InvalidReference, match="cannot import digest reference"):
        imported(images, TAR, f"app@{Digest.of(TAR)}")
    with pytest.raises(InvalidUsage, match="digest algorithm as name"):
        imported(images, TAR, "sha256:1")


def test_a_time_that_is_none_is_refused(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(InvalidConfiguration):
        imported(images, TAR)


def test_a_failure_while_reading_leaves_nothing(images: Images, store: Store) -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            raise StoreFull("elsewhere", "No space left on device")

    with pytest.raises(StoreFull):
        images.import_(Failing())  # type: ignore[arg-type] # a raw stream is read as well
    assert unchanged(images, store)


# addresses


@pytest.fixture
def server() -> Iterator[FaultRegistry]:
    with FaultRegistry() as server:
        yield server


def test_an_address_is_fetched_and_named_in_the_history(
    images: Images, server: FaultRegistry
) -> None:
    server.on("GET", "/root.tar", Fault(status=200, body=TAR))
    image = images.import_(f"http://me:secret@{server}/root.tar", "app:1")
    assert images.history(image.id)[0].comment == f"Imported from http://{server}/root.tar"
    assert b"secret" not in images.inspect(image.id).config.raw


def test_an_address_without_the_file_is_an_error(
    images: Images, store: Store, server: FaultRegistry
) -> None:
    server.on("GET", "/root.tar", Fault(status=404))
    with pytest.raises(NotFound):
        images.import_(f"http://{server}/root.tar", "app:1")
    assert unchanged(images, store)


# with others


def test_an_imported_alpine_is_an_image_like_any_other(
    images: Images, docker_registry: DockerRegistry, shared: Path, tmp_path: Path
) -> None:
    root = shared / "alpine" / "alpine-minirootfs-3.20.3-x86_64.tar.gz"
    name = f"{docker_registry}/import/alpine:1"
    image = images.import_(root, name, changes=['CMD ["/bin/sh"]'], platform="linux/amd64")
    assert images.files(name).joinpath("etc/alpine-release").read_text() == "3.20.3\n"
    images.push(name)
    images.save(name, tmp_path / "saved.tar")
    images.rm(name)
    with pytest.raises(ImageNotFound):
        images.inspect(name)
    assert images.pull(name).id == image.id
    images.rm(name)
    [loaded] = images.load(tmp_path / "saved.tar")
    assert (loaded.image.id, loaded.image.size) == (image.id, image.size)


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    with serving_docker() as docker:
        yield docker


CHANGES = [
    "ENV A=1 B=\"x y\"",
    "ENV C=$A",
    "CMD [\"a\",\"b\"]",
    "ENTRYPOINT run it",
    "EXPOSE 80 90-91/udp",
    "LABEL a=b",
    "ONBUILD RUN x",
    "USER 1:2",
    "VOLUME /a",
    "WORKDIR b",
    "WORKDIR c",
    "HEALTHCHECK --interval=5s CMD a",
]  # fmt: skip


@pytest.mark.peer("docker", "dockerd", "root")
@pytest.mark.parametrize(
    "changes", [[], CHANGES, ["CMD"], ["ENTRYPOINT"], ["USER $A"], ["CMD a\\"]]
)
def test_docker_makes_the_same_settings_and_layer(
    images: Images, docker: Docker, changes: list[str]
) -> None:
    words = [word for change in changes for word in ("--change", change)]
    theirs = docker("import", *words, "-", stdin=FORMS["gzip"][0]).decode().strip()
    [found] = json.loads(docker("image", "inspect", theirs))
    ours = images.inspect(imported(images, FORMS["gzip"][0], changes=changes).id)
    settings = ours.config.document["config"]
    assert {k: v for k, v in found["Config"].items() if v} == settings
    assert found["RootFS"]["Layers"] == [str(each) for each in ours.config.diff_ids]
    assert (found["Os"], found["Comment"]) == ("linux", ours.config.history[0].comment)


@pytest.mark.peer("docker", "dockerd", "root")
def test_docker_loads_what_was_imported(images: Images, docker: Docker, tmp_path: Path) -> None:
    image = imported(images, FORMS["gzip"][0], "imported.test/app:1", changes=CHANGES)
    images.save("imported.test/app:1", tmp_path / "saved.tar")
    docker("load", "-i", tmp_path / "saved.tar")
    [found] = json.loads(docker("image", "inspect", "imported.test/app:1"))
    assert found["Id"] == str(image.id)
    assert found["Comment"] == "Imported from -"


def test_a_root_made_by_tarfile_keeps_its_files(images: Images) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("etc/größe")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    image = imported(images, raw.getvalue())
    assert images.files(image.id).joinpath("etc/größe").read_bytes() == b"abc"
