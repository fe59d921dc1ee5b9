"""Looking into images of the store, and of an engine that can only save."""

from __future__ import annotations

import gc
import os
import stat
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pytest_images.errors import DigestMismatch, ImageNotFound, PlatformNotFound, Unsupported
from pytest_images.hookspecs import hookimpl
from pytest_images.host import Host
from pytest_images.model.manifest import Manifest
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.engines import Bringing, MemoryEngine
from tests.layer.raw import member
from tests.layer.views import folder, hardlink, layer, symlink
from tests.peers import peer, shared_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.layer.files import Files, ImagePath
    from pytest_images.model.image import Image
    from pytest_images.model.request.save import SaveRequest
    from tests.engine.conftest import Put


def test_a_file_is_read_from_an_image_of_the_store(images: Images, put: Put) -> None:
    image = put(samples.of_tars(layer(member(b"etc/motd", b"hello"))), "app:1")
    assert (images.files("app:1") / "etc/motd").read_text() == "hello"
    assert (images.files(image) / "etc/motd").read_text() == "hello"
    assert repr(images.files(image)).startswith("</ in app:1: ")


def test_an_image_that_is_not_here_has_no_files(images: Images) -> None:
    with pytest.raises(ImageNotFound):
        images.files("missing")


def test_of_several_platforms_one_is_looked_into(images: Images) -> None:
    platforms = ("linux/amd64", "linux/arm64")
    made = [
        samples.of_tars(layer(member(b"arch", name.encode())), seed=name, platform=name)
        for name in platforms
    ]
    images.load(BytesIO(samples.index(*made).archive("app:1")), platforms=platforms)
    for name in platforms:
        assert (images.files("app:1", platform=name) / "arch").read_text() == name
    with pytest.raises(PlatformNotFound):
        images.files("app:1", platform="linux/s390x")


def test_looking_once_tells_the_image_s_size(images: Images, put: Put, store: Store) -> None:
    image = put(samples.image(size=777))
    assert images.inspect(image, sizes=False).image.size is None
    images.files(image).exists()
    assert store.image(Selector.of(image.id)).size == 777


def test_a_layer_is_listed_once_for_all_images_and_tests(images: Images, put: Put) -> None:
    base, more = layer(member(b"base", b"b")), layer(member(b"more", b"m"))
    one, two = put(samples.of_tars(base), "one:1"), put(samples.of_tars(base, more), "two:1")
    assert images.files("one:1").exists()
    assert images.files("one:1") is images.files("one:1")
    assert [found.listed for found in images.files("two:1").layers] == [1, 0]
    assert images.files(one).layers[0].digest == images.files(two).layers[0].digest


