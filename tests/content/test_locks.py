from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_images.content import locks
from pytest_images.content.store import Store
from pytest_images.errors import LockTimeout, StoreDamaged, StoreUnsafe
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.ledger import Ledger, refused

HOLD = (
    "import fcntl, sys, time\n"
    "file = open(sys.argv[1], 'r+')\n"
    "fcntl.flock(file, fcntl.LOCK_EX)\n"
    "print('held', flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "x.lock"
    path.write_bytes(b"")
    return path


def holder_of(path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    process.stdout.close()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_a_lock_is_held_by_one(lock: Path, ledger: Ledger) -> None:
    with locks.acquire(lock, 0):
        assert locks.attempt(lock) is None
    held = locks.attempt(lock)
    assert held is not None
    held.release()
    held.release()


def test_sharers_exclude_only_those_who_do_not_share(lock: Path) -> None:
    with locks.acquire(lock, 0, shared=True), locks.acquire(lock, 0, shared=True):
        assert locks.attempt(lock) is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/locks names the holder")
def test_a_timeout_names_the_lock_and_its_holder(lock: Path, ledger: Ledger) -> None:
    process = holder_of(lock)
    try:
        with refused(LockTimeout, "x.lock", f"process {process.pid}"):
            locks.acquire(lock, 0.05)
    finally:
        end(process)


def test_the_death_of_the_holder_frees_the_lock(lock: Path) -> None:
    """S13."""
    process = holder_of(lock)
    threading.Timer(0.1, process.kill).start()
    locks.acquire(lock, 10).release()
    process.wait()


@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
def test_a_lock_that_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    """S14."""
    path, target = tmp_path / "lock", tmp_path / "target"
    target.write_bytes(b"precious")
    {"link": lambda: path.symlink_to(target), "folder": path.mkdir}.get(
        kind, lambda: os.mkfifo(path)
    )()
    with refused(StoreUnsafe, "lock"):
        locks.acquire(path, 1)
    assert target.read_bytes() == b"precious"


@pytest.mark.peer("root")
def test_a_lock_of_another_user_is_refused(lock: Path) -> None:
    os.chown(lock, 12345, -1)
    with refused(StoreUnsafe, "lock"):
        locks.acquire(lock, 1)


def test_a_removed_lock_is_never_made_again(lock: Path) -> None:
    """S15."""
    with locks.acquire(lock, 0):
        lock.unlink()
        with refused(StoreDamaged, "missing"):
            locks.acquire(lock, 1)


def test_who_waits_for_a_lock_that_was_replaced_waits_for_the_new_one(lock: Path) -> None:
    """S15."""
    old = locks.acquire(lock, 0)
    waiting = locks.Held(os.open(lock, os.O_RDWR), lock)
    lock.rename(lock.with_name("old"))
    lock.write_bytes(b"")
    old.release()
    assert not locks._is_current(waiting)
    waiting.release()
    locks.acquire(lock, 0).release()


def test_a_forked_child_neither_holds_nor_releases(lock: Path) -> None:
    held = locks.acquire(lock, 0)
    child = os.fork()
    if child == 0:
        held.release()
        os._exit(0 if locks.attempt(lock) is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert locks.attempt(lock) is None
    held.release()


def test_a_child_that_lives_on_keeps_nothing_locked(lock: Path) -> None:
    held = locks.acquire(lock, 0)
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    held.release()
    try:
        again = locks.attempt(lock)
        assert again is not None
        again.release()
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_a_guard_is_held_across_processes(store: Store, root: Path) -> None:
    with store.guard("pull", "alpine"):
        path = next((root / "guards").iterdir())
        assert locks.attempt(path) is None
        with store.guard("pull", "debian"):
            pass
    assert path.exists(), "a lock file is never unlinked"


def test_a_guard_is_held_across_threads(store: Store) -> None:
    order: list[str] = []

    def second() -> None:
        with store.guard("pull", "alpine"):
            order.append("second")

    with store.guard("pull", "alpine"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_guard_that_is_not_free_names_its_holder(root: Path) -> None:
    with Store.open(root) as store, store.guard("pull", "alpine"):
        path = next((root / "guards").iterdir())
    process = holder_of(path)
    try:
        with (
            Store.open(root, lock_timeout=0.01) as store,
            refused(LockTimeout, str(process.pid) if sys.platform == "linux" else "held"),
            store.guard("pull", "alpine"),
        ):
            pass
    finally:
        end(process)


def test_fetching_says_whether_the_blob_came_meanwhile(store: Store) -> None:
    with store.fetching(Digest.of(b"x")) as here:
        assert not here
        store.put(b"x")
    with store.fetching(Digest.of(b"x")) as here:
        assert here


@pytest.mark.parametrize("lock_name", ["store.lock", "collect.lock"])
def test_a_change_waits_no_longer_than_it_was_told(root: Path, lock_name: str) -> None:
    with Store.open(root, lock_timeout=0.2) as store:
        image = samples.image("one").put(store, "one:1")
        process = holder_of(root / lock_name)
        try:
            with refused(LockTimeout, lock_name):
                store.name(Reference.parse("two:1"), image.id)
                samples.image("two").put(store, "three:1")
        finally:
            end(process)
        assert store.images()
