from __future__ import annotations

import os
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.errors import (
    HookError,
    ImageNotFound,
    InvalidReference,
    InvalidUsage,
    Unreachable,
    Unsupported,
)
from pytest_images.hookspecs import hookimpl
from pytest_images.host import Host
from pytest_images.model.endpoint import Access, Credentials, Endpoint
from pytest_images.model.image import Image
from pytest_images.model.platform import Platform
from pytest_images.model.reference import Reference
from pytest_images.model.request.pull import PullRequest
from pytest_images.model.secret import Secret
from pytest_images.testing import samples
from tests.engines import Bringing, MemoryEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.images import Images
    from pytest_images.model.inspection import Inspection
    from pytest_images.model.progress import Progress
    from pytest_images.model.request.inspect import InspectRequest

ALPINE = Reference.parse("alpine")


class Asked:
    """A plugin that keeps the request of every verb and answers with what it was given."""

    def __init__(self, answer: object = ()) -> None:
        self.request: Any = None
        self.answer = answer

    @hookimpl
    def image_pull(self, request: Any) -> Any:
        return self._keep(request)

    @hookimpl
    def image_push(self, request: Any) -> Any:
        return self._keep(request)

    @hookimpl
    def image_ls(self, request: Any) -> Any:
        return self._keep(request)

    @hookimpl
    def image_load(self, request: Any) -> Any:
        if hasattr(request.source, "read"):
            self.answer = (request.source.read(),)
        return self._keep(request)

    @hookimpl
    def image_save(self, request: Any) -> Any:
        request.stream.write(b"archive")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self._keep(request)

    @hookimpl
    def image_build(self, request: Any) -> Any:
        return self._keep(request)

    @hookimpl
    def image_import(self, request: Any) -> Any:
        return self._keep(request)

    @hookimpl
    def image_rm(self, request: Any) -> Any:
        return self._keep(request)

    def _keep(self, request: Any) -> Any:
        self.request = request
        return self.answer


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def images(engine: MemoryEngine) -> Iterator[Images]:
    bringing = Bringing(memory=lambda: engine, other=MemoryEngine)
    with Host(engine="memory", plugins=[bringing], load_entry_points=False) as host:
        yield host.images


@pytest.fixture
def watched(images: Images, asked: Asked) -> Iterator[Images]:
    with images.answering(asked):
        yield images


def test_text_is_parsed_once_and_hooks_see_values(watched: Images, asked: Asked) -> None:
    asked.answer = (None,)
    watched.pull("alpine", platform="linux/arm64,linux/amd64")
    assert asked.request.reference == ALPINE
    assert asked.request.platforms == (Platform("linux", "arm64"), Platform("linux", "amd64"))


def test_a_name_that_is_none_is_refused_before_any_hook(watched: Images, asked: Asked) -> None:
    with pytest.raises(InvalidReference):
        watched.pull("Not A Name")
    with pytest.raises(InvalidUsage):
        watched.pull(7)  # type: ignore[call-overload] # the point of this test
    assert asked.request is None


def test_what_is_no_image_is_refused_before_any_hook(watched: Images, asked: Asked) -> None:
    for thing in (None, 7, ["alpine"]):
        with pytest.raises(InvalidUsage, match="an image is an Image, or a name or ID of one"):
            watched.inspect(thing)  # type: ignore[arg-type] # the point of this test
    assert asked.request is None


def test_a_context_of_names_and_texts_is_refused_before_any_hook(
    watched: Images, asked: Asked
) -> None:
    for context, reason in (
        ({"a.txt": "hi"}, '"a.txt": .* are bytes'),
        ({7: b"hi"}, '"7": .* text'),
    ):
        with pytest.raises(InvalidUsage, match=reason):
            watched.build(context)  # type: ignore[arg-type] # the point of this test
    assert asked.request is None


def test_pull_gives_one_image_and_all_of_them_for_all_tags(images: Images) -> None:
    assert images.pull("alpine").reference == ALPINE
    [pulled] = images.pull("alpine", all_tags=True)
    assert pulled.reference == ALPINE.with_tag(None)


def test_a_pull_that_answers_nothing_is_told(watched: Images) -> None:
    with pytest.raises(HookError, match="empty"):
        watched.pull("alpine")


def test_the_platforms_of_the_host_hold_where_none_are_named(asked: Asked) -> None:
    arm = Platform("linux", "arm64")
    asked.answer = (None,)
    with Host(platforms=[arm], plugins=[asked], load_entry_points=False) as host:
        host.embedded.close()
        host.images.pull("alpine")
        assert asked.request.platforms == (arm,)
        host.images.pull("alpine", platform="linux/amd64")
        assert asked.request.platforms == (Platform("linux", "amd64"),)
        host.images.pull("alpine", platform="linux")
        assert asked.request.platforms == (Platform.of_machine(os.uname().machine),)


