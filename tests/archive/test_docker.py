from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.errors import (
    DigestMismatch,
    ImagesError,
    InvalidArchive,
    InvalidDocument,
    InvalidReference,
    LimitExceeded,
    PlatformNotFound,
)
from pytest_images.model import media_types
from pytest_images.model.platform import Platform
from pytest_images.testing import samples
from tests.archive.packed import Link, dump, packed, unpacked

if TYPE_CHECKING:
    from tests.archive.conftest import Loading

ONE = samples.image("one", layers=2, compression="none")
ID = f"{ONE.config.id.encoded}.json"
BASE: dict[str, bytes | Link] = {
    ID: ONE.config.raw,
    "a/layer.tar": ONE.tars[0],
    "b/layer.tar": ONE.tars[1],
}
ENTRY: dict[str, Any] = {
    "Config": ID,
    "RepoTags": ["app:1"],
    "Layers": ["a/layer.tar", "b/layer.tar"],
}


def archive(*entries: Any, **files: bytes | Link) -> bytes:
    """An old docker archive; ``__`` in a keyword is ``/``."""
    named = {name.replace("__", "/").replace("_tar", ".tar"): file for name, file in files.items()}
    return packed({**BASE, **named, "manifest.json": dump(list(entries or [ENTRY]))})


def test_an_old_archive_gets_the_same_manifest_every_time(load: Loading) -> None:
    (found,) = load(ONE.archive("app:1", form="docker-old"))
    (again,) = load(archive())
    assert found.manifest == again.manifest
    assert (found.config, found.manifest.media_type) == (ONE.config, media_types.DOCKER_MANIFEST)
    assert [layer.digest for layer in found.manifest.layers] == list(ONE.config.diff_ids)
    assert {layer.media_type for layer in found.manifest.layers} == {media_types.DOCKER_LAYER}
    assert [name.familiar for name in found.references] == ["app:1"]


def test_compressed_layers_are_kept_as_they_come(load: Loading) -> None:
    layer = gzip.compress(ONE.tars[1])
    (found,) = load(archive(b__layer_tar=layer))
    kinds = [layer.media_type for layer in found.manifest.layers]
    assert kinds == [media_types.DOCKER_LAYER, media_types.DOCKER_LAYER_GZIP]
    assert load.store.read(found.manifest.layers[1].digest) == layer


def test_a_zstd_layer_makes_the_manifest_an_oci_one(load: Loading) -> None:
    import zstandard

    (found,) = load(archive(b__layer_tar=zstandard.compress(ONE.tars[1])))
    assert found.manifest.media_type == media_types.OCI_MANIFEST
    assert found.manifest.layers[1].media_type == media_types.OCI_LAYER_ZSTD


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "../one/layer.tar"),
        (tarfile.SYMTYPE, "../link/layer.tar"),
        (tarfile.LNKTYPE, "one/layer.tar"),
    ],
)
def test_layers_may_be_links_inside_the_archive(load: Loading, kind: bytes, target: str) -> None:
    files = {
        **BASE,
        "one/layer.tar": ONE.tars[0],
        "link/layer.tar": (tarfile.SYMTYPE, "../one/layer.tar"),
    }
    files["a/layer.tar"] = (kind, target)
    (found,) = load(packed({**files, "manifest.json": dump([ENTRY])}))
    assert found.config.id == ONE.config.id


def test_names_may_begin_with_a_dot_or_a_slash(load: Loading) -> None:
    files = unpacked(archive())
    for start in ("./", "/", ".//./"):
        (found,) = load(packed({start + name: content for name, content in files.items()}))
        assert found.config.id == ONE.config.id


def test_one_image_listed_twice_gets_both_names(load: Loading) -> None:
    (found,) = load(archive(ENTRY, {**ENTRY, "RepoTags": ["b:2"]}))
    assert [name.familiar for name in found.references] == ["app:1", "b:2"]


def test_both_forms_in_one_archive_are_read_as_oci_with_all_names(load: Loading) -> None:
    files = unpacked(ONE.archive("app:1", form="docker"))
    files["manifest.json"] = files["manifest.json"].replace(b'"app:1"', b'"app:1","more:2"')  # type: ignore[union-attr] # a file
    (found,) = load(packed(files))
    assert found.manifest == ONE.manifest
    assert [name.familiar for name in found.references] == ["app:1", "more:2"]


def test_two_forms_that_disagree_are_refused(load: Loading) -> None:
    other = samples.image("other", compression="none")
    files = {**unpacked(other.archive("other:1", form="docker")), **unpacked(ONE.archive("app:1"))}
    with load.refused(InvalidArchive, "disagree"):
        load(packed(files))


def test_a_platform_that_is_not_there_is_refused(load: Loading) -> None:
    with load.refused(PlatformNotFound, "linux/s390x", "linux/amd64"):
        load(archive(), [Platform.parse("s390x")])


def changed(**fields: Any) -> bytes:
    return archive({**ENTRY, **fields})


