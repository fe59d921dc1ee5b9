from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_images.content.store import Store
from pytest_images.errors import ImageNotFound, StoreError
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.content.test_records import names
from tests.ledger import refused

ONE, TWO = samples.image("one"), samples.image("two")
APP = Reference.parse("app:1")


def test_runs_do_not_see_each_others_names(root: Path) -> None:
    with Store.open(root) as store, Store.open(root, run="a") as a, Store.open(root, run="b") as b:
        ONE.put(a, "app:1")
        TWO.put(b, "app:1")
        assert names(a) == {"app:1": ONE.config.id.short}
        assert names(b) == {"app:1": TWO.config.id.short}
        assert names(store) == {}
        assert store.images() == ()


def test_a_run_sees_global_names_below_its_own(root: Path) -> None:
    with Store.open(root) as store, Store.open(root, run="a") as a:
        ONE.put(store, "app:1", "base:1")
        TWO.put(a, "app:1")
        assert names(a) == {"app:1": TWO.config.id.short, "base:1": ONE.config.id.short}
        assert a.unname(APP) == TWO.config.id, "its own"
        assert a.image(Selector.of(APP)).id != TWO.config.id if APP in a.images()[0].tags else True
        assert names(store)["app:1"] == ONE.config.id.short


def test_a_run_hides_a_global_name_from_itself_alone(root: Path) -> None:
    with Store.open(root) as store, Store.open(root, run="a") as a:
        ONE.put(store, "app:1")
        assert a.unname(APP) == ONE.config.id
        with refused(ImageNotFound):
            a.image(Selector.of(APP))
        assert a.image(Selector.of(ONE.config.id)).is_dangling
        assert store.image(Selector.of(APP)).id == ONE.config.id
        a.name(APP, ONE.config.id)
        assert a.image(Selector.of(APP)).id == ONE.config.id


def test_a_run_forgets_a_global_image_for_itself_alone(root: Path) -> None:
    with Store.open(root) as store, Store.open(root, run="a") as a:
        ONE.put(store, "app:1")
        a.forget(ONE.config.id, delete=True)
        assert a.images() == ()
        assert names(store) == {"app:1": ONE.config.id.short}
        assert all(map(store.has, ONE.blobs))
        ONE.put(a, "again:1")
        assert names(a) == {"again:1": ONE.config.id.short}


def test_a_name_in_a_run_keeps_the_image_that_was_global(root: Path) -> None:
    with Store.open(root) as store, Store.open(root, run="a") as a:
        ONE.put(store, "app:1")
        a.name(Reference.parse("mine:1"), ONE.config.id)
        store.forget(ONE.config.id, delete=True)
        assert names(a) == {"mine:1": ONE.config.id.short}
        assert all(map(store.has, ONE.blobs))


def test_the_workers_of_a_run_share_its_names(root: Path) -> None:
    with Store.open(root, run="a") as controller, Store.open(root, run="a") as worker:
        ONE.put(worker, "app:1")
        worker.close()
        assert names(controller) == {"app:1": ONE.config.id.short}


def test_the_end_of_a_run_names_what_goes_and_keeps_the_cache(root: Path) -> None:
    with Store.open(root) as store:
        with Store.open(root, run="a") as a:
            ONE.put(a, "app:1")
        removals = store.end_run("a")
        assert [str(removal) for removal in removals] == [
            "Untagged: app:1",
            f"Deleted: {ONE.config.id}",
        ]
        assert store.end_run("a") == ()
        assert not list((root / "runs").iterdir())
        assert all(map(store.has, ONE.blobs))
        assert store.usage().cache_blobs == len(ONE.blobs)


def test_a_living_run_is_not_swept_and_a_dead_one_is(root: Path) -> None:
    with Store.open(root) as store:
        with Store.open(root, run="a") as a:
            ONE.put(a, "app:1")
            assert store.sweep() == ()
            assert names(a) == {"app:1": ONE.config.id.short}
        assert len(store.sweep()) == 2
        assert not list((root / "runs").iterdir())


def test_a_killed_process_ends_its_part_of_the_run(root: Path) -> None:
    child = os.fork()
    if child == 0:
        try:
            ONE.put(Store.open(root, run="a"), "app:1")
        finally:  # never back into the run of the tests
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    with Store.open(root) as store:
        assert len(store.sweep()) == 2
        assert store.fsck().clean


def test_a_forked_worker_keeps_the_run_alive_by_itself_only(root: Path) -> None:
    store = Store.open(root, run="a")
    child = os.fork()
    if child == 0:
        store.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with Store.open(root) as other:
        other.sweep()
        assert (root / "runs" / "a").is_dir(), "the child has not ended its parent's run"
    store.close()


def test_an_ended_run_can_no_longer_be_asked(root: Path) -> None:
    with Store.open(root, run="a") as a:
        ONE.put(a, "app:1")
        a.end_run("a")
        with refused(StoreError, "ended"):
            a.images()


@pytest.mark.parametrize("run", ["a", "b"])
def test_the_same_run_may_be_born_again(root: Path, run: str) -> None:
    for _ in range(2):
        with Store.open(root, run=run) as store:
            assert store.images() == ()
            ONE.put(store, "app:1")
        with Store.open(root) as store:
            store.end_run(run)


def test_a_run_within_another_sees_its_names_below_its_own(root: Path) -> None:
    with (
        Store.open(root) as store,
        Store.open(root, run="outer") as outer,
        Store.open(root, run="inner", below="outer") as inner,
    ):
        ONE.put(outer, "app:1", "base:1")
        TWO.put(inner, "app:1")
        assert names(inner) == {"app:1": TWO.config.id.short, "base:1": ONE.config.id.short}
        assert names(outer) == {"app:1": ONE.config.id.short, "base:1": ONE.config.id.short}
        assert names(store) == {}


def test_a_run_within_another_takes_nothing_from_it(root: Path) -> None:
    with Store.open(root, run="outer") as outer:
        ONE.put(outer, "app:1")
        with Store.open(root, run="inner", below="outer") as inner:
            inner.forget(ONE.config.id, delete=True)
            assert inner.images() == ()
            inner.end_run("inner")
        assert names(outer) == {"app:1": ONE.config.id.short}
        assert all(map(outer.has, ONE.blobs))


def test_who_is_below_another_run_keeps_it_alive(root: Path) -> None:
    outer = Store.open(root, run="outer")
    ONE.put(outer, "app:1")
    with Store.open(root, run="inner", below="outer") as inner, Store.open(root) as store:
        outer.close()
        assert store.sweep() == ()
        assert names(inner) == {"app:1": ONE.config.id.short}
    with Store.open(root) as store:
        assert len(store.sweep()) == 2


def test_without_a_run_of_its_own_a_store_takes_part_in_the_one_below(root: Path) -> None:
    with Store.open(root, run="outer") as outer, Store.open(root, below="outer") as part:
        ONE.put(part, "app:1")
        assert part.run == "outer"
        assert names(outer) == {"app:1": ONE.config.id.short}
