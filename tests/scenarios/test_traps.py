"""Traps that neighbouring tools fell into, one test each."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.host import Host
from pytest_images.server.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scenarios.conftest import Aftermath

BUILDS = """
    import pytest
    from pytest_images import built

    app = built({"a": b"1"}, dockerfile_text="FROM scratch\\nCOPY a /", tags="app:1")

    @pytest.mark.parametrize("n", range(4))
    def test_it(app, n): pass
"""
IDS = """
    import os, pytest

    @pytest.hookimpl(trylast=True)
    def pytest_configure(config):
        session = config.pluginmanager.get_plugin("images-session")
        worker = getattr(config, "workerinput", {}).get("workerid", "main")
        with open("ids", "a") as file:
            file.write(f"{worker} {session.run}\\n")
"""


def ids(pytester: pytest.Pytester) -> dict[str, str]:
    """The processes that there were, and what each takes for the ID of its run."""
    lines = (pytester.path / "ids").read_text().splitlines()
    return dict(line.split() for line in lines)


def test_lock_files_are_never_unlinked(
    pytester: pytest.Pytester, home: Path, aftermath: Aftermath
) -> None:
    """Who waits for a lock holds the file that was opened: another at its path is another lock."""
    pytester.makepyfile(BUILDS)
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=4)
    before = {path: path.stat().st_ino for path in home.rglob("*.lock")}
    assert before
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=4)
    assert {path: path.stat().st_ino for path in home.rglob("*.lock")}.items() >= before.items()
    assert aftermath.is_clean()


def test_a_run_is_not_known_by_a_temporary_folder(pytester: pytest.Pytester) -> None:
    """`getbasetemp().parent` is a run's own only under xdist: plain runs share it."""
    pytester.makeconftest(IDS)
    pytester.makepyfile("def test_it(images, tmp_path): pass")
    seen = []
    for _ in "12":
        pytester.runpytest_subprocess("-p", "no:randomly").assert_outcomes(passed=1)
        seen.append(ids(pytester)["main"])
    assert len(set(seen)) == 2


def test_a_worker_that_replaces_another_belongs_to_the_same_run(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    """It has a new name, and finds what the one before it made."""
    pytester.makeconftest(IDS)
    pytester.makepyfile(
        """
        import os
        from io import BytesIO
        from pytest_images.testing import samples

        def test_a_makes(images): images.load(BytesIO(samples.image("a").archive("made:1")))
        def test_b_dies(images): os._exit(1)
        def test_c_finds(images): assert images.exists("made:1")
        """
    )
    result = pytester.runpytest_subprocess("-n", "1", "-p", "no:randomly")
    result.assert_outcomes(passed=2, failed=1)
    assert ids(pytester).keys() == {"main", "gw0", "gw1"}
    assert len(set(ids(pytester).values())) == 1
    assert aftermath.is_clean()


def test_the_summary_is_the_controllers_alone(pytester: pytest.Pytester) -> None:
    """`pytest_terminal_summary` is called in workers too, and before `pytest_unconfigure`."""
    pytester.makepyfile(BUILDS)
    result = pytester.runpytest_subprocess("-n", "2", "--images-durations=0")
    result.assert_outcomes(passed=4)
    out = result.stdout.str()
    assert out.count("images: 1 built") == out.count("slowest images") == 1
    assert "cleaned" in out


def test_a_fixture_that_fails_before_its_yield_leaves_nothing(
    pytester: pytest.Pytester, aftermath: Aftermath
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from io import BytesIO
        from pytest_images.testing import samples

        @pytest.fixture
        def half(image_scope, image_registry):
            image_scope.load(BytesIO(samples.image("half").archive("half:1")))
            image_scope.tag("half:1", image_registry.reference("half:1"))
            image_scope.push(image_registry.reference("half:1"))
            raise ValueError("half way")
            yield

        def test_a(half): pass
        def test_b(images, image_registry_session):
            assert images.ls() == ()
            assert image_registry_session.repositories() == ()
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:randomly")
    result.assert_outcomes(errors=1, passed=1)
    assert aftermath.is_clean()


def test_what_was_pulled_last_stays_however_old_the_image_is(
    pytester: pytest.Pytester, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The age of a cached image is the time since its use, not since it was created."""
    layers = {}
    with Registry.serving() as registry:
        space = registry.namespace()
        with Host(home=pytester.path / "publisher", load_entry_points=False) as host:
            for name, epoch in (("young", str(int(time.time()))), ("old", "0")):
                host.images.build(
                    {"noise": os.urandom(100_000)},
                    dockerfile_text="FROM scratch\nCOPY noise /",
                    args={"SOURCE_DATE_EPOCH": epoch},
                    tags=space.reference(f"{name}:1"),
                )
                image = host.images.inspect(space.reference(f"{name}:1")).image
                host.images.push(space.reference(f"{name}:1"))
                layers[name] = image
        assert str(layers["old"].created) < "2000" < str(layers["young"].created)
        monkeypatch.setenv("PYTEST_IMAGES_BUDGET", "150000")  # bytes: one of the two
        for name in ("young", "old"):
            reference = str(space.reference(f"{name}:1"))
            pytester.makepyfile(f"def test_it(images): images.pull({reference!r})")
            pytester.runpytest_subprocess().assert_outcomes(passed=1)
            time.sleep(1.1)  # times of use are told apart by the second
    with Store.open(home) as store:
        assert [name for name in layers if store.has(layers[name].id)] == ["old"]


NAMES_OF_OTHERS = ("image", "registry", "host", "docker_client", "container", "docker_services")


def test_the_fixture_names_of_others_are_not_taken(pytester: pytest.Pytester) -> None:
    plugin = pytester.runpytest("--fixtures", "-v").stdout.str()
    for name in NAMES_OF_OTHERS:
        assert f"\n{name} " not in plugin and f"\n{name}\n" not in plugin
    fixtures = "\n".join(
        f"@pytest.fixture\ndef {name}(): return 'theirs'" for name in NAMES_OF_OTHERS
    )
    pytester.makepyfile(
        f"import pytest\n{fixtures}\n"
        f"def test_it(images, {', '.join(NAMES_OF_OTHERS)}): assert image == host == 'theirs'\n"
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


NO_DAEMON = """
    import sys

    seen = []

    def hear(event, details):
        if event == "socket.connect" and isinstance(details[1], (str, bytes)):
            seen.append(("connects to", details[1]))
        elif event in ("subprocess.Popen", "os.posix_spawn", "os.system"):
            seen.append(("starts", details[0]))

    sys.addaudithook(hear)
    def pytest_sessionfinish(): print("seen:", seen)
"""
EVERYTHING = """
    from pytest_images import built, tagged

    app = built({"a": b"1"}, dockerfile_text="FROM scratch\\nCOPY a /", tags="app:1")
    named = tagged(app, "named:1")

    def test_all(images, named, image_registry, tmp_path):
        name = image_registry.reference("app:1")
        images.tag(named, name)
        images.push(name)
        images.rm(name)
        assert images.pull(name).id == named.id
        with open(tmp_path / "app.tar", "wb") as file:
            images.save(["named:1"], file)
        images.load(tmp_path / "app.tar")
        assert (images.files(named) / "a").read_text() == "1"
        assert len(images.history(named)) == 1
"""


def test_no_daemon_and_no_program_is_needed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, aftermath: Aftermath
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    pytester.makeconftest(NO_DAEMON)
    pytester.makepyfile(EVERYTHING)
    result = pytester.runpytest_subprocess("-s")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*seen: []"])
    assert aftermath.is_clean()
