"""A real Docker engine and `pytest-images`, given the same steps: they must say the same."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pytest

from tests.differential.cases import CASES
from tests.differential.differences import RULES, Said
from tests.differential.gist import gists, kind
from tests.differential.normal import normal
from tests.differential.sides import Ours, Side, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.differential.case import Case
    from tests.differential.sides import RealDocker

pytestmark = pytest.mark.peer("docker", "dockerd", "root")


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty store; neither side is told anything by the environment."""
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTEST_IMAGES_DURABILITY", "fast")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-config"))
    monkeypatch.delenv("DOCKER_DEFAULT_PLATFORM", raising=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_say_the_same(case: Case, docker: RealDocker, tmp_path: Path) -> None:
    if docker.client < case.client:
        pytest.skip(f"the client is of version {docker.client}, not {case.client}")
    theirs = _played(case, docker, tmp_path / "docker")
    ours = _played(case, Ours(), tmp_path / "ours")
    met: set[str] = set()
    for line, (docker_said, we_said) in zip(
        case.steps, zip(theirs, ours, strict=True), strict=True
    ):
        pair = docker_said, we_said
        for difference in case.differs if pair[0] != pair[1] else ():
            changed = RULES[difference](*pair)
            met |= {difference} if changed != pair else set()
            pair = changed
        assert pair[1] == pair[0], _diff(line, *pair)
    assert met == set(case.differs), "a difference that is not there any more"
    assert {kind(error) for said in ours for error in said.errors} == set(case.errors)


def _diff(line: str, docker: Said, ours: Said) -> str:
    theirs, here = (str(said).splitlines() for said in (docker, ours))
    found = difflib.unified_diff(theirs, here, "docker image", "pytest-images", lineterm="")
    return "\n".join([f"$ {line}", *found])


def _played(case: Case, program: RealDocker | Ours, folder: Path) -> list[Said]:
    """Take one side through the case; return what it said at each step."""
    said = []
    with serving(case.served, (*case.steps, *case.given)) as registry:
        side = Side(program, folder, registry)
        side.prepare(case.files)
        side.given(case)
        for line in case.steps:
            outcome = side.step(line, case.answer)
            out = normal(outcome.out.replace(program.name, "PROGRAM"), side.registry_text)
            err = normal(outcome.err.replace(program.name, "PROGRAM"), side.registry_text)
            said.append(Said.of(outcome, out, gists(err, program.name)))
    return said
