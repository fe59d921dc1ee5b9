"""The files of an image as COPY sees them: read in few passes, and once for all builds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_images.builder.choosing import select
from pytest_images.builder.copying import Order
from pytest_images.builder.fingerprints import Fingerprints
from pytest_images.builder.folder import SMALL
from pytest_images.builder.trees import ImageTree
from pytest_images.layer.files import Files
from tests.layer.raw import member
from tests.layer.views import COMPRESS, Opened, folder, layer, of_tar, symlink

if TYPE_CHECKING:
    from pathlib import Path

ORDER = Order(("usr",), "/x/")
NAMES = [b"usr/%03d" % number for number in range(100)]


def image(*tars: bytes) -> tuple[ImageTree, list[Opened]]:
    blobs = [Opened(COMPRESS["gzip"](tar)) for tar in tars]
    layers = [of_tar(tar, opened=blob) for tar, blob in zip(tars, blobs, strict=True)]
    return ImageTree(Files(layers, "app:1")), blobs


def digest(tree: ImageTree, memory: Path, context: Path) -> str:
    known = Fingerprints(memory, context)
    found = select(ORDER, tree).digest(known)
    known.save()
    return found


def test_a_compressed_layer_is_inflated_a_few_times_whatever_the_number_of_files(
    tmp_path: Path,
) -> None:
    contents = [b"small", b"L" * (SMALL + 1)]
    files = [member(name, contents[at % 2]) for at, name in enumerate(reversed(NAMES))]
    tree, [blob] = image(layer(*files))
    digest(tree, tmp_path, tmp_path)
    assert blob.count <= 5


def test_what_a_layer_holds_is_read_once_for_all_builds(tmp_path: Path) -> None:
    tar = layer(*(member(name, name) for name in NAMES), member(b"usr/large", bytes(SMALL + 1)))
    first = digest(image(tar)[0], tmp_path, tmp_path)
    tree, [blob] = image(tar)
    assert digest(tree, tmp_path, tmp_path) == first
    assert blob.count == 0


def test_small_files_of_a_layer_are_remembered_together(tmp_path: Path) -> None:
    tar = layer(*(member(name, name) for name in NAMES), member(b"usr/large", bytes(SMALL + 1)))
    memory = tmp_path / "memory"
    memory.mkdir()
    digest(image(tar)[0], memory, tmp_path)
    [record] = memory.iterdir()
    assert len(json.loads(record.read_bytes())) == 2, "the group, and the large file"


def test_one_small_file_of_a_layer_is_remembered_alone(tmp_path: Path) -> None:
    tar = layer(*(member(name, name) for name in NAMES))
    order = ORDER._replace(sources=("usr/007",))
    blobs = []
    for _ in range(2):
        tree, found = image(tar)
        blobs += found
        known = Fingerprints(tmp_path, tmp_path)
        select(order, tree).digest(known)
        known.save()
    assert [blob.count > 0 for blob in blobs] == [True, False]


def test_the_same_files_from_other_layers_have_the_same_digest(tmp_path: Path) -> None:
    one = layer(folder(b"usr"), member(b"usr/a", b"1"), member(b"usr/b", b"2"))
    lower, upper = layer(folder(b"usr"), member(b"usr/b", b"2")), layer(member(b"usr/a", b"1"))
    assert digest(image(one)[0], tmp_path, tmp_path) == digest(
        image(lower, upper)[0], tmp_path, tmp_path
    )


def test_every_change_of_an_image_is_seen(tmp_path: Path) -> None:
    base = layer(folder(b"usr"), member(b"usr/a", b"1"), symlink(b"usr/l", b"a"))
    uppers = [
        *(layer(member(b"usr/a", b"2")), layer(member(b"usr/a", b"1", uid=7))),
        *(layer(member(b"usr/b", b"1")), layer(symlink(b"usr/l", b"b"))),
        *(layer(member(b"usr/.wh.a")), layer(folder(b"usr/a"))),
    ]
    found = [digest(image(base, upper)[0], tmp_path, tmp_path) for upper in (layer(), *uppers)]
    assert len(set(found)) == len(found)
    again = [digest(image(base, upper)[0], tmp_path, tmp_path) for upper in (layer(), *uppers)]
    assert again == found
