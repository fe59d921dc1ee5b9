"""Many processes on one store: they wait for each other, take over from the dead, lose nothing."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.errors import LockTimeout
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.ledger import Ledger, refused

RAW = os.urandom(1 << 20)
DIGEST = Digest.of(RAW)


def forked(work: Callable[[], None]) -> int:
    """Run *work* in a child; its exit status says whether it raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:
            print(repr(error), file=sys.__stderr__, flush=True)
        finally:
            os._exit(status)
    return child


def all_well(children: list[int]) -> None:
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)


def test_sixteen_processes_fetch_a_blob_once(tmp_path: Path, ledger: Ledger) -> None:
    root, log = tmp_path / "store", tmp_path / "downloads"
    log.touch()
    Store.open(root).close()

    def fetch() -> None:
        with Store.open(root) as store, store.fetching(DIGEST) as here:
            if not here:
                with log.open("a") as file:
                    file.write("x")
                with store.ingest(DIGEST, len(RAW)) as ingest:
                    ingest.write(RAW)
                    ingest.commit()
            assert store.read(DIGEST, 2 << 20) == RAW

    all_well([forked(fetch) for _ in range(16)])
    assert log.read_text() == "x"


def test_a_waiter_takes_over_from_a_downloader_that_is_killed(tmp_path: Path) -> None:
    root, log = tmp_path / "store", tmp_path / "downloads"
    Store.open(root).close()

    def fetch() -> None:
        with Store.open(root) as store, store.fetching(DIGEST) as here:
            if here:
                return
            first = not log.exists()
            with log.open("a") as file:
                file.write("x")
            with store.ingest(DIGEST, len(RAW)) as ingest:
                ingest.write(RAW[: len(RAW) // 2])
                if first:
                    time.sleep(60)
                ingest.write(RAW[len(RAW) // 2 :])
                ingest.commit()

    downloader = forked(fetch)
    while not log.exists():
        time.sleep(0.01)
    others = [forked(fetch) for _ in range(5)]
    time.sleep(0.2)
    os.kill(downloader, signal.SIGKILL)
    os.waitpid(downloader, 0)
    all_well(others)
    assert log.read_text() == "xx", "one download at a time"
    with Store.open(root) as store:
        assert store.read(DIGEST, 2 << 20) == RAW
        store.sweep()
        assert store.fsck().clean
        assert not list((root / "ingest").iterdir())


def churn(root: Path, seconds: float) -> None:
    """Collect, bring in, name and take away in many processes at once; nothing may go missing."""
    Store.open(root).close()
    until = time.monotonic() + seconds

    def collect() -> None:
        with Store.open(root, durability=Durability.FAST) as store:
            while time.monotonic() < until:
                store.collect(0)
                store.sweep()

    def bring(number: int) -> None:
        sample = samples.image(f"{number % 3}", layers=2)  # some share all their blobs
        name = Reference.parse("app:1")
        with Store.open(root, run=f"r{number}", durability=Durability.FAST) as store:
            while time.monotonic() < until:
                sample.put(store, str(name))
                for digest, content in sample.blobs.items():
                    assert store.read(digest) == content
                assert store.image(Selector.of(name)).id == sample.config.id
                store.unname(name)
                with store.lease() as lease:
                    for digest, content in sample.blobs.items():
                        lease.hold(digest)
                        store.put(content, digest)
                    assert all(map(store.has, sample.blobs))
                store.forget(sample.config.id, delete=True)

    all_well([forked(collect), *(forked(functools.partial(bring, n)) for n in range(7))])
    with Store.open(root) as store:
        assert store.fsck().clean


def test_a_collector_never_takes_what_others_are_using(tmp_path: Path) -> None:
    """S10."""
    churn(tmp_path / "store", 3)


@pytest.mark.survival
def test_a_collector_never_takes_what_others_are_using_for_long(tmp_path: Path) -> None:
    churn(tmp_path / "store", 120)


def test_writers_killed_at_random_leave_a_whole_store(tmp_path: Path) -> None:
    """S03, S19: killed writers, the old SQLite of this machine."""
    root = tmp_path / "store"
    Store.open(root).close()

    def name(number: int) -> None:
        with Store.open(root) as store:
            sample = samples.image(f"{number}")
            for tag in range(10_000):
                sample.put(store, f"app{number}:{tag % 7}")
                store.unname(Reference.parse(f"app{number}:{(tag + 3) % 7}"))

    children = [forked(functools.partial(name, n)) for n in range(4)]
    with Store.open(root) as store:
        while not store.images():
            time.sleep(0.01)
    for number, child in enumerate(children):
        time.sleep(0.15 + number * 0.05)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with Store.open(root) as store:
            assert store.fsck().clean
    with Store.open(root) as store:
        assert len({image.id for image in store.images()}) >= 1


def test_a_forked_child_uses_the_store_on_its_own(tmp_path: Path) -> None:
    """S16."""
    with Store.open(tmp_path / "store") as store, store.lease() as lease:
        samples.image("one").put(store, "one:1")
        lease.hold(DIGEST)

        def use() -> None:
            assert len(store.images()) == 1
            samples.image("two").put(store, "two:1")
            lease.end()
            store.close()

        all_well([forked(use)])
        assert len(store.images()) == 2
        store.put(RAW, DIGEST)
        os.utime(store.path(DIGEST), (1, 1))
        store.collect(0)
        assert store.has(DIGEST), "the child has not ended its parent's lease"


def test_a_child_forked_while_another_thread_writes_is_not_stuck(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        sample = samples.image("one")
        sample.put(store, "one:1")
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                store.name(Reference.parse("two:1"), sample.config.id)
                store.unname(Reference.parse("two:1"))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(10):
                all_well([forked(lambda: assert_one_image(store))])
        finally:
            stop.set()
            thread.join()
        assert store.fsck().clean


def assert_one_image(store: Store) -> None:
    signal.alarm(20)
    assert len(store.images()) == 1


def test_threads_share_one_store(tmp_path: Path) -> None:
    """S17."""
    failures: list[BaseException] = []
    with Store.open(tmp_path / "store") as store:

        def use(number: int) -> None:
            try:
                for tag in range(5):
                    samples.image(f"{number}").put(store, f"app{number}:{tag}")
                    store.image(Selector.parse(f"app{number}:{tag}"))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=use, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert len(store.images()) == 6
        assert store.fsck().clean


def test_a_process_stopped_inside_a_change_is_named_after_a_bounded_wait(tmp_path: Path) -> None:
    """S20."""
    root = tmp_path / "store"
    with Store.open(root) as store:
        image = samples.image("one").put(store, "one:1")

    def stop() -> None:
        with Store.open(root) as store, store._index.exclusive():
            (tmp_path / "stopped").touch()
            os.kill(os.getpid(), signal.SIGSTOP)

    child = forked(stop)
    try:
        while not (tmp_path / "stopped").exists():
            time.sleep(0.01)
        with Store.open(root, lock_timeout=0.2) as store:
            assert len(store.images()) == 1, "reading does not wait for it"
            with refused(LockTimeout, f"process {child}" if sys.platform == "linux" else "held"):
                store.name(Reference.parse("two:1"), image.id)
    finally:
        os.kill(child, signal.SIGCONT)
        os.waitpid(child, 0)


def test_a_reader_stopped_inside_a_question_is_named_after_a_bounded_wait(tmp_path: Path) -> None:
    root = tmp_path / "store"
    with Store.open(root) as store:
        image = samples.image("one").put(store, "one:1")

    def stop() -> None:
        def ask(connection: object) -> None:
            (tmp_path / "stopped").touch()
            os.kill(os.getpid(), signal.SIGSTOP)

        with Store.open(root) as store:
            store._index.read(ask)

    child = forked(stop)
    try:
        while not (tmp_path / "stopped").exists():
            time.sleep(0.01)
        with Store.open(root, lock_timeout=0.2) as store:
            with refused(LockTimeout, str(child) if sys.platform == "linux" else "held"):
                store.name(Reference.parse("two:1"), image.id)
            assert len(store.images()[0].tags) == 1
    finally:
        os.kill(child, signal.SIGCONT)
        os.waitpid(child, 0)
    with Store.open(root) as store:
        store.name(Reference.parse("two:1"), image.id)
        assert store.fsck().clean


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # cut-off cleanup
@pytest.mark.parametrize("part", range(4))
def test_an_interrupt_anywhere_leaves_no_lock_and_no_half(tmp_path: Path, part: int) -> None:
    """KeyboardInterrupt at the lines of the store's own code, a share of them in each part."""
    root = tmp_path / "store"
    sample = samples.image("one")
    with Store.open(root, durability=Durability.FAST) as store:
        lines = interrupted(lambda: sample.put(store, "one:1"), None)
        store.forget(sample.config.id)
        for at in range(part * 7 + 1, lines, 4 * 7):
            interrupted(lambda: sample.put(store, "one:1"), at)
            with Store.open(root, durability=Durability.FAST, lock_timeout=2) as other:
                other.sweep()
                assert not list((root / "leases").iterdir()), at
                assert not list((root / "ingest").iterdir()), at
                sample.put(other, "one:1")
                assert other.fsck().clean, at
                other.forget(sample.config.id)


def interrupted(work: Callable[[], object], at: int | None) -> int:
    """Do *work* with a KeyboardInterrupt at the *at*-th line of the store; returns the lines."""
    count = 0

    def local(frame: object, event: str, argument: object) -> object:
        nonlocal count
        if event == "line":
            count += 1
            if count == at:
                raise KeyboardInterrupt
        return local

    def trace(frame: object, event: str, argument: object) -> object:
        name = frame.f_code.co_filename  # type: ignore[attr-defined]  # a frame, typed loosely
        return local if "/pytest_images/content/" in name else None

    sys.settrace(trace)  # type: ignore[arg-type]  # as above
    try:
        work()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return count