@pytest.mark.parametrize(
    "filters",
    [
        {"label": ["a", "b"], "dangling": "true"},
        [("label", "a"), ("label", "b"), ("dangling", "true")],
    ],
)
def test_filters_are_a_mapping_or_pairs(watched: Images, asked: Asked, filters: Any) -> None:
    watched.ls(filters=filters)
    assert asked.request.filters == (("label", "a"), ("label", "b"), ("dangling", "true"))


def test_an_image_is_pointed_at_by_its_id(watched: Images, asked: Asked) -> None:
    image = Image(
        samples.image().config.id, samples.image().manifest.descriptor, Platform("a", "b")
    )
    watched.rm(image)
    assert asked.request.image.id_prefix == image.id.encoded


def test_load_takes_a_path_a_folder_or_a_stream(
    watched: Images, asked: Asked, tmp_path: Path
) -> None:
    (tmp_path / "app.tar").write_bytes(b"content")
    watched.load(tmp_path / "app.tar")
    assert asked.answer == (b"content",)
    assert asked.request.name == str(tmp_path / "app.tar")
    assert asked.request.source.closed
    stream = BytesIO(b"stream")
    watched.load(stream, name="mine")
    assert asked.answer == (b"stream",)
    assert not stream.closed
    watched.load(str(tmp_path))
    assert asked.request.source == tmp_path


def test_save_replaces_a_path_when_it_is_whole(
    watched: Images, asked: Asked, tmp_path: Path
) -> None:
    target = tmp_path / "app.tar"
    watched.save(["alpine", "busybox"], target)
    assert target.read_bytes() == b"archive"
    assert [str(one) for one in asked.request.images] == ["alpine", "busybox"]


def test_a_save_that_fails_leaves_the_path_as_it_was(
    watched: Images, asked: Asked, tmp_path: Path
) -> None:
    target = tmp_path / "app.tar"
    target.write_bytes(b"before")
    asked.answer = ImageNotFound("alpine")
    with pytest.raises(ImageNotFound):
        watched.save("alpine", target)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_build_hides_its_secrets(watched: Images, asked: Asked) -> None:
    watched.build({"Dockerfile": b"FROM scratch"}, tags="app:1", secrets={"token": "hush"})
    assert asked.request.secrets == {"token": Secret("hush")}
    assert asked.request.tags == (Reference.parse("app:1"),)


def test_build_takes_text_for_a_folder_or_a_url(watched: Images, asked: Asked) -> None:
    watched.build("./app")
    assert asked.request.context.name == "app"
    watched.build("https://example.test/app.git")
    assert asked.request.context == "https://example.test/app.git"


def test_a_tag_with_a_digest_is_refused(images: Images) -> None:
    with pytest.raises(InvalidUsage, match="digest"):
        images.tag("alpine", f"app@{samples.image().config.id}")


def test_get_pulls_what_is_missing_once(images: Images, engine: MemoryEngine) -> None:
    assert images.get("alpine") == images.get("alpine")
    assert engine.pulls == 1


def test_get_looks_again_once_others_are_kept_out() -> None:
    class Late(MemoryEngine):
        """An engine into which another process pulls just after this one found nothing."""

        @hookimpl
        def image_inspect(self, images: Images, request: InspectRequest) -> Inspection:
            try:
                return super().image_inspect(images, request)
            finally:
                self.names[ALPINE] = samples.image("theirs")

    engine = Late()
    bringing = Bringing(memory=lambda: engine)
    with Host(engine="memory", plugins=[bringing], load_entry_points=False) as host:
        assert host.images.get("alpine").id == samples.image("theirs").config.id
    assert engine.pulls == 0


def test_get_always_pulls_each_time(images: Images, engine: MemoryEngine) -> None:
    images.get("alpine", "always")
    images.get("alpine", "always")
    assert engine.pulls == 2


def test_get_never_pulls_and_says_what_to_do(images: Images, engine: MemoryEngine) -> None:
    with pytest.raises(ImageNotFound, match="alpine") as caught:
        images.get("alpine", "never")
    assert "never" in caught.value.__notes__[0]
    assert engine.pulls == 0


def test_get_newer_does_with_what_is_here_when_nobody_can_be_reached(images: Images) -> None:
    class Down:
        @hookimpl
        def image_pull(self) -> None:
            raise Unreachable("alpine")

    kept = images.get("alpine")
    with images.answering(Down()):
        assert images.get("alpine", "newer") == kept
        with pytest.raises(Unreachable):
            images.get("busybox", "newer")


