from __future__ import annotations

import os
import threading
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images import errors
from pytest_images.errors import HookError, ImageNotFound, InvalidUsage, Unsupported
from pytest_images.hookspecs import hookimpl
from pytest_images.host import Host
from pytest_images.http.limits import Limits
from pytest_images.model.image import Image
from pytest_images.testing import samples
from tests.engines import Bringing, MemoryEngine

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from pytest_images.images import Images


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine()


@pytest.fixture
def host(engine: MemoryEngine) -> Iterator[Host]:
    bringing = Bringing(memory=lambda: engine, other=MemoryEngine)
    with Host(engine="memory", plugins=[bringing], load_entry_points=False) as host:
        yield host


class Loses:
    @hookimpl(wrapper=True)
    def image_ls(self) -> Generator[None, Any, None]:
        yield


class Stops:
    """A plugin that answers `image_ls` with nothing, and keeps the doors it was given."""

    def __init__(self) -> None:
        self.doors: list[Images] = []

    @hookimpl
    def image_ls(self, images: Images) -> tuple[Image, ...]:
        self.doors.append(images)
        return ()


class Doubles:
    """A plugin that asks as if it was not there, and gives the answer twice."""

    @hookimpl
    def image_ls(self, images: Images) -> tuple[Image, ...]:
        return images.without(self).ls() * 2


class Life:
    def __init__(self) -> None:
        self.moments: list[str] = []

    @hookimpl
    def images_configure(self, images: Images) -> None:
        self.moments.append("configure")

    @hookimpl
    def images_unconfigure(self, images: Images) -> None:
        self.moments.append("unconfigure")


def test_the_engine_in_force_does_the_verb(host: Host, engine: MemoryEngine) -> None:
    host.images.pull("alpine")
    assert engine.pulls == 1


def test_installing_an_engine_does_not_choose_it(host: Host) -> None:
    host.images.pull("alpine")
    host.engine("other")
    assert [str(image) for image in host.images.ls()] == ["docker.io/library/alpine:latest"]


def test_using_puts_another_engine_in_force_and_hides_this_one(host: Host) -> None:
    host.images.pull("alpine")
    assert host.images.using("other").ls() == ()
    assert len(host.images.ls()) == 1


def test_an_engine_is_made_at_its_first_use() -> None:
    made: list[str] = []

    def make() -> MemoryEngine:
        made.append("made")
        return MemoryEngine()

    with Host(engine="late", plugins=[Bringing(late=make)], load_entry_points=False) as host:
        assert "late" in host.engines
        assert made == []
        host.images.ls()
        host.images.ls()
    assert made == ["made"]


def test_the_registry_client_keeps_to_other_limits(tmp_path: Path) -> None:
    limits = Limits(idle=3.0)
    with Host(home=tmp_path, limits=limits) as host:
        assert host.embedded.client.limits is limits


def test_an_engine_nobody_brings_is_refused_and_the_others_named(host: Host) -> None:
    with pytest.raises(InvalidUsage, match="there is embedded, memory, other"):
        host.images.using("docker")


def test_two_plugins_cannot_bring_an_engine_of_one_name() -> None:
    plugins = [Bringing(twin=MemoryEngine), Bringing(twin=Stops)]
    host = Host(engine="twin", plugins=plugins, load_entry_points=False)
    with pytest.raises(HookError, match="'twin'"):
        host.images.ls()


def test_a_verb_nobody_does_is_unsupported_and_named(host: Host) -> None:
    with pytest.raises(Unsupported, match="prune: not supported: neither the engine memory"):
        host.images.prune()


def test_an_engine_never_falls_back_on_another(host: Host) -> None:
    with pytest.raises(Unsupported, match="push"):
        host.images.push("alpine")


def test_a_plugin_is_asked_before_the_engine(host: Host) -> None:
    host.images.pull("alpine")
    with host.images.answering(Stops()):
        assert host.images.ls() == ()
    assert len(host.images.ls()) == 1


def test_a_wrapper_that_loses_the_result_is_named(host: Host) -> None:
    host.register(Loses(), "the-loser")
    with pytest.raises(HookError, match="lost") as caught:
        host.images.ls()
    assert "the-loser" in caught.value.plugins
    assert "return result" in caught.value.__notes__[0]


def test_a_wrapper_around_a_verb_nobody_does_is_not_blamed(host: Host) -> None:
    class Watches:
        @hookimpl(wrapper=True)
        def image_prune(self) -> Generator[None, Any, Any]:
            return (yield)

    host.register(Watches())
    with pytest.raises(Unsupported):
        host.images.prune()


def test_without_is_what_the_hook_was_before(host: Host) -> None:
    host.images.pull("alpine")
    host.register(Doubles())
    assert len(host.images.ls()) == 2


def test_a_plugin_that_is_nowhere_cannot_be_left_out(host: Host) -> None:
    with pytest.raises(HookError, match="no such plugin"):
        host.images.without(object())


def test_a_plugin_below_a_folder_holds_there_and_nowhere_else(host: Host, tmp_path: Path) -> None:
    host.images.pull("alpine")
    host.register(Stops(), below=tmp_path / "suite")
    at = {name: len(host.images.at(tmp_path / name).ls()) for name in ("suite/t.py", "suite2/t.py")}
    assert at == {"suite/t.py": 0, "suite2/t.py": 1}
    assert len(host.images.ls()) == 1


