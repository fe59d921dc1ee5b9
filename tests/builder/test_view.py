"""The files that layers make, as a build sees them: what is listed again, and what is not."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest

from pytest_images.builder import listings, view
from pytest_images.builder.cache import BuiltLayer
from pytest_images.builder.view import Views
from pytest_images.content.store import Store
from pytest_images.errors import DigestMismatch
from pytest_images.model import media_types
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from tests.layer.raw import member
from tests.layer.views import layer, listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "home") as store:
        yield store


def large(name: bytes = b"etc/passwd") -> bytes:
    return layer(member(name, b"root"), member(b"noise", os.urandom(listings.FROM + 1)))


def put(store: Store, tar: bytes) -> BuiltLayer:
    raw = gzip.compress(tar, compresslevel=1)
    digest = store.put(raw)
    return BuiltLayer(Descriptor(media_types.OCI_LAYER_GZIP, digest, len(raw)), Digest.of(tar))


def kept(store: Store) -> list[Path]:
    return sorted(store.workspace("listings").iterdir())


def damage(store: Store, built: BuiltLayer) -> None:
    """Change a byte of a blob that is there already."""
    path = store.path(built.digest)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(raw)


def test_a_large_layer_is_listed_once_for_all_builds(store: Store) -> None:
    built = put(store, large())
    assert (Views(store).files([built]) / "etc/passwd").is_file()
    damage(store, built)  # whoever inflates it finds out
    files = Views(store).files([built])
    assert (files / "etc/passwd").is_file()
    assert not (files / "etc/shadow").exists()


def test_what_is_read_was_verified_though_it_was_listed_before(store: Store) -> None:
    built = put(store, large())
    assert (Views(store).files([built]) / "etc/passwd").read_bytes() == b"root"
    assert (Views(store).files([built]) / "etc/passwd").read_bytes() == b"root"
    damage(store, built)
    with pytest.raises(DigestMismatch):
        (Views(store).files([built]) / "etc/passwd").read_bytes()


def test_a_small_layer_is_listed_anew(store: Store) -> None:
    built = put(store, layer(member(b"a", b"a")))
    assert listed(Views(store).files([built])) == {"/a": "file a"}
    assert kept(store) == []


def test_a_layer_that_is_not_its_diff_id_is_never_kept(store: Store) -> None:
    built = put(store, large())._replace(diff_id=Digest.of(b"another"))
    for _ in range(2):
        with pytest.raises(DigestMismatch):
            (Views(store).files([built]) / "etc").exists()
    assert kept(store) == []


def test_a_layer_with_the_diff_id_of_another_is_not_taken_for_it(store: Store) -> None:
    built, other = put(store, large()), put(store, large(b"evil"))
    (Views(store).files([built]) / "etc").exists()
    with pytest.raises(DigestMismatch):
        (Views(store).files([other._replace(diff_id=built.diff_id)]) / "etc").exists()


@pytest.mark.parametrize("torn", [b"", b"layer listing"])
def test_a_torn_listing_is_made_again(store: Store, torn: bytes) -> None:
    built = put(store, large())
    (Views(store).files([built]) / "etc").exists()
    [path] = kept(store)
    whole = path.read_bytes()
    path.write_bytes(torn)
    assert (Views(store).files([built]) / "etc/passwd").is_file()
    assert [each.read_bytes() for each in kept(store)] == [whole]


def test_listings_that_were_not_used_lately_go(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = [put(store, large(b"%d" % number)) for number in range(3)]
    (Views(store).files(layers[:1]) / "x").exists()
    [first] = kept(store)
    monkeypatch.setattr(listings, "LIMIT", 2 * first.stat().st_size + 10)
    os.utime(first, (1, 1))
    (Views(store).files(layers[1:2]) / "x").exists()
    [second] = set(kept(store)) - {first}
    os.utime(second, (2, 2))
    (Views(store).files(layers[:1]) / "x").exists()  # used just now
    (Views(store).files(layers[2:]) / "x").exists()
    assert first in kept(store)
    assert second not in kept(store)


def test_the_steps_of_a_build_stand_on_one_another(store: Store) -> None:
    names = [b"a", b"b", b"c", b"d"]
    layers = [put(store, layer(member(name, name))) for name in names]
    views = Views(store)
    for count in range(1, 5):
        expected = {f"/{name.decode()}": f"file {name.decode()}" for name in names[:count]}
        assert listed(views.files(layers[:count])) == expected
    assert listed(views.files(layers[:1])) == {"/a": "file a"}
    assert len(views._files) == view.KEPT
