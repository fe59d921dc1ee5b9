"""Each rule of building in a folder: what is built, held against the judge of the rule.

``docker`` is the classic builder of a real engine, ``buildah`` is `buildah bud`; what neither
has is ``documented``: the lines of the image are written down beside the Dockerfile, as the
page that the rule names has them.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.building.differences import REFUSED_BY
from tests.building.differences import RULES as DIFFERENCES
from tests.building.gist import changes, gist
from tests.building.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.images import Images
    from tests.building.judges import Builder, Built
    from tests.building.rules import Rule

CASES = Path(__file__).parent / "cases"


def judged_by(judge: str) -> list[str]:
    return sorted(name for name, rule in RULES.items() if rule.judge == judge)


@pytest.mark.parametrize("name", judged_by("docker"))
def test_docker_builds_the_same(
    name: str, docker_builder: Builder, ours: Builder, folder_of: Callable[[Path], Path]
) -> None:
    _compare(name, docker_builder, ours, folder_of(CASES / name))


@pytest.mark.parametrize("name", judged_by("buildah"))
def test_buildah_builds_the_same(
    name: str, buildah_builder: Builder, ours: Builder, folder_of: Callable[[Path], Path]
) -> None:
    _compare(name, buildah_builder, ours, folder_of(CASES / name))


@pytest.mark.parametrize("name", judged_by("documented"))
def test_what_is_built_is_as_documented(
    name: str, ours: Builder, builder_images: Images, folder_of: Callable[[Path], Path]
) -> None:
    case = CASES / name
    built = ours.build(folder_of(case), _options(case))
    if (case / "error").exists():
        assert built.error == (case / "error").read_text().removesuffix("\n")
        return
    assert not built.error
    lines = changes(_base(builder_images, case), built.lines)
    assert lines == (case / "expected").read_text().splitlines()


def _compare(name: str, judge: Builder, ours: Builder, folder: Path) -> None:
    options = _options(CASES / name)
    theirs, here = judge.build(folder, options), ours.build(folder, options)
    if bool(here.error) != bool(theirs.error):
        [difference] = RULES[name].differs or ["none"]
        refused = "ours" if here.error else "judge"
        assert REFUSED_BY.get(difference) == refused, here.error or theirs.error
        return
    _hold(RULES[name], theirs, here)


def _hold(rule: Rule, theirs: Built, here: Built) -> None:
    pair = theirs.lines, here.lines
    met: set[str] = set()
    for difference in rule.differs:
        changed = DIFFERENCES[difference](*pair)
        met |= {difference} if changed != pair else set()
        pair = changed
    assert pair[0] == pair[1], "\n".join(difflib.unified_diff(*pair, rule.judge, "ours", n=0))
    assert met == set(rule.differs), "a difference that is not there any more"


def _options(case: Path) -> str:
    path = case / "options"
    return path.read_text().strip() if path.exists() else ""


def _base(images: Images, case: Path) -> list[str]:
    """Return the lines of the image that the last stage stands on; none of scratch."""
    found = re.findall(r"^FROM (\S+)", (case / "Dockerfile").read_text(), re.MULTILINE)
    return gist(images, found[-1]) if found[-1] in {"alpine:3.20", "base:1"} else []
