"""The store against a model of a few dictionaries, through whatever sequence of calls."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pytest_images.content.durability import Durability
from pytest_images.content.leases import Lease
from pytest_images.content.store import Store
from pytest_images.errors import ImageNotFound
from pytest_images.model.digest import Digest
from pytest_images.model.image import Removal
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from pytest_images.testing.samples import Sample

SAMPLES = {
    "base": samples.image("base"),
    "on top": samples.image("base", layers=2),  # shares its first layer
    "plain": samples.image("base", compression="none"),  # another manifest of base's config
    "other": samples.image("other", labels={"a": "b"}),
}
BLOBS = {digest for sample in SAMPLES.values() for digest in sample.blobs}
NAMES = tuple(Reference.parse(text) for text in ("app:1", "app:2", "h:1/team/app:1"))
GLOBAL, RUN = "", "run"

a_sample, a_name = st.sampled_from(sorted(SAMPLES)), st.sampled_from(NAMES)
some_names = st.lists(a_name, min_size=1, max_size=2, unique=True)
a_scope = st.sampled_from((GLOBAL, RUN))
a_blob = st.sampled_from(sorted(BLOBS, key=str))


class Scope:
    """What a scope records; None is a record that hides the one below."""

    def __init__(self) -> None:
        self.images: dict[Digest, Sample | None] = {}
        self.names: dict[Reference, Sample | None] = {}

    def reached(self) -> set[Digest]:
        recorded = (*self.images.values(), *self.names.values())
        return {digest for sample in recorded if sample for digest in sample.blobs}


class StoreAndModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="store-machine-"))
        self.scopes = {GLOBAL: Scope(), RUN: Scope()}
        self.stores = {scope: self.open(scope) for scope in self.scopes}
        self.leases: list[tuple[Lease, Digest]] = []
        self.loose: set[Digest] = set()  # blobs of no image: too young to go
        self.spared: set[Digest] = set()  # their image's documents went first: may stay or go

    def open(self, scope: str) -> Store:
        root = self.folder / "store"
        return Store.open(root, run=scope or None, durability=Durability.FAST, lock_timeout=5)

    def teardown(self) -> None:
        for lease, _ in self.leases:
            lease.end()
        for store in self.stores.values():
            store.close()
        shutil.rmtree(self.folder)

    # the model

    def seen(self, scope: str) -> Scope:
        """What a scope sees: its own records over the global ones, without what they hide."""
        merged = Scope()
        for layer in {GLOBAL: None, scope: None}:
            merged.images |= self.scopes[layer].images
            merged.names |= self.scopes[layer].names
        merged.images = {key: value for key, value in merged.images.items() if value}
        merged.names = {key: value for key, value in merged.names.items() if value}
        return merged

    def recorded(self) -> set[Digest]:
        return self.scopes[GLOBAL].reached() | self.scopes[RUN].reached()

    def reached(self) -> set[Digest]:
        return self.recorded() | {digest for _, digest in self.leases} | self.loose

    def drop_name(self, scope: str, name: Reference) -> None:
        self.scopes[scope].names.pop(name, None)
        if name in self.seen(scope).names:
            self.scopes[scope].names[name] = None

    def drop_image(self, scope: str, image: Digest) -> None:
        self.scopes[scope].images.pop(image, None)
        if image in self.seen(scope).images:
            self.scopes[scope].images[image] = None

    def may_spare(self) -> None:
        """Whatever a lease holds outlives the documents that say what it is part of."""
        self.spared |= {digest for _, digest in self.leases}

    # what is done to both

    @initialize(sample=a_sample, others=st.booleans())
    def begin_with_something_named(self, sample: str, others: bool) -> None:
        """Few steps have to reach far: what is global is named, and half the time hidden."""
        self.record(GLOBAL, SAMPLES[sample], list(NAMES[:2]))
        if others:
            self.record(RUN, SAMPLES["other"], list(NAMES[1:]))

    @rule(scope=a_scope, sample=a_sample)
    def add_unnamed(self, scope: str, sample: str) -> None:
        self.record(scope, SAMPLES[sample], [])

    @rule(scope=a_scope, sample=a_sample, names=some_names)
    def add(self, scope: str, sample: str, names: list[Reference]) -> None:
        self.record(scope, SAMPLES[sample], names)

    def record(self, scope: str, sample: Sample, names: list[Reference]) -> None:
        before = {n: s.config.id for n, s in self.seen(scope).names.items() if n in names and s}
        with self.stores[scope].lease() as lease:
            for digest, content in sample.blobs.items():
                lease.hold(digest)
                self.stores[scope].put(content, digest)
            moved = self.stores[scope].add(sample.manifest, sample.config, names)
        assert moved == {n: image for n, image in before.items() if image != sample.config.id}
        self.scopes[scope].images[sample.config.id] = sample
        self.scopes[scope].names.update(dict.fromkeys(names, sample))
        self.spared -= set(sample.blobs)

    @rule(scope=a_scope, name=a_name, sample=a_sample)
    def name(self, scope: str, name: Reference, sample: str) -> None:
        seen, image = self.seen(scope), SAMPLES[sample].config.id
        recorded, before = seen.images.get(image), seen.names.get(name)
        try:
            displaced = self.stores[scope].name(name, image)
        except ImageNotFound:
            assert recorded is None
            return
        assert recorded is not None
        assert displaced == (before.config.id if before else None)
        self.scopes[scope].images[image] = recorded
        self.scopes[scope].names[name] = recorded

    @rule(scope=a_scope, name=a_name)
    def unname(self, scope: str, name: Reference) -> None:
        before = self.seen(scope).names.get(name)
        assert self.stores[scope].unname(name) == (before.config.id if before else None)
        self.drop_name(scope, name)

    @rule(scope=a_scope, sample=a_sample, delete=st.booleans())
    def forget(self, scope: str, sample: str, delete: bool) -> None:
        self.drop(scope, SAMPLES[sample].config.id, delete=delete)

    def drop(self, scope: str, image: Digest, *, delete: bool) -> None:
        seen = self.seen(scope)
        recorded = seen.images.get(image)
        names = sorted(n for n, s in seen.names.items() if s and s.config.id == image)
        try:
            removals = self.stores[scope].forget(image, delete=delete)
        except ImageNotFound:
            assert recorded is None
            return
        assert recorded is not None
        assert [r.untagged for r in removals if r.untagged] == names
        content = set(recorded.blobs)
        for name in names:
            content |= set(seen.names[name].blobs)  # type: ignore[union-attr]  # seen has no None
            self.drop_name(scope, name)
        self.drop_image(scope, image)
        if delete:
            self.may_spare()
            self.are_gone(content)

    @rule(content=st.binary(max_size=20))
    def put(self, content: bytes) -> None:
        self.loose.add(self.stores[GLOBAL].put(content))

    @rule(digest=a_blob)
    def hold(self, digest: Digest) -> None:
        lease = self.stores[GLOBAL].lease()
        lease.hold(digest)
        if self.stores[GLOBAL].has(digest):
            self.leases.append((lease, digest))
        else:
            lease.end()

    @precondition(lambda self: self.leases)
    @rule()
    def let_go(self) -> None:
        self.leases.pop()[0].end()

    @rule(scope=a_scope)
    def collect(self, scope: str) -> None:
        self.may_spare()
        self.stores[scope].collect(0)
        self.are_gone(BLOBS)

    @precondition(lambda self: self.leases)
    @rule(scope=a_scope)
    def drop_everything_but_what_is_held(self, scope: str) -> None:
        for image in self.seen(scope).images:
            self.drop(scope, image, delete=False)
        self.collect(scope)

    def are_gone(self, content: set[Digest]) -> None:
        for digest in content - self.reached() - self.spared:
            assert not self.stores[GLOBAL].has(digest)

    @rule(swept=st.booleans())
    def end_the_run(self, swept: bool) -> None:
        assert self.stores[GLOBAL].sweep() == (), "the run is alive"
        self.stores[RUN].close()
        outside = self.stores[GLOBAL]
        removals = outside.sweep() if swept else outside.end_run(RUN)
        ended = self.scopes[RUN]
        names = {Removal(untagged=name) for name, sample in ended.names.items() if sample}
        images = {Removal(deleted=image) for image, sample in ended.images.items() if sample}
        assert set(removals) == names | images
        assert outside.end_run(RUN) == ()
        self.scopes[RUN] = Scope()
        self.stores[RUN] = self.open(RUN)

    @rule(scope=a_scope, deed=st.sampled_from(("reopen", "check", "rebuild", "lose the database")))
    def change_nothing(self, scope: str, deed: str) -> None:
        if deed == "reopen":
            self.stores[scope].close()
            self.stores[scope] = self.open(scope)
        elif deed == "lose the database":
            (self.folder / "store" / "index.sqlite").unlink()
            self.forgets_the_past()
        else:
            assert self.stores[scope].fsck(rebuild=deed == "rebuild").problems == ()
        if deed == "rebuild":
            self.forgets_the_past()

    def forgets_the_past(self) -> None:
        """A new index does not know what was part of an image once."""
        self.spared |= BLOBS - self.recorded()

    # what always holds

    @invariant()
    def every_scope_lists_what_the_model_has(self) -> None:
        for scope, store in self.stores.items():
            seen = self.seen(scope)
            expected = {image: set[Reference]() for image in seen.images}
            for name, sample in seen.names.items():
                if sample and sample.config.id in expected:
                    expected[sample.config.id].add(name)
            assert {image.id: set(image.tags) for image in store.images()} == expected

    @invariant()
    def every_name_yields_its_own_manifest(self) -> None:
        for scope, store in self.stores.items():
            for name, sample in self.seen(scope).names.items():
                assert sample
                assert store.image(Selector.of(name)).digest == sample.manifest.digest

    @invariant()
    def what_is_reached_is_there(self) -> None:
        assert all(map(self.stores[GLOBAL].has, self.reached()))


TestStoreAndModel = StoreAndModel.TestCase
TestStoreAndModel.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, derandomize=True
)