LOOP: Link = (tarfile.SYMTYPE, "../b/layer.tar")
REFUSALS: dict[str, tuple[bytes, type[ImagesError], list[str]]] = {
    "T21 manifest.json missing": (packed(BASE), InvalidArchive, ["neither"]),
    "T21 manifest.json twice": (
        packed({**BASE, "manifest.json": dump([ENTRY])}, ("manifest.json", dump([ENTRY]))),
        InvalidArchive,
        ["twice"],
    ),
    "T21 manifest.json twice, once with a dot": (
        packed({**BASE, "manifest.json": dump([ENTRY])}, ("./manifest.json", dump([ENTRY]))),
        InvalidArchive,
        ["twice"],
    ),
    "T21 manifest.json a folder": (
        packed({**BASE, "manifest.json": (tarfile.DIRTYPE, "")}),
        InvalidArchive,
        ["neither"],
    ),
    "T21 manifest.json a link to outside": (
        packed({**BASE, "manifest.json": (tarfile.SYMTYPE, "/etc/passwd")}),
        InvalidArchive,
        ["not in it"],
    ),
    "T21 a link to itself": (
        archive(a__layer_tar=(tarfile.SYMTYPE, "layer.tar")),
        InvalidArchive,
        ["links", "a/layer.tar"],
    ),
    "T21 a cycle of links": (
        archive(a__layer_tar=LOOP, b__layer_tar=(tarfile.SYMTYPE, "../a/layer.tar")),
        InvalidArchive,
        ["links"],
    ),
    "T21 a link to outside": (
        archive(a__layer_tar=(tarfile.SYMTYPE, "../../../etc/passwd")),
        InvalidArchive,
        ["not in it"],
    ),
    "T21 a link to an absolute path": (
        archive(a__layer_tar=(tarfile.SYMTYPE, "/etc/passwd")),
        InvalidArchive,
        ["not in it"],
    ),
    "T21 a layer outside": (
        changed(Layers=["../../x", "b/layer.tar"]),
        InvalidArchive,
        ["outside"],
    ),
    "T21 an absolute layer": (changed(Layers=["/etc/passwd"]), InvalidArchive, ["not in it"]),
    "T21 a config outside": (changed(Config="../x.json"), InvalidArchive, ["outside"]),
    "T21 10^5 layers": (changed(Layers=["a"] * 100_000), LimitExceeded, ["manifest.json"]),
    "T21 257 layers": (changed(Layers=["a"] * 257), LimitExceeded, ["Layers", "256"]),
    "T21 a layer that is missing": (
        changed(Layers=["a/layer.tar", "c"]),
        InvalidArchive,
        ["not in it"],
    ),
    "T21 a layer that is a FIFO": (
        archive(a__layer_tar=(tarfile.FIFOTYPE, "")),
        InvalidArchive,
        ["fifo"],
    ),
    "T21 a member outside": (archive(**{"..__x": b""}), InvalidArchive, ["leaves the root"]),
    "T23 a name without tag": (changed(RepoTags=["app"]), InvalidReference, ["app"]),
    "T23 a bad name": (changed(RepoTags=["App:1"]), InvalidReference, ["lowercase"]),
    "T23 a name with a digest": (changed(RepoTags=["a@sha256:" + "0" * 64]), InvalidReference, []),
    "T23 a name that is no text": (changed(RepoTags=[1]), InvalidArchive, ["RepoTags"]),
    "T23 1001 names": (changed(RepoTags=["a:1"] * 1001), LimitExceeded, ["RepoTags"]),
    "M08 fewer layers": (changed(Layers=["a/layer.tar"]), InvalidDocument, ["2 diff IDs for 1"]),
    "M16 manifest is null": (packed({**BASE, "manifest.json": b"null"}), InvalidArchive, ["list"]),
    "M16 manifest is empty": (packed({**BASE, "manifest.json": b"[]"}), InvalidArchive, ["list"]),
    "M16 manifest of text": (
        packed({**BASE, "manifest.json": b'[""]'}),
        InvalidArchive,
        ["object"],
    ),
    "M16 no config": (changed(Config=None), InvalidArchive, ["config"]),
    "M02 manifest cut": (packed({**BASE, "manifest.json": b"[{"}), InvalidDocument, ["JSON"]),
    "D01 the config is not what its name says": (
        packed({**BASE, ID: ONE.config.raw + b" ", "manifest.json": dump([ENTRY])}),
        DigestMismatch,
        [ONE.config.id.encoded],
    ),
    "D03 layers in the wrong order": (
        changed(Layers=["b/layer.tar", "a/layer.tar"]),
        DigestMismatch,
        ["b/layer.tar"],
    ),
    "D04 a layer that is xz": (archive(a__layer_tar=b"\xfd7zXZ\0..."), ImagesError, ["xz"]),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_wrong_archive_is_refused(load: Loading, case: str) -> None:
    content, kind, words = REFUSALS[case]
    with load.refused(kind, *words):
        load(content)
