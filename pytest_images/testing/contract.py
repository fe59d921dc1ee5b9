"""What every engine must do: subclass `EngineContract`, give it your engine, run pytest.

class TestMyEngine(EngineContract):
    verbs = frozenset({"load", "tag", "ls", "rm", "inspect"})

    @pytest.fixture
    def engine(self) -> object:
        return MyEngine()

Verbs that are not named must say `Unsupported`. Every test makes its own images, small and
in memory; push and pull go to a throw-away registry on loopback.
"""

from __future__ import annotations

import inspect
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pytest_images.errors import ImageNotFound, InvalidArchive, Unsupported
from pytest_images.hookspecs import Hooks, hookimpl
from pytest_images.host import Host
from pytest_images.server.registry import Registry
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_images.images import Images

VERBS = frozenset(
    name.removeprefix("image_")
    for name, _ in inspect.getmembers(Hooks, inspect.isfunction)
    if name.startswith("image_")
)


class _Bringing:
    """A plugin that brings the engine under test."""

    def __init__(self, engine: object) -> None:
        self._engine = engine

    @hookimpl
    def images_engines(self) -> Mapping[str, Callable[[], object]]:
        return {"under-test": lambda: self._engine}


class EngineContract:
    """The tests an engine passes for the verbs it has."""

    verbs: ClassVar[frozenset[str]] = VERBS

    @pytest.fixture
    def engine(self) -> object:
        """The plugin object under test, empty of images."""
        raise NotImplementedError("a contract test gives the engine as a fixture")

    @pytest.fixture
    def images(self, engine: object) -> Iterator[Images]:
        """The door, with the engine under test in force."""
        with Host(
            engine="under-test", plugins=[_Bringing(engine)], load_entry_points=False
        ) as host:
            yield host.images

    @pytest.fixture
    def registry(self, images: Images) -> Iterator[Registry]:
        """A throw-away registry, known to the host of the engine under test."""
        with Registry.serving() as registry, images.answering(registry):
            yield registry

    def _needs(self, *verbs: str) -> None:
        if not self.verbs.issuperset(verbs):
            pytest.skip(f"the engine does not claim {', '.join(verbs)}")

    def _load(self, images: Images, seed: str, name: str, **options: Any) -> samples.Sample:
        sample = samples.image(seed, **options)
        images.load(BytesIO(sample.archive(name, form="docker")))
        return sample

    @pytest.mark.parametrize("form", ["oci", "docker", "docker-old"])
    def test_load_keeps_the_image_id_and_the_name(self, images: Images, form: str) -> None:
        self._needs("load")
        sample = samples.image("loaded", layers=2)
        [loaded] = images.load(BytesIO(sample.archive("app:1", form=form)))
        assert loaded.image.id == sample.config.id
        assert loaded.reference is not None
        assert loaded.reference.familiar == "app:1"

    def test_load_of_something_else_is_refused(self, images: Images) -> None:
        self._needs("load", "ls")
        with pytest.raises(InvalidArchive):
            images.load(BytesIO(b"this is not an archive" * 100))
        assert images.ls() == ()

    def test_load_reports_a_name_that_moved(self, images: Images) -> None:
        self._needs("load")
        first = self._load(images, "first", "app:1")
        [loaded] = images.load(BytesIO(samples.image("second").archive("app:1")))
        assert loaded.displaced == first.config.id

    def test_save_writes_what_load_reads(self, images: Images) -> None:
        self._needs("load", "save", "rm")
        sample = self._load(images, "saved", "app:1", layers=2)
        archive = BytesIO()
        [saved] = images.save("app:1", archive)
        assert saved.id == sample.config.id
        images.rm("app:1")
        [loaded] = images.load(BytesIO(archive.getvalue()))
        assert loaded.image.id == sample.config.id
        assert loaded.reference is not None
        assert loaded.reference.familiar == "app:1"

    def test_save_by_id_gives_no_name(self, images: Images) -> None:
        self._needs("load", "save", "rm", "ls")
        sample = self._load(images, "nameless", "app:1")
        archive = BytesIO()
        images.save(str(sample.config.id), archive)
        images.rm("app:1")
        [loaded] = images.load(BytesIO(archive.getvalue()))
        assert loaded.reference is None

    def test_save_of_nothing_is_refused(self, images: Images) -> None:
        self._needs("save")
        with pytest.raises(ImageNotFound, match="missing"):
            images.save("missing:1", BytesIO())

    def test_ls_of_nothing_is_empty(self, images: Images) -> None:
        self._needs("ls")
        assert images.ls() == ()

    def test_ls_names_what_was_loaded(self, images: Images) -> None:
        self._needs("load", "ls")
        sample = self._load(images, "listed", "app:1")
        [image] = images.ls()
        assert image.id == sample.config.id
        assert [tag.familiar for tag in image.tags] == ["app:1"]

    def test_a_tag_is_a_further_name_of_the_same_image(self, images: Images) -> None:
        self._needs("load", "tag", "ls")
        sample = self._load(images, "tagged", "app:1")
        assert images.tag("app:1", "other:2").id == sample.config.id
        [image] = images.ls()
        assert {tag.familiar for tag in image.tags} == {"app:1", "other:2"}

    def test_a_tag_moves_from_the_image_that_had_it(self, images: Images) -> None:
        self._needs("load", "tag", "inspect")
        self._load(images, "old", "app:1")
        newer = self._load(images, "new", "app:2")
        images.tag("app:2", "app:1")
        assert images.inspect("app:1").image.id == newer.config.id

    def test_a_tag_of_nothing_is_refused(self, images: Images) -> None:
        self._needs("tag")
        with pytest.raises(ImageNotFound, match="missing"):
            images.tag("missing:1", "other:1")

    def test_inspect_gives_the_documents_as_they_are(self, images: Images) -> None:
        self._needs("load", "inspect")
        sample = self._load(images, "inspected", "app:1", layers=3)
        inspection = images.inspect("app:1")
        assert inspection.config.raw == sample.config.raw
        assert inspection.config.diff_ids == sample.config.diff_ids

    def test_inspect_finds_by_the_start_of_an_id(self, images: Images) -> None:
        self._needs("load", "inspect")
        sample = self._load(images, "short", "app:1")
        assert images.inspect(sample.config.id.short).image.id == sample.config.id

    def test_inspect_of_nothing_is_refused(self, images: Images) -> None:
        self._needs("inspect")
        with pytest.raises(ImageNotFound, match="missing"):
            images.inspect("missing:1")

    def test_rm_takes_the_last_name_and_the_image(self, images: Images) -> None:
        self._needs("load", "rm", "ls")
        self._load(images, "removed", "app:1")
        removals = images.rm("app:1")
        assert [r.untagged.familiar for r in removals if r.untagged][:1] == ["app:1"]
        assert any(r.deleted for r in removals)
        assert images.ls() == ()

    def test_rm_of_one_name_leaves_the_others(self, images: Images) -> None:
        self._needs("load", "tag", "rm", "inspect")
        sample = self._load(images, "kept", "app:1")
        images.tag("app:1", "app:2")
        images.rm("app:1")
        assert images.inspect("app:2").image.id == sample.config.id

    def test_rm_of_nothing_is_refused(self, images: Images) -> None:
        self._needs("rm")
        with pytest.raises(ImageNotFound, match="missing"):
            images.rm("missing:1")

    def test_what_is_pushed_comes_back_the_same(self, images: Images, registry: Registry) -> None:
        self._needs("load", "tag", "push", "rm", "pull")
        sample = self._load(images, "travels", "app:1", layers=2)
        name = registry.namespace("team").reference("app:1")
        images.tag("app:1", name)
        [pushed] = images.push(name)
        images.rm(str(sample.config.id), force=True)
        assert images.pull(name).id == sample.config.id
        pinned = name.with_tag(None).with_digest(pushed.descriptor.digest)
        assert images.pull(pinned).id == sample.config.id

    def test_a_pull_of_nothing_is_refused(self, images: Images, registry: Registry) -> None:
        self._needs("pull")
        with pytest.raises(ImageNotFound, match="missing"):
            images.pull(registry.namespace("team").reference("missing:1"))

    @pytest.mark.parametrize("verb", sorted(VERBS))
    def test_a_verb_that_is_not_claimed_says_so(self, images: Images, verb: str) -> None:
        if verb in self.verbs:
            pytest.skip(f"the engine claims {verb}")
        with pytest.raises(Unsupported, match=verb):
            _try(images, verb)


def _try(images: Images, verb: str) -> None:
    """Call *verb* with something harmless."""
    arguments: dict[str, tuple[Any, ...]] = {
        "pull": ("127.0.0.1:1/app:1",),
        "push": ("127.0.0.1:1/app:1",),
        "tag": ("app:1", "app:2"),
        "save": ("app:1", BytesIO()),
        "load": (BytesIO(),),
        "import": (BytesIO(),),
        "build": ({"Dockerfile": b"FROM scratch"},),
        "ls": (),
        "prune": (),
    }
    method = getattr(images, "import_" if verb == "import" else verb)
    method(*arguments.get(verb, ("app:1",)))