def test_get_pulls_again_for_another_platform(images: Images, engine: MemoryEngine) -> None:
    images.get("alpine")
    images.get("alpine", platform="linux/s390x")
    assert engine.pulls == 2


def test_get_refuses_a_policy_it_does_not_know(images: Images) -> None:
    with pytest.raises(InvalidUsage, match="missing, newer, always, never"):
        images.get("alpine", "sometimes")  # type: ignore[arg-type] # the point of this test


def test_what_get_finds_here_is_told_as_progress(images: Images) -> None:
    heard: list[Progress] = []

    class Hears:
        @hookimpl
        def images_progress(self, event: Progress) -> None:
            heard.append(event)

    images.get("alpine")
    with images.answering(Hears()):
        images.get("alpine")
    assert [(event.verb, event.subject) for event in heard] == [("get", str(ALPINE))]


def test_exists_says_what_is_here(images: Images) -> None:
    assert not images.exists("alpine")
    images.pull("alpine")
    assert images.exists("alpine")


def test_the_config_is_looked_into_without_a_container(images: Images) -> None:
    assert images.config(images.pull("alpine")).document["config"]["Cmd"] == ["/bin/sh"]


def test_a_copy_within_one_engine_moves_nothing(images: Images) -> None:
    image = images.pull("alpine")
    assert images.copy("alpine", images).id == image.id


def test_a_copy_to_another_engine_is_an_archive(images: Images) -> None:
    class Saves:
        @hookimpl
        def image_save(self, request: Any) -> tuple[()]:
            request.stream.write(b"alpine one\n")
            return ()

    other = images.using("other")
    images.pull("alpine")
    with images.answering(Saves()):
        copied = images.copy("alpine", other)
    assert copied.id == other.inspect("alpine").image.id


def test_a_copy_needs_save_and_says_so(images: Images) -> None:
    images.pull("alpine")
    with pytest.raises(Unsupported, match="save"):
        images.copy("alpine", images.using("other"))


def test_questions_are_answered_by_those_who_know(images: Images) -> None:
    pinned = ALPINE.with_digest(samples.image().manifest.digest)

    class Knows:
        @hookimpl
        def registry_resolve(self, reference: Reference) -> Reference | None:
            return pinned if reference == ALPINE else None

        @hookimpl
        def registry_endpoints(self, access: Access) -> list[Endpoint]:
            return [Endpoint("mirror.test")] if access is Access.PULL else []

        @hookimpl
        def registry_credentials(self, registry: str) -> Credentials | None:
            return Credentials(registry) if registry == "mirror.test" else None

    with images.answering(Knows()):
        assert images.resolve("alpine") == pinned
        assert images.endpoints("alpine") == (Endpoint("mirror.test"),)
        assert images.endpoints("alpine", "push") == ()
        assert images.credentials("mirror.test") == Credentials("mirror.test")


def test_a_run_step_nobody_can_run_is_unsupported(images: Images, tmp_path: Path) -> None:
    from pytest_images.model.request.run import RunStep

    with pytest.raises(Unsupported, match="build_run"):
        images.without("sandbox").run(
            RunStep(tmp_path, ("true",), Platform("linux", "amd64"), BytesIO())
        )


def test_an_answer_that_says_only_a_number_is_refused(images: Images, tmp_path: Path) -> None:
    from pytest_images.model.request.run import RunStep

    class Number:
        @hookimpl
        def build_run(self) -> int:
            return 0

    step = RunStep(tmp_path, ("true",), Platform("linux", "amd64"), BytesIO())
    with images.answering(Number()), pytest.raises(HookError, match="int, not Ran"):
        images.run(step)


def test_answering_ends_with_its_block(images: Images, asked: Asked) -> None:
    with pytest.raises(ZeroDivisionError), images.answering(asked):
        raise ZeroDivisionError
    images.ls()
    assert asked.request is None


def test_a_door_shows_how_it_sees(images: Images, tmp_path: Path) -> None:
    assert "engine='other'" in repr(images.using("other"))
    assert images.at(tmp_path) == images.at(str(tmp_path))
    assert images.using("other") != images


def test_an_override_changes_one_thing_of_a_request_and_passes_the_rest_on() -> None:
    class Arm:
        @hookimpl
        def image_pull(self, images: Images, request: PullRequest) -> tuple[Image, ...]:
            wanted = replace(request, platforms=(Platform.parse("linux/arm64"),))
            return images.without(self).ask(wanted)

    asked = Asked()
    with Host(plugins=[asked, Arm()], load_entry_points=False) as host:
        host.images.pull("alpine", all_tags=True, whole_index=True)
    assert asked.request == PullRequest(
        Reference.parse_bare("alpine"), (Platform.parse("linux/arm64"),), True, True
    )