def test_an_inner_suite_overrides_an_outer_one_and_super_is_the_outer(
    host: Host, tmp_path: Path
) -> None:
    host.images.pull("alpine")
    host.register(Doubles(), below=tmp_path)
    host.register(Doubles(), below=tmp_path / "inner")
    assert len(host.images.at(tmp_path / "t.py").ls()) == 2
    assert len(host.images.at(tmp_path / "inner" / "t.py").ls()) == 4


def test_where_the_caller_is_decides_for_a_door_without_a_place(
    engine: MemoryEngine, tmp_path: Path
) -> None:
    here = [str(tmp_path / "a" / "t.py")]
    bringing = Bringing(memory=lambda: engine)
    host = Host(engine="memory", plugins=[bringing], load_entry_points=False, where=lambda: here[0])
    stops = Stops()
    host.register(stops, below=tmp_path / "a")
    host.images.ls()
    here[0] = str(tmp_path / "b" / "t.py")
    host.images.ls()
    assert len(stops.doors) == 1


def test_the_door_a_plugin_gets_is_the_one_the_verb_was_asked_of(
    host: Host, tmp_path: Path
) -> None:
    stops = Stops()
    host.register(stops)
    door = host.images.at(tmp_path).using("other")
    door.ls()
    assert stops.doors == [door]


def test_moments_are_told_once_and_to_late_plugins_too(host: Host) -> None:
    early, late = Life(), Life()
    host.register(early)
    host.images.ls()
    host.register(late)
    host.images.ls()
    host.close()
    host.close()
    assert early.moments == late.moments == ["configure", "unconfigure"]


def test_a_host_that_was_never_used_tells_nobody() -> None:
    life = Life()
    with Host(plugins=[life], load_entry_points=False):
        pass
    assert life.moments == []


def test_closing_closes_the_engines_that_were_made(host: Host, engine: MemoryEngine) -> None:
    host.images.ls()
    host.close()
    assert engine.closed == 1


def test_engines_are_closed_even_when_a_plugin_fails_at_the_end(
    host: Host, engine: MemoryEngine
) -> None:
    class Fails:
        @hookimpl
        def images_unconfigure(self) -> None:
            raise ImageNotFound("the end")

    host.register(Fails())
    host.images.ls()
    with pytest.raises(ImageNotFound, match="the end"):
        host.close()
    assert engine.closed == 1


def test_a_closed_host_says_so(host: Host) -> None:
    host.close()
    with pytest.raises(HookError, match="closed"):
        host.images.ls()


def test_a_forked_child_closes_nothing(host: Host, engine: MemoryEngine) -> None:
    host.images.ls()
    child = os.fork()
    if child == 0:
        host.close()
        os._exit(engine.closed)
    assert os.waitpid(child, 0)[1] == 0


def test_many_threads_make_one_engine(tmp_path: Path) -> None:
    made: list[MemoryEngine] = []

    def make() -> MemoryEngine:
        made.append(MemoryEngine())
        return made[-1]

    host = Host(engine="memory", plugins=[Bringing(memory=make)], load_entry_points=False)
    threads = [threading.Thread(target=host.images.ls) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_the_store_is_not_opened_by_making_a_host(tmp_path: Path) -> None:
    with Host(home=tmp_path / "home", load_entry_points=False) as host:
        assert host.embedded is host.engine("embedded")
        assert not host.is_open
    assert not (tmp_path / "home").exists()


def test_a_wrong_durability_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.ImagesError, match="durability"):
        Host(home=tmp_path, durability="careless", load_entry_points=False).images.ls()


def test_an_unknown_hook_of_a_plugin_is_refused_when_it_is_given() -> None:
    class Misspelt:
        @hookimpl
        def image_push_it(self) -> None: ...

    with pytest.raises(HookError, match="image_push_it"):
        Host(plugins=[Misspelt()], load_entry_points=False)


def test_what_is_entered_is_traced_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_TRACE", "1")
    plugins = [Bringing(memory=MemoryEngine), Doubles()]
    with Host(engine="memory", plugins=plugins, load_entry_points=False) as host:
        host.manager.unregister(plugins[1])
        host.register(plugins[1], "doubles")
        host.images.ls()
    lines = capsys.readouterr().err.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("images: image_ls("))
    assert [line.removeprefix("images: ") for line in lines[start + 1 : start + 6]] == [
        "  > unanswered (wrapper)",
        "  > doubles",
        lines[start].removeprefix("images: ").join(["  ", ""]),
        "    > unanswered (wrapper)",
        "    > engine:memory",
    ]


def test_the_run_of_the_environment_is_seen_by_hosts_within_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = BytesIO(samples.image("app").archive("app:1"))
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path))
    with Host(run="outer") as outer:
        [loaded] = outer.images.load(archive)
        monkeypatch.setenv("PYTEST_IMAGES_RUN", "outer")
        with Host() as script, Host(run="inner") as inner:
            assert script.images.tag("app:1", "app:2").id == loaded.image.id
            assert inner.images.inspect("app:2").image.id == loaded.image.id
            inner.images.rm("app:1")
            inner.end_run()
            assert script.end_run() == ()
        assert outer.images.exists("app:1")
        outer.end_run()
    monkeypatch.delenv("PYTEST_IMAGES_RUN")
    with Host() as after:
        assert after.images.ls() == ()


def test_the_run_of_the_environment_is_one_of_its_store_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path / "store"))
    monkeypatch.setenv("PYTEST_IMAGES_RUN", "outer")
    with Host(home=tmp_path / "other") as host:
        host.images.load(BytesIO(samples.image("app").archive("app:1")))
    with Host(home=tmp_path / "other") as host:
        assert host.images.exists("app:1"), "it outlives the process, as without a run"
