from __future__ import annotations

import os

import pytest

from pytest_images.content.store import Store
from pytest_images.errors import BlobNotFound, DigestMismatch, LimitExceeded, StoreDamaged
from pytest_images.model.digest import Digest
from tests.ledger import Ledger, refused

RAW = b"some bytes"


def test_what_is_put_is_read(store: Store) -> None:
    digest = store.put(RAW)
    assert digest == Digest.of(RAW)
    assert store.has(digest)
    assert store.size(digest) == len(RAW)
    assert store.read(digest) == RAW
    assert store.path(digest).read_bytes() == RAW


def test_sha512_blobs_have_a_folder_of_their_own(store: Store) -> None:
    digest = Digest.of(RAW, "sha512")
    assert store.put(RAW, digest) == digest
    assert store.path(digest).parent.name == "sha512"
    assert store.read(digest) == RAW


def test_a_blob_is_its_owners_alone(store: Store) -> None:
    assert store.path(store.put(RAW)).stat().st_mode & 0o777 == 0o600


def test_other_bytes_than_expected_are_refused(store: Store, ledger: Ledger) -> None:
    with refused(DigestMismatch):
        store.put(RAW, Digest.of(b"others"))
    assert not store.has(Digest.of(RAW))
    assert not store.has(Digest.of(b"others"))


def test_a_missing_blob_is_named(store: Store) -> None:
    digest = Digest.of(b"never")
    for ask in (store.size, store.read, store.open_blob):
        with refused(BlobNotFound, digest.encoded):
            ask(digest)
    assert not store.has(digest)


def test_reading_verifies(store: Store) -> None:
    digest = store.put(RAW)
    store.path(digest).write_bytes(b"other byte")
    with refused(StoreDamaged, digest.encoded):
        store.read(digest)


def test_reading_is_limited_before_it_begins(store: Store) -> None:
    digest = store.put(RAW)
    assert store.read(digest, len(RAW)) == RAW
    with refused(LimitExceeded):
        store.read(digest, len(RAW) - 1)


def test_putting_again_heals_a_blob_of_the_right_size(store: Store) -> None:
    digest = store.put(RAW)
    store.path(digest).write_bytes(b"x" * len(RAW))
    store.put(RAW)
    assert store.read(digest) == RAW


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_only_regular_files_are_blobs(store: Store, kind: str) -> None:
    digest = Digest.of(RAW)
    path = store.path(digest)
    outside = store.root.parent / "outside"
    outside.write_bytes(RAW)
    {"link": lambda: path.symlink_to(outside), "folder": path.mkdir}.get(
        kind, lambda: os.mkfifo(path)
    )()
    assert not store.has(digest)
    with refused(StoreDamaged, digest.encoded):
        store.open_blob(digest).read()


def test_putting_marks_a_blob_as_used(store: Store) -> None:
    digest = store.put(RAW)
    os.utime(store.path(digest), (1, 1))
    store.put(RAW)
    assert store.path(digest).stat().st_mtime > 1
