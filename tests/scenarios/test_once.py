"""Each image is asked for once and built once: by a run, by its workers, by runs side by side.

The registries say so: what was asked of them stands in their logs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
import requests

from pytest_images.host import Host
from pytest_images.server.registry import Registry
from pytest_images.testing import samples
from tests.peers import serving_docker_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.scenarios.conftest import Aftermath

RUNS = """
    from pytest_images import Ran, hookimpl

    @hookimpl
    def build_run(step):
        with open("ran", "a") as file:
            file.write("x")
        return Ran(0, "by hand", ())
"""
SUITE = """
    import pytest
    from pytest_images import built, pulled, tagged

    one = pulled("{registry}/one:1")
    many = pulled("{registry}/many:1")
    app = built({{"a": b"1"}}, dockerfile_text="FROM {registry}/base:1\\nRUN make\\nCOPY a /\\n")
    named = tagged(app, "app:test")

    @pytest.mark.parametrize("n", range(8))
    def test_it(one, many, named, images, n): assert images.inspect(one).image.id == one.id

    @pytest.mark.image("{registry}/marked:1", "{registry}/one:1")
    def test_marked(marked_images, one): assert marked_images["{registry}/one:1"].id == one.id
"""
ONE_DOCUMENT, INDEXES = ("one", "base", "marked"), ("many",)


@dataclass
class Served:
    """A registry with the images of the suite, and what it was asked since."""

    address: str
    log: Callable[[], list[tuple[str, str]]]

    def asked(self) -> Counter[str]:
        """What was asked, once for each request: ``manifests one``, or a blob's path."""
        found: Counter[str] = Counter()
        for method, path in self.log():
            if match := re.match(r"/v2/(\S+)/manifests/", path):
                found[f"manifests {match[1]}"] += 1
            elif "/blobs/" in path and method == "GET":
                found[path] += 1
        return found


@pytest.fixture(
    params=["embedded", pytest.param("distribution", marks=pytest.mark.peer("registry"))]
)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """Our registry and the real one, each with four images."""
    if request.param == "embedded":
        with Registry.serving() as ours:
            publish(str(ours), tmp_path)
            begun = len(ours.requests)
            yield Served(str(ours), lambda: [each[:2] for each in ours.requests[begun:]])
    else:
        with serving_docker_registry(tmp_path / "registry") as theirs:
            publish(str(theirs), tmp_path)
            begun = len(theirs.access_log("/v2/"))
            pattern = re.compile(r'"(GET|HEAD) (/v2/\S+) HTTP')
            yield Served(
                str(theirs),
                lambda: [pattern.findall(line)[0] for line in theirs.access_log("/v2/")[begun:]],
            )


def publish(registry: str, folder: Path) -> None:
    """Put the images there: `many` as an index of one platform, the others without."""
    with Host(home=folder / "publisher", load_entry_points=False) as host:
        for name in (*ONE_DOCUMENT, *INDEXES):
            image = samples.image(name, layers=2, size=20_000)
            host.images.load(BytesIO(image.archive(f"{registry}/{name}:1")))
            host.images.push(f"{registry}/{name}:1")
            if name in INDEXES:
                index = samples.index(image).index
                address = f"http://{registry}/v2/{name}/manifests/1"
                kind = {"Content-Type": index.media_type}
                assert requests.put(address, index.raw, headers=kind, timeout=10).ok


def planned(pytester: pytest.Pytester) -> tuple[int, int]:
    """What the plan says of the number of requests for manifests: the least and the most."""
    out = pytester.runpytest_subprocess("--images-plan").stdout.str()
    found = re.search(r"manifest requests: (\d+)(?: to (\d+))?", out)
    assert found is not None, out
    return int(found[1]), int(found[2] or found[1])


WAYS = {
    "in process": lambda pytester: pytester.runpytest_inprocess(),
    "subprocess": lambda pytester: pytester.runpytest_subprocess(),
    "four workers": lambda pytester: pytester.runpytest_subprocess("-n", "4"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_run_asks_and_builds_once_and_as_often_as_its_plan_says(
    pytester: pytest.Pytester, served: Served, aftermath: Aftermath, way: str
) -> None:
    pytester.makeconftest(RUNS)
    pytester.makepyfile(SUITE.format(registry=served.address))

    least, most = planned(pytester)
    assert served.log() == []
    WAYS[way](pytester).assert_outcomes(passed=9)
    fresh = served.asked()
    documents = {name: count for name, count in fresh.items() if name.startswith("manifests ")}
    assert documents == {
        **{f"manifests {name}": 1 for name in ONE_DOCUMENT},
        **{f"manifests {name}": 2 for name in INDEXES},
    }
    assert least <= sum(documents.values()) <= most
    assert max(fresh[path] for path in fresh if "/blobs/" in path) == 1
    assert (pytester.path / "ran").read_text() == "x"
    assert aftermath.is_clean()

    least, most = planned(pytester)  # what is known costs one request, exactly
    WAYS[way](pytester).assert_outcomes(passed=9)
    again = served.asked() - fresh
    assert sum(again.values()) == least == most == 4
    assert (pytester.path / "ran").read_text() == "x"
    assert aftermath.is_clean()


def test_runs_side_by_side_fetch_each_blob_and_run_each_command_once(
    pytester: pytest.Pytester, served: Served, aftermath: Aftermath
) -> None:
    """Y06: parallel jobs that share a store; each asks once what a tag stands for."""
    pytester.makeconftest(RUNS)
    pytester.makepyfile(SUITE.format(registry=served.address))
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider"]
    runs = [
        subprocess.Popen(command, cwd=pytester.path, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [run.communicate(timeout=200)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    asked = served.asked()
    assert max(asked[path] for path in asked if "/blobs/" in path) == 1
    assert all(asked[f"manifests {name}"] == 3 for name in ONE_DOCUMENT), asked
    assert (pytester.path / "ran").read_text() == "x"
    assert aftermath.is_clean()


KILLED = """
    import os
    from pytest_images import Ran, hookimpl

    @hookimpl
    def build_run(step):
        with open("ran", "a") as file:
            file.write("x")
        if os.path.getsize("ran") == 1:
            os.kill(os.getpid(), 9)
        return Ran(0, "by hand", ())
"""


def test_a_worker_that_is_killed_in_a_build_hands_it_on(
    pytester: pytest.Pytester, served: Served, aftermath: Aftermath
) -> None:
    """Y01: its lock is free at once; the next one builds, and no other."""
    pytester.makeconftest(KILLED)
    pytester.makepyfile(SUITE.format(registry=served.address))
    result = pytester.runpytest_subprocess("-n", "3")
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(["*worker*crashed*"])
    assert (pytester.path / "ran").read_text() == "xx"
    asked = served.asked()
    assert max(asked[path] for path in asked if "/blobs/" in path) == 1
    assert aftermath.is_clean()
