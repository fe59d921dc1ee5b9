from __future__ import annotations

import hashlib
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.content.ingest import FOLLOW_FROM
from pytest_images.content.store import Store
from pytest_images.errors import DigestMismatch, SizeMismatch, StoreFull
from pytest_images.model.digest import Digest
from tests.ledger import Ledger, refused

RAW = bytes(range(256)) * 10


def nothing_is_left(store: Store) -> bool:
    return not list((store.root / "ingest").iterdir())


def test_bytes_become_a_blob_only_at_the_commit(store: Store) -> None:
    digest = Digest.of(RAW)
    with store.ingest(digest, len(RAW)) as ingest:
        ingest.write(RAW[:1000])
        ingest.write(memoryview(RAW)[1000:])
        assert ingest.offset == len(RAW)
        assert not store.has(digest)
        assert ingest.commit() == digest
    assert store.read(digest) == RAW
    assert nothing_is_left(store)


def test_leaving_without_a_commit_drops_the_file(store: Store, ledger: Ledger) -> None:
    with store.ingest() as ingest:
        ingest.write(RAW)
    assert nothing_is_left(store)
    assert not store.has(Digest.of(RAW))


def test_an_ingest_that_is_forgotten_drops_its_file(store: Store) -> None:
    store.ingest().write(RAW)
    assert nothing_is_left(store)


@pytest.mark.parametrize("early", [0, 1, 1000, len(RAW) - 1])
def test_too_few_bytes_are_refused(store: Store, ledger: Ledger, early: int) -> None:
    with store.ingest(Digest.of(RAW), len(RAW), "the mirror") as ingest:
        ingest.write(RAW[:early])
        with refused(SizeMismatch, "the mirror"):
            ingest.commit()
    assert nothing_is_left(store)


def test_a_byte_too_many_is_refused_before_it_is_written(store: Store) -> None:
    with store.ingest(Digest.of(RAW), len(RAW)) as ingest:
        ingest.write(RAW)
        with refused(SizeMismatch):
            ingest.write(b"x")
        assert ingest.offset == len(RAW)


def test_wrong_bytes_are_refused_and_named(store: Store, ledger: Ledger) -> None:
    with store.ingest(Digest.of(b"x" * len(RAW)), len(RAW), "the mirror") as ingest:
        ingest.write(RAW)
        with refused(DigestMismatch, "the mirror", Digest.of(RAW).encoded):
            ingest.commit()
    assert nothing_is_left(store)


def test_a_restart_forgets_what_was_written(store: Store) -> None:
    with store.ingest(Digest.of(RAW)) as ingest:
        ingest.write(b"the wrong mirror's bytes")
        ingest.restart()
        assert ingest.offset == 0
        ingest.write(RAW)
        ingest.commit()
    assert store.read(Digest.of(RAW)) == RAW


@pytest.mark.parametrize("size", [0, 1, FOLLOW_FROM - 1, FOLLOW_FROM, FOLLOW_FROM + 5, 20 << 20])
@pytest.mark.parametrize("placed", [False, True])
def test_bytes_of_any_size_and_way_are_hashed_whole(
    store: Store, ledger: Ledger, size: int, placed: bool
) -> None:
    raw = os.urandom(1 << 20) * (size // (1 << 20) + 1)
    raw = raw[:size]
    with store.ingest(Digest.of(raw), size) as ingest:
        for start in range(0, size, 3 << 20):
            chunk = raw[start : start + (3 << 20)]
            if placed:
                os.write(ingest.fileno(), chunk)
                ingest.advance(len(chunk))
            else:
                ingest.write(chunk)
        ingest.commit()
    assert store.size(Digest.of(raw)) == size


def test_a_restart_after_many_bytes_hashes_the_new_ones(store: Store, ledger: Ledger) -> None:
    with store.ingest(Digest.of(RAW)) as ingest:
        for _ in range(12):
            ingest.write(bytes(1 << 20))
        ingest.restart()
        ingest.write(RAW)
        ingest.commit()


def test_leaving_early_ends_the_hashing_thread(store: Store, ledger: Ledger) -> None:
    with store.ingest() as ingest:
        for _ in range(12):
            ingest.write(bytes(1 << 20))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=12))
def test_writing_and_placing_may_take_turns(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[bool, bytes]]
) -> None:
    root = tmp_path_factory.getbasetemp() / "turns"
    with Store.open(root, durability="fast") as store, store.ingest() as ingest:  # type: ignore[arg-type]  # the setting's text is as good
        for placed, part in parts:
            if placed:
                os.write(ingest.fileno(), part)
                ingest.advance(len(part))
            else:
                ingest.write(part)
        assert ingest.commit() == Digest.of(b"".join(part for _, part in parts))


SIZES = [300, 256 << 10, 3 << 20, 9 << 20]
NOISE = os.urandom(max(SIZES) + 100)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["bytes", "view", "placed"]), st.sampled_from(SIZES)),
        max_size=8,
    )
)
def test_long_parts_of_any_kind_are_hashed_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, int]]
) -> None:
    """Some are hashed from memory, others from the file, and buffers are filled again."""
    root = tmp_path_factory.getbasetemp() / "long"
    whole = hashlib.sha256()
    with Store.open(root, durability="fast") as store, store.ingest() as ingest:  # type: ignore[arg-type]  # the setting's text is as good
        for number, (kind, size) in enumerate(parts):
            part = NOISE[number : number + size]
            whole.update(part)
            if kind == "placed":
                os.write(ingest.fileno(), part)
                ingest.advance(size)
            elif kind == "view":
                buffer = bytearray(part)
                ingest.write(memoryview(buffer))
                buffer[:] = bytes(size)
            else:
                ingest.write(part)
        assert ingest.digest().encoded == whole.hexdigest()


def test_a_file_size_limit_is_a_full_store(store: Store, ledger: Ledger) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with refused(StoreFull), store.ingest() as ingest:
            ingest.write(bytes(1 << 17))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert nothing_is_left(store)


def test_two_writers_of_one_blob_both_succeed(store: Store) -> None:
    with store.ingest(Digest.of(RAW)) as one, store.ingest(Digest.of(RAW)) as two:
        one.write(RAW)
        two.write(RAW)
        assert one.commit() == two.commit()
    assert store.read(Digest.of(RAW)) == RAW


def test_verified_bytes_replace_damaged_ones(store: Store) -> None:
    digest = store.put(RAW)
    store.path(digest).write_bytes(b"x" * len(RAW))
    with store.ingest(digest, len(RAW)) as ingest:
        ingest.write(RAW)
        ingest.commit()
    assert store.read(digest) == RAW


def test_a_dead_writers_file_is_swept_and_a_living_ones_is_not(store: Store) -> None:
    dead = store.root / "ingest" / "0123456789abcdef"
    dead.write_bytes(b"half")
    with store.ingest() as ingest:
        ingest.write(RAW)
        store.sweep()
        assert not dead.exists()
        assert ingest.commit() == Digest.of(RAW)


def test_memory_stays_small_whatever_the_size(store: Store) -> None:
    chunk = bytes(1 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with store.ingest() as ingest:
        for _ in range(128):
            ingest.write(chunk)
        ingest.commit()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KiB


def test_the_file_is_closed_to_others_from_the_start(store: Store) -> None:
    with store.ingest():
        path: Path = next((store.root / "ingest").iterdir())
        assert path.stat().st_mode & 0o777 == 0o600
