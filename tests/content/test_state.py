"""The store against a dict: any sequence of changes, kills, checks and collections."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

SAMPLES = [samples.image(f"{number}", layers=1 + number % 2) for number in range(4)]
BY_ID = {sample.config.id: sample for sample in SAMPLES}
RUN = "r1"

tags = st.sampled_from([Reference.parse(f"app:{number}") for number in range(4)])
images = st.sampled_from(SAMPLES)
in_run = st.booleans()


class Machine(RuleBasedStateMachine):
    """Two views: the global one and a run's, each modelled as a dict of names and a set."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.root = self.folder / "store"
        self.open()
        self.names: dict[bool, dict[Reference, object]] = {False: {}, True: {}}
        self.hidden: set[Reference] = set()
        self.images: dict[bool, set[object]] = {False: set(), True: set()}

    def open(self) -> None:
        self.stores = {
            False: Store.open(self.root, durability=Durability.FAST),
            True: Store.open(self.root, run=RUN, durability=Durability.FAST),
        }

    def seen(self, run: bool) -> dict[Reference, object]:
        below = {n: i for n, i in self.names[False].items() if n not in self.hidden}
        return below | self.names[True] if run else self.names[False]

    @rule(run=in_run, tag=tags, sample=images)
    def put(self, run: bool, tag: Reference, sample: samples.Sample) -> None:
        sample.put(self.stores[run], str(tag))
        self.images[run].add(sample.config.id)
        self.set_name(run, tag, sample.config.id)

    def set_name(self, run: bool, tag: Reference, image: object) -> None:
        self.names[run][tag] = image
        if run:
            self.hidden.add(tag)

    @rule(run=in_run, tag=tags, sample=images)
    def tag(self, run: bool, tag: Reference, sample: samples.Sample) -> None:
        known = self.images[False] | (self.images[True] if run else set())
        if sample.config.id in known:
            before = self.seen(run).get(tag)
            assert self.stores[run].name(tag, sample.config.id) == before
            self.images[run].add(sample.config.id)
            self.set_name(run, tag, sample.config.id)

    @rule(run=in_run, tag=tags)
    def untag(self, run: bool, tag: Reference) -> None:
        before = self.seen(run).get(tag)
        assert self.stores[run].unname(tag) == before
        self.names[run].pop(tag, None)
        if run and before is not None:
            self.hidden.add(tag)

    @rule(sample=images, delete=st.booleans())
    def forget(self, sample: samples.Sample, delete: bool) -> None:
        image = sample.config.id
        if image in self.images[False]:
            self.stores[False].forget(image, delete=delete)
            self.images[False].discard(image)
            self.names[False] = {n: i for n, i in self.names[False].items() if i != image}

    @rule()
    def end_run(self) -> None:
        self.stores[True].close()
        self.stores[False].end_run(RUN)
        self.names[True], self.images[True], self.hidden = {}, set(), set()
        self.stores[True] = Store.open(self.root, run=RUN, durability=Durability.FAST)

    @rule(budget=st.sampled_from([0, 3000]))
    def collect(self, budget: int) -> None:
        self.stores[False].collect(budget)

    @rule()
    def sweep(self) -> None:
        self.stores[False].sweep()

    @rule(rebuild=st.booleans())
    def check(self, rebuild: bool) -> None:
        report = self.stores[False].fsck(rebuild=rebuild)
        assert report.clean, report.problems

    @rule(tag=tags, sample=images, at=st.integers(1, 40))
    def kill(self, tag: Reference, sample: samples.Sample, at: int) -> None:
        """A child dies somewhere in naming an image: afterwards it is named, or as before."""
        child = os.fork()
        if child == 0:
            count = 0
            for function in ("rename", "open", "write", "utime"):
                real = getattr(os, function)

                def deadly(*a: object, real: object = real, **k: object) -> object:
                    nonlocal count
                    count += 1
                    if count == at:
                        os.kill(os.getpid(), 9)
                    return real(*a, **k)  # type: ignore[operator]  # a function of os

                setattr(os, function, deadly)
            try:
                sample.put(self.stores[False], str(tag))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        listed = {n: i.id for i in self.stores[False].images() for n in i.tags}
        assert listed.get(tag) in (sample.config.id, self.names[False].get(tag))
        ids = {image.id for image in self.stores[False].images()}
        if sample.config.id in ids:
            self.images[False].add(sample.config.id)
        if listed.get(tag) == sample.config.id:
            self.names[False][tag] = sample.config.id

    @rule()
    def reopen(self) -> None:
        for store in self.stores.values():
            store.close()
        self.open()

    @rule()
    def lose_the_index(self) -> None:
        (self.root / "index.sqlite").unlink(missing_ok=True)

    @invariant()
    def what_is_seen_is_what_is_expected(self) -> None:
        for run, store in self.stores.items():
            listed = store.images()
            assert {n: image.id for image in listed for n in image.tags} == self.seen(run)
            expected = self.images[False] | (self.images[True] if run else set())
            assert {image.id for image in listed} == expected

    @invariant()
    def what_is_recorded_is_here(self) -> None:
        for image in self.images[False] | self.images[True]:
            for digest, content in BY_ID[image].blobs.items():  # type: ignore[index]  # a Digest
                assert self.stores[False].read(digest) == content

    def teardown(self) -> None:
        for store in self.stores.values():
            store.close()
        shutil.rmtree(self.folder)


TestStore = Machine.TestCase
TestStore.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, derandomize=True
)
