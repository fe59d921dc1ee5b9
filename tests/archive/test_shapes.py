"""Archives in the shapes that builders write them: none may be refused."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.model.digest import Digest
from pytest_images.testing import samples
from tests.archive.packed import Link, dump, packed

if TYPE_CHECKING:
    from tests.archive.conftest import Loading

ONE = samples.image("one", layers=2, compression="none")
CONFIG = ONE.config.raw
ID = ONE.config.id.encoded
FIRST, SECOND = ONE.tars
HEX = [digest.encoded for digest in ONE.config.diff_ids]

Files = dict[str, bytes | Link]


def listed(config: str, *layers: str, **more: Any) -> dict[str, bytes | Link]:
    entry = {"Config": config, "RepoTags": ["app.test/one:1"], "Layers": list(layers), **more}
    return {"manifest.json": dump([entry])}


def ko_and_kaniko() -> bytes:
    """go-containerregistry's tarball: the config's digest as a name, gzip layers."""
    names = [f"{digest}.tar.gz" for digest in HEX]
    files: Files = {f"sha256:{ID}": CONFIG}
    files |= {name: gzip.compress(tar) for name, tar in zip(names, ONE.tars, strict=True)}
    return packed(files | listed(f"sha256:{ID}", *names))


def bazel() -> bytes:
    """rules_docker: members below ./, a folder a layer, a `repositories` beside."""
    files: Files = {f"./{ID}.json": CONFIG, "./repositories": b"{}"}
    files |= {f"./{digest}/layer.tar": tar for digest, tar in zip(HEX, ONE.tars, strict=True)}
    manifest = listed(f"{ID}.json", *(f"{digest}/layer.tar" for digest in HEX))
    return packed(files | {"./manifest.json": manifest["manifest.json"]})


def nix() -> bytes:
    """dockerTools: folders first, names of store hashes, the whole gzipped."""
    files: Files = {
        "first": (tarfile.DIRTYPE, ""),
        "first/layer.tar": FIRST,
        "first/VERSION": b"1.0",
    }
    files |= {"second": (tarfile.DIRTYPE, ""), "second/layer.tar": SECOND, "second/json": b"{}"}
    files |= {"0c2b4x-image.json": CONFIG, "repositories": b"{}"}
    listing = listed("0c2b4x-image.json", "first/layer.tar", "second/layer.tar")
    return gzip.compress(packed(files | listing))


def buildpacks() -> bytes:
    """The lifecycle's image for a daemon: paths with a slash before."""
    files: Files = {f"{ID}.json": CONFIG}
    files |= {f"/{digest}.tar": tar for digest, tar in zip(HEX, ONE.tars, strict=True)}
    return packed(files | listed(f"{ID}.json", *(f"/{digest}.tar" for digest in HEX)))


def jib() -> bytes:
    """Jib: a config called config.json, gzip layers, a manifest with more fields."""
    files: Files = {"config.json": CONFIG, "a.tar.gz": gzip.compress(FIRST)}
    files["b.tar.gz"] = gzip.compress(SECOND)
    return packed(files | listed("config.json", "a.tar.gz", "b.tar.gz", Parent="", LayerSources={}))


def docker_with_a_shared_layer() -> bytes:
    """Docker before 25: a layer of an earlier image is a link into that one's folder."""
    files: Files = {f"{ID}.json": CONFIG, "a/layer.tar": FIRST, "c/layer.tar": SECOND}
    files["b/layer.tar"] = (tarfile.SYMTYPE, "../c/layer.tar")
    return packed(files | listed(f"{ID}.json", "a/layer.tar", "b/layer.tar"))


SHAPES = [ko_and_kaniko, bazel, nix, buildpacks, jib, docker_with_a_shared_layer]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_builder_s_archive_is_refused(load: Loading, shape: Any) -> None:
    """T26."""
    (found,) = load(shape())
    assert found.config == ONE.config
    assert [str(name) for name in found.references] == ["app.test/one:1"]


def test_an_archive_without_end_marker_is_taken(load: Loading) -> None:
    archive = ONE.archive("app.test/one:1", form="docker-old")
    whole = archive[: -(-len(archive.rstrip(b"\0")) // 512) * 512]
    assert load(whole) == load(archive)


def test_layers_in_the_shapes_of_real_images_are_taken(load: Loading) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for kind, name, link in (
            (tarfile.DIRTYPE, "./", ""),
            (tarfile.SYMTYPE, "./var/run", "/run"),
            (tarfile.REGTYPE, "var/run/pid", ""),
            (tarfile.SYMTYPE, "etc/mtab", "../proc/mounts"),
            (tarfile.LNKTYPE, "usr/bin/awk", "/usr/bin/gawk"),
            (tarfile.REGTYPE, "opt/.wh..wh..opq", ""),
            (tarfile.REGTYPE, ".wh.gone", ""),
            (tarfile.CHRTYPE, "dev/null", ""),
            (tarfile.REGTYPE, "n" * 200, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            tar.addfile(member)
    layer = out.getvalue()
    document = ONE.config.document
    document["rootfs"]["diff_ids"] = [str(Digest.of(layer))]
    (found,) = load(packed({"c": dump(document), "l": layer, **listed("c", "l")}))
    facts = load.store.layer(found.manifest.layers[0].digest)
    assert facts is not None and facts.content_size == 0