def test_of_large_images_only_the_last_is_kept_listed(
    images: Images, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_images.engine import files as looking

    monkeypatch.setattr(looking, "KEPT_LIMIT", 2)
    for seed in ("one", "two", "three"):
        put(samples.image(seed), f"{seed}:1")
        assert images.files(f"{seed}:1").exists()
    gc.collect()
    listed = {seed: images.files(f"{seed}:1").layers[0].listed for seed in ("three", "one")}
    assert listed == {"three": 4, "one": 0}


def test_a_layer_that_is_not_the_config_s_is_refused(images: Images, store: Store) -> None:
    one, other = samples.image("one"), samples.image("other")
    raw = one.manifest.raw.replace(
        str(one.manifest.layers[0].digest).encode(), str(other.manifest.layers[0].digest).encode()
    )
    raw = raw.replace(
        b'"size":%d}]' % one.manifest.layers[0].size,
        b'"size":%d}]' % other.manifest.layers[0].size,
    )
    sample = samples.Sample(Manifest.parse(raw), one.config, other.layers, other.tars)
    image = sample.put(store)
    with pytest.raises(DigestMismatch, match="unpacked"):
        images.files(image).exists()


# Against what unpacks for real.


def facts(root: Path) -> dict[str, tuple[object, ...]]:
    """Every file below *root*: its kind and permissions, its size, its link's target."""
    found: dict[str, tuple[object, ...]] = {}
    for top, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = Path(top, name)
            info = path.lstat()
            target = str(path.readlink()) if path.is_symlink() else ""
            size = info.st_size if stat.S_ISREG(info.st_mode) else 0
            mode = stat.filemode(info.st_mode)
            found[str(path.relative_to(root))] = (mode, size, target)
    return found


def told(files: Files) -> dict[str, tuple[object, ...]]:
    """The same of a view."""
    found: dict[str, tuple[object, ...]] = {}
    for top, folders, names in files.walk():
        for name in [*folders, *names]:
            info = (top / name).lstat()
            size = info.size if info.kind == "file" else 0
            mode = "lrwxrwxrwx" if info.kind == "symlink" else info.filemode
            found[str(top / name)[1:]] = (mode, size, info.target)
    return found


ARCHIVES = [
    "skopeo-docker-archive-alpine3.20.tar",
    "skopeo-oci-archive-alpine3.20.tar",
    "skopeo-oci-layout-zstd-alpine3.20.tar",
]


@pytest.mark.peer("tar")
@pytest.mark.peer("shared")
@pytest.mark.parametrize("archive", ARCHIVES)
def test_alpine_has_the_files_that_gnu_tar_unpacks(
    images: Images, tmp_path: Path, archive: str
) -> None:
    peer("shared")
    shared = shared_images()
    assert shared is not None
    root = tmp_path / "root"
    root.mkdir()
    tar = shared / "alpine" / "alpine-minirootfs-3.20.3-x86_64.tar.gz"
    subprocess.run([peer("tar"), "-xpzf", tar, "-C", root], check=True)
    [alpine] = images.load(shared / "archives" / archive)
    files = images.files(alpine.image)
    assert told(files) == facts(root)
    for path in files.rglob("*"):
        if path.lstat().kind == "file":
            on_disk = root / str(path)[1:]
            assert path.read_bytes() == on_disk.read_bytes(), path
            assert int(path.stat().mtime) == int(on_disk.stat().st_mtime), path


NAMES = st.sampled_from([b"a", b"b", b"a/x", b"a/b", b"b/x", b"a/b/c", b"b/a/c"])
TARGETS = st.sampled_from([b"/a", b"../b", b"gone"])
Step = tuple[str, bytes, bytes]
WRITE: dict[str, Callable[[bytes, bytes], bytes]] = {
    "whiteout": lambda name, _: member(b"/".join([*name.split(b"/")[:-1], b".wh." + name[-1:]])),
    "folder": lambda name, _: folder(name),
    "opaque": lambda name, _: member(name + b"/.wh..wh..opq"),
    "file": member,
    "symlink": symlink,
    "hardlink": hardlink,
}


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """A layer as writers leave them: whiteouts, then each name once, directories first.

    What unpackers are known to do differently is left out.
    """
    made: list[Step] = [("whiteout", name, b"") for name in draw(st.lists(NAMES, max_size=2))]
    files: list[bytes] = []
    folders = {b""}
    for name in sorted(draw(st.lists(NAMES, max_size=6, unique=True))):
        if name.rpartition(b"/")[0] not in folders:
            continue
        kind = draw(st.sampled_from(["folder", "opaque", "file", "symlink", "hardlink"]))
        if kind in ("folder", "opaque"):
            made.append(("folder", name, b""))
            folders.add(name)
        if kind == "opaque":
            made.append((kind, name, b""))
        elif kind == "symlink":
            made.append((kind, name, draw(TARGETS)))
        elif kind == "hardlink" and files:
            made.append((kind, name, draw(st.sampled_from(files))))
        elif kind != "folder":
            made.append(("file", name, draw(st.sampled_from([b"", b"1", b"22"]))))
            files.append(name)
    return made


@pytest.mark.peer("umoci")
@pytest.mark.peer("root")
@settings(
    derandomize=True,
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(steps(), min_size=2, max_size=4))
def test_layers_merge_as_umoci_unpacks_them(
    images: Images, put: Put, layers: list[list[Step]]
) -> None:
    peer("root")
    sample = samples.of_tars(*(layer(*(WRITE[k](n, v) for k, n, v in made)) for made in layers))
    with tempfile.TemporaryDirectory() as name:
        bundle = unpacked(sample, Path(name))
        assume(bundle is not None)  # links in a circle, files where directories must be
        assert bundle is not None
        files = images.files(put(sample))
        assert told(files) == facts(bundle)
        for path in files.rglob("*"):
            if path.lstat().kind == "file":
                assert path.read_bytes() == (bundle / str(path)[1:]).read_bytes()


def unpacked(sample: samples.Sample, folder: Path) -> Path | None:
    """What umoci makes of an image, None where it refuses to."""
    layout = sample.layout(folder / "layout", "app:1")
    index = layout / "index.json"
    index.write_text(index.read_text().replace("docker.io/library/app:1", "1"))
    bundle = folder / "bundle"
    command = [peer("umoci"), "unpack", "--image", f"{layout}:1", str(bundle)]
    done = subprocess.run(command, check=False, capture_output=True)
    return bundle / "rootfs" if done.returncode == 0 else None


# An engine that is not ours.


class Saving(MemoryEngine):
    """The engine in memory, with a save."""

    form = "oci"

    @hookimpl
    def image_save(self, images: Images, request: SaveRequest) -> tuple[Image, ...]:
        [selector] = request.images
        sample = self._find(selector)
        request.stream.write(sample.archive("app:1", form=self.form))
        return (self._image(next(name for name, s in self.names.items() if s is sample)),)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Images]:
    """A door to an engine that can save, and to one that cannot."""
    plugin = Bringing(saving=Saving, memory=MemoryEngine)
    with Host(home=tmp_path / "home", plugins=[plugin], load_entry_points=False) as host:
        yield host.images.using("saving")


def scratch() -> set[str]:
    """The folders that a save into a temporary store leaves behind."""
    return {path.name for path in Path(tempfile.gettempdir()).glob("pytest-images-*")}


@pytest.mark.parametrize("form", ["oci", "docker", "docker-old"])
def test_another_engine_s_image_is_saved_and_looked_into(
    elsewhere: Images, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Saving, "form", form)
    image = elsewhere.pull("app:1")
    before = scratch()
    path: ImagePath | None = elsewhere.files("app:1") / "data"
    assert path is not None
    [file, hard, link] = path.iterdir()
    assert file.read_bytes() == hard.read_bytes() == link.read_bytes()
    assert (
        elsewhere.files(image).layers[0].diff_id
        == samples.image("docker.io/library/app:1", size=10).config.diff_ids[0]
    )
    del path, file, hard, link
    gc.collect()
    assert scratch() <= before
    assert not elsewhere.using("embedded").ls()


def test_an_engine_that_cannot_save_says_so(elsewhere: Images) -> None:
    door = elsewhere.using("memory")
    door.pull("app:1")
    before = scratch()
    with pytest.raises(Unsupported, match="save"):
        door.files("app:1")
    assert scratch() <= before


def test_a_store_without_the_image_s_blobs_says_so(images: Images, put: Put, store: Store) -> None:
    image = put(samples.image())
    files = images.files(image)
    store.path(images.inspect(image).manifest.layers[0].digest).unlink()
    with pytest.raises(LookupError, match="not found"):
        (files / "data").exists()
