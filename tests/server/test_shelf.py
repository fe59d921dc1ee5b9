from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.errors import DigestMismatch
from pytest_images.model.digest import Digest
from pytest_images.server.shelf import BLOBS, MANIFESTS, Shelf, file_of, tag_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"some content"
DIGEST = Digest.of(CONTENT)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Store.open(tmp_path / "content", durability=Durability.FAST) as store:
        yield Shelf(tmp_path, store)


def put(shelf: Shelf, name: str, digest: Digest = DIGEST, content: bytes = CONTENT) -> None:
    with shelf.store.ingest() as ingest:
        ingest.write(content)
        shelf.keep(ingest, digest, name, BLOBS)


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True))
def test_a_tag_has_a_file_name_of_its_own_on_any_file_system(tag: str) -> None:
    file = file_of(tag)
    assert tag_of(file) == tag
    assert file == file.lower()
    assert len(file) < 255
    assert (file_of(tag.swapcase()) == file) is (tag.swapcase() == tag)


def test_content_is_in_the_repository_it_was_put_into(shelf: Shelf) -> None:
    put(shelf, "one")
    assert shelf.has("one", BLOBS, DIGEST)
    assert shelf.size("one", BLOBS, DIGEST) == len(CONTENT)
    assert not shelf.has("two", BLOBS, DIGEST)
    assert not shelf.has("one", MANIFESTS, DIGEST)


def test_content_under_a_wrong_digest_leaves_nothing(shelf: Shelf) -> None:
    with pytest.raises(DigestMismatch):
        put(shelf, "one", Digest.of(b"other"))
    assert not shelf.store.has(DIGEST)
    assert not shelf.is_repository("one")


def test_content_under_a_wrong_digest_takes_nothing_from_others(shelf: Shelf) -> None:
    put(shelf, "one")
    with pytest.raises(DigestMismatch):
        put(shelf, "two", Digest.of(b"other"))
    assert shelf.store.read(DIGEST) == CONTENT
    assert shelf.drop("one", BLOBS, DIGEST)


def test_the_last_repository_takes_the_bytes_with_it(shelf: Shelf) -> None:
    put(shelf, "one")
    assert shelf.share(DIGEST, "one", "two")
    assert shelf.drop("one", BLOBS, DIGEST)
    assert shelf.store.has(DIGEST)
    assert shelf.drop("two", BLOBS, DIGEST)
    assert not shelf.store.has(DIGEST)
    assert not shelf.drop("two", BLOBS, DIGEST)


def test_what_one_repository_lacks_is_not_shared(shelf: Shelf) -> None:
    put(shelf, "one")
    assert not shelf.share(DIGEST, "two", "three")
    assert not shelf.is_repository("three")


def test_empty_folders_go_and_full_ones_stay(shelf: Shelf) -> None:
    put(shelf, "a/b/c")
    put(shelf, "a")
    shelf.drop("a/b/c", BLOBS, DIGEST)
    assert [path.name for path in shelf.repositories.iterdir()] == ["a"]
    assert not (shelf.repositories / "a/b").exists()
    assert shelf.has("a", BLOBS, DIGEST)


def test_a_file_system_without_hard_links_gets_copies(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    put(shelf, "one")
    assert shelf.share(DIGEST, "one", "two")
    assert shelf.drop("one", BLOBS, DIGEST)
    assert Path(shelf.place("two", BLOBS, DIGEST)).read_bytes() == CONTENT


def test_clearing_takes_everything_of_one_repository(shelf: Shelf) -> None:
    for name in ("one", "one/below"):
        put(shelf, name)
        shelf.tag(name, "1", DIGEST)
    assert shelf.clear("one")
    assert not shelf.clear("one")
    assert shelf.tags("one/below") == ["1"]


def test_leftovers_of_a_killed_server_go_at_the_next_start(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "incoming" / "left").write_bytes(b"half a tag")
    Shelf(tmp_path, shelf.store)
    assert list((tmp_path / "incoming").iterdir()) == []
