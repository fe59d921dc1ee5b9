"""Many builds at once, and builds that are killed: row B21."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from tests.sandbox.conftest import require_sandbox
from tests.sandbox.test_run import assert_gone
from tests.survival.scenarios import build, build_run

if TYPE_CHECKING:
    from types import ModuleType

BUILDER = """
import sys
from pathlib import Path
from pytest_images.host import Host
home, text, name = sys.argv[1:]
with Host(home=Path(home), load_entry_points=False) as host:
    context = Path(home).with_name("context")
    result = host.images.build(context, dockerfile_text=text, tags=name)
print(result.image.id, result.log.count("CACHED"))
"""


def started(root: Path, text: str, name: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", BUILDER, str(root), text, name]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)


def clean(store: Store, scene: ModuleType) -> None:
    report = store.fsck()
    assert report.clean, report.problems
    build.no_half_layers(store)
    if scene is build_run:
        assert_gone(build_run.MARK)
    assert str(store.root) not in Path("/proc/self/mounts").read_text()


@pytest.fixture(params=[build, build_run], ids=["copies", "commands"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> ModuleType:
    scene: ModuleType = request.param
    if scene is build_run:
        require_sandbox(tmp_path)
    scene.prepare(tmp_path / "home/store")
    return scene


def test_of_two_builds_of_one_context_each_step_is_done_by_one(
    scene: ModuleType, tmp_path: Path
) -> None:
    """B21: both give the one image."""
    root = tmp_path / "home/store"
    builds = [started(root, scene.TEXT, f"app:{number}") for number in range(2)]
    said = [each.communicate(timeout=60)[0].split() for each in builds]
    assert [each.returncode for each in builds] == [0, 0]
    assert {image for image, _ in said} == {scene.ID}
    steps = sum(line.startswith(("COPY", "RUN", "WORKDIR")) for line in scene.TEXT.splitlines())
    known = 1 if scene is build else 0  # a step that was there before, for both
    assert sum(int(cached) for _, cached in said) == steps + known
    with Store.open(root) as store:
        clean(store, scene)


def test_a_build_killed_at_twenty_moments_leaves_nothing_and_the_next_is_right(
    scene: ModuleType, tmp_path: Path
) -> None:
    """B21, X13: from its start to its end, by a clock; the gate kills at each operation."""
    root = tmp_path / "home/store"
    begun = time.monotonic()
    assert started(root, scene.TEXT, "timed:1").communicate(timeout=60)[0]
    took = time.monotonic() - begun
    for moment in range(20):
        text = scene.TEXT.replace("FROM", f"# {moment}\nFROM", 1)
        text = text.replace("COPY small /", f"COPY small /\nWORKDIR /{moment}")
        victim = started(root, text, f"app:{moment}")
        time.sleep(took * moment / 20)
        os.kill(victim.pid, signal.SIGKILL)
        victim.communicate(timeout=60)
        with Store.open(root) as store:
            clean(store, scene)
    image, cached = started(root, scene.TEXT, "app:1").communicate(timeout=60)[0].split()
    assert image == scene.ID
    assert int(cached) > 0
