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

from pytest_images.errors import (
    AmbiguousImage,
    Conflict,
    ImageNotFound,
    InvalidArchive,
    InvalidDockerfile,
    InvalidLayer,
    InvalidUsage,
    Unsupported,
)
from pytest_images.hookspecs import Hooks, hookimpl
from pytest_images.host import Host
from pytest_images.model.digest import Digest
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

    def test_ls_shows_the_facts_of_an_image(self, images: Images) -> None:
        self._needs("load", "ls")
        self._load(images, "facts", "app:1", layers=2, labels={"a": "b"}, platform="linux/arm64")
        [image] = images.ls()
        assert dict(image.labels) == {"a": "b"}
        assert image.size == 2000
        assert str(image.platform) == "linux/arm64/v8"
        assert image.created is not None
        assert image.created.isoformat() == samples.CREATED.replace("Z", "+00:00")

    def test_ls_takes_a_pattern_and_filters(self, images: Images) -> None:
        self._needs("load", "ls")
        wanted = self._load(images, "labelled", "team/app:1", labels={"a": "b"})
        self._load(images, "other", "other:1")
        for found in (images.ls("team/app"), images.ls(filters={"label": "a=b"})):
            assert [image.id for image in found] == [wanted.config.id]

    def test_ls_with_a_filter_that_nobody_knows_is_refused(self, images: Images) -> None:
        self._needs("ls")
        with pytest.raises(InvalidUsage, match="colour"):
            images.ls(filters={"colour": "red"})

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

    def test_the_start_of_several_ids_is_refused(self, images: Images) -> None:
        self._needs("load", "inspect", "rm")
        for number, sample in enumerate(_alike()):
            images.load(BytesIO(sample.archive(f"app:{number}", form="docker")))
        start = sample.config.id.encoded[0]
        for verb in (images.inspect, images.rm):
            with pytest.raises(AmbiguousImage):
                verb(f"sha256:{start}")

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

    def test_rm_of_an_id_that_several_repositories_name_is_forced_or_refused(
        self, images: Images
    ) -> None:
        self._needs("load", "tag", "rm", "ls")
        sample = self._load(images, "shared", "app:1")
        images.tag("app:1", "other:1")
        with pytest.raises(Conflict, match="multiple repositories"):
            images.rm(sample.config.id)
        removals = images.rm(sample.config.id, force=True)
        untagged = {removal.untagged.familiar for removal in removals if removal.untagged}
        assert untagged == {"app:1", "other:1"}
        assert images.ls() == ()

    def test_history_tells_the_steps_newest_first(self, images: Images) -> None:
        self._needs("load", "history")
        sample = self._load(images, "told", "app:1", layers=2)
        newest, oldest = images.history("app:1")
        assert (newest.id, oldest.id) == (sample.config.id, None)
        assert (newest.created_by, oldest.created_by) == ("ADD told/1 /", "ADD told/0 /")
        assert (newest.size, oldest.size) == (1000, 1000)
        assert [tag.familiar for tag in newest.tags] == ["app:1"]

    def test_history_of_nothing_is_refused(self, images: Images) -> None:
        self._needs("history")
        with pytest.raises(ImageNotFound, match="missing"):
            images.history("missing:1")

    @pytest.mark.parametrize("form", ["both", "oci", "docker"])
    def test_what_is_saved_comes_back_the_same(self, images: Images, form: Any) -> None:
        self._needs("load", "save", "tag", "rm", "ls")
        sample = self._load(images, "saved", "app:1", layers=2)
        images.tag("app:1", "other:2")
        archive = BytesIO()
        images.save(["app:1", "other:2"], archive, form=form)
        images.rm(sample.config.id, force=True)
        images.load(BytesIO(archive.getvalue()))
        [image] = images.ls()
        assert image.id == sample.config.id
        assert {tag.familiar for tag in image.tags} == {"app:1", "other:2"}

    def test_what_is_saved_by_its_id_comes_back_without_a_name(self, images: Images) -> None:
        self._needs("load", "save", "rm", "ls")
        sample = self._load(images, "nameless", "app:1")
        archive = BytesIO()
        [saved] = images.save(sample.config.id, archive)
        assert saved.id == sample.config.id
        images.rm("app:1")
        images.load(BytesIO(archive.getvalue()))
        [image] = images.ls()
        assert (image.id, image.tags) == (sample.config.id, ())

    def test_the_same_image_is_saved_as_the_same_bytes(self, images: Images) -> None:
        self._needs("load", "save")
        self._load(images, "same", "app:1", layers=2)
        first, second = BytesIO(), BytesIO()
        for stream in (first, second):
            images.save("app:1", stream)
        assert first.getvalue() == second.getvalue()

    def test_save_of_nothing_is_refused_before_a_byte_is_written(self, images: Images) -> None:
        self._needs("load", "save")
        self._load(images, "there", "app:1")
        archive = BytesIO()
        with pytest.raises(ImageNotFound, match="missing"):
            images.save(["app:1", "missing:1"], archive)
        assert archive.getvalue() == b""

    def test_its_files_are_looked_into(self, images: Images) -> None:
        """An engine may read its layers itself; where it does not, its save must do."""
        self._needs("load", "inspect", "save")
        sample = self._load(images, "inside", "app:1", layers=2)
        files = images.files("app:1")
        assert [layer.diff_id for layer in files.layers] == list(sample.config.diff_ids)
        [first, second] = (files / "data").glob("*.link")
        assert first.read_bytes() != second.read_bytes()
        assert (files / "data" / first.stem).stat().size == len(first.read_bytes())
        assert files.in_layers("nowhere") == ()

    def test_import_makes_an_image_of_one_layer(self, images: Images) -> None:
        self._needs("import", "inspect")
        [tar] = samples.image("imported").tars
        changes = ["CMD /bin/app", "ENV A=B", "LABEL c=d"]
        image = images.import_(BytesIO(tar), "app:1", changes=changes, message="by hand")
        inspection = images.inspect("app:1")
        assert inspection.image.id == image.id
        assert inspection.config.diff_ids == (Digest.of(tar),)
        assert inspection.config.settings.command == ("/bin/sh", "-c", "/bin/app")
        assert dict(inspection.config.labels) == {"c": "d"}
        assert inspection.config.history[-1].comment == "by hand"

    def test_import_of_something_else_is_refused(self, images: Images) -> None:
        self._needs("import", "ls")
        with pytest.raises(InvalidLayer):
            images.import_(BytesIO(b"this is not a tar" * 100), "app:1")
        assert images.ls() == ()

    def test_build_makes_an_image_of_a_context(self, images: Images) -> None:
        self._needs("build", "inspect")
        text = b'FROM scratch\nCOPY a.txt /b/\nENV C=D\nLABEL e=f\nCMD ["/x"]\n'
        result = images.build({"Dockerfile": text, "a.txt": b"hi"}, tags="app:1")
        inspection = images.inspect("app:1")
        assert result.image is not None
        assert inspection.image.id == result.image.id
        assert len(inspection.config.diff_ids) == 1
        assert dict(inspection.config.labels) == {"e": "f"}
        assert inspection.config.settings.environment["C"] == "D"
        assert inspection.config.settings.command == ("/x",)

    def test_build_stands_on_an_image_that_is_here(self, images: Images) -> None:
        self._needs("build", "load", "inspect")
        base = self._load(images, "base", "base:1", layers=2)
        images.build({"a": b"1"}, dockerfile_text="FROM base:1\nCOPY a /\n", tags="app:1")
        found = images.inspect("app:1").config.diff_ids
        assert found[:2] == base.config.diff_ids
        assert len(found) == 3

    def test_build_of_something_else_is_refused(self, images: Images) -> None:
        self._needs("build", "ls")
        with pytest.raises(InvalidDockerfile):
            images.build({"Dockerfile": b"FROM scratch\nCOPPY a b\n"}, tags="app:1")
        assert images.ls() == ()

    def test_prune_takes_what_has_no_name(self, images: Images) -> None:
        self._needs("load", "prune", "ls")
        dangling = self._load(images, "older", "app:1")
        kept = self._load(images, "newer", "app:1")
        removals = images.prune()
        assert dangling.config.id in [removal.deleted for removal in removals]
        assert [image.id for image in images.ls()] == [kept.config.id]

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


def _alike() -> tuple[samples.Sample, samples.Sample]:
    """Return two images whose IDs begin with the same digit: of 17, two do."""
    seen: dict[str, samples.Sample] = {}
    for number in range(17):
        sample = samples.image(f"number {number}", size=10)
        other = seen.setdefault(sample.config.id.encoded[0], sample)
        if other is not sample:
            return other, sample
    raise AssertionError("there are 16 digits")


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
