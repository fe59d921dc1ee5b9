"""Pulling from a real registry; `tests/faults` has those that lie."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.errors import ImageNotFound, PlatformNotFound
from pytest_images.host import Host
from pytest_images.model.platform import Platform
from pytest_images.model.progress import Phase
from pytest_images.testing.samples import Sample, SampleIndex, image, index
from tests.faults.server import Fault, FaultRegistry
from tests.peers import DockerRegistry, peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.images import Images
    from pytest_images.model.progress import Progress

    Publish = Callable[..., None]

pytestmark = pytest.mark.peer("registry")

PULL = """
import sys
from pytest_images.host import Host
with Host(home=sys.argv[1], durability="fast", load_entry_points=False) as host:
    print(host.images.pull(sys.argv[2]).id)
"""


@pytest.fixture
def name(docker_registry: DockerRegistry, request: pytest.FixtureRequest) -> str:
    """A repository of this test's own in the real registry."""
    own = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"{docker_registry}/pull/{own}"


@pytest.fixture
def publish(tmp_path: Path, name: str) -> Publish:
    """Put a sample into the real registry as *name*, with a store that is not the test's."""

    def publish(sample: Sample | SampleIndex, tag: str = "1") -> None:
        folder = tmp_path / f"publish-{tag}-{time.monotonic_ns()}"
        layout = sample.layout(folder / "layout", f"{name}:{tag}")
        target = f"docker://{name}:{tag}"
        subprocess.run(
            [
                peer("skopeo"),
                "copy",
                "-q",
                "--all",
                "--dest-tls-verify=false",
                f"oci:{layout}:{tag}",
                target,
            ],
            check=True,
        )

    return publish


def log(registry: DockerRegistry, name: str) -> list[str]:
    """The method and path of each request of our own client for *name*, in order."""
    repository = name.partition("/")[2]
    lines = [line for line in registry.access_log(f"/v2/{repository}/") if "pytest-images" in line]
    return [found[1] for line in lines if (found := re.search(r'"([A-Z]+ \S+) HTTP', line))]


def test_a_pulled_image_has_the_name_asked_for_and_its_digest(
    images: Images, publish: Publish, name: str
) -> None:
    sample = image("named", layers=3)
    publish(sample)
    pulled = images.pull(f"{name}:1")
    assert (pulled.id, pulled.digest) == (sample.config.id, sample.manifest.digest)
    assert [str(tag) for tag in pulled.tags] == [f"{name}:1"]
    assert [str(pin) for pin in pulled.digests] == [f"{name}@{sample.manifest.digest}"]
    assert str(pulled.reference) == f"{name}:1"


def test_a_small_image_costs_its_round_trips_and_no_more(
    images: Images, publish: Publish, name: str, docker_registry: DockerRegistry
) -> None:
    sample = image("trips", layers=2)
    publish(sample)
    images.pull(f"{name}:1")
    path = name.partition("/")[2]
    blobs = [sample.manifest.config, *sample.manifest.layers]
    expected = [f"GET /v2/{path}/manifests/1", *(f"GET /v2/{path}/blobs/{b.digest}" for b in blobs)]
    assert sorted(log(docker_registry, name)) == sorted(expected)


def test_an_image_of_one_layer_comes_over_one_connection(images: Images) -> None:
    with FaultRegistry() as registry:
        images.pull(f"{registry.serve(image('alone'))}/app:1")
        assert len({seen.peer for seen in registry.seen}) == 1


def test_an_unchanged_image_costs_one_head(
    images: Images, publish: Publish, name: str, docker_registry: DockerRegistry
) -> None:
    publish(image("unchanged"))
    images.pull(f"{name}:1")
    before = len(log(docker_registry, name))
    images.pull(f"{name}:1")
    assert log(docker_registry, name)[before:] == [f"HEAD /v2/{name.partition('/')[2]}/manifests/1"]


def test_a_tag_that_moved_is_followed(images: Images, publish: Publish, name: str) -> None:
    one, two = image("one"), image("two")
    publish(one)
    images.pull(f"{name}:1")
    publish(two)
    assert images.pull(f"{name}:1").id == two.config.id
    assert [i.id for i in images.ls() if not i.tags] == [one.config.id]


def test_a_shared_layer_is_not_fetched_again(
    images: Images, publish: Publish, name: str, docker_registry: DockerRegistry
) -> None:
    publish(image("shared", layers=1), "1")
    publish(image("shared", layers=2), "2")
    images.pull(f"{name}:1")
    before = len(log(docker_registry, name))
    images.pull(f"{name}:2")
    assert len([line for line in log(docker_registry, name)[before:] if "/blobs/" in line]) == 2


def test_by_digest_no_tag_is_made(images: Images, publish: Publish, name: str) -> None:
    sample = image("pinned")
    publish(sample)
    for reference in (f"{name}@{sample.manifest.digest}", f"{name}:9@{sample.manifest.digest}"):
        pulled = images.pull(reference)
        assert pulled.id == sample.config.id
        assert pulled.tags == ()


def test_a_digest_that_is_here_asks_nobody(
    images: Images, publish: Publish, name: str, docker_registry: DockerRegistry
) -> None:
    sample = image("asked")
    publish(sample)
    images.pull(f"{name}@{sample.manifest.digest}")
    before = len(log(docker_registry, name))
    images.pull(f"{name}@{sample.manifest.digest}")
    assert len(log(docker_registry, name)) == before


def test_all_tags_of_a_repository_come_at_once(images: Images, publish: Publish, name: str) -> None:
    for tag in ("a", "b", "c"):
        publish(image(tag), tag)
    pulled = images.pull(name, all_tags=True)
    assert sorted(str(each.reference) for each in pulled) == [f"{name}:{tag}" for tag in "abc"]


def test_what_the_registry_has_not_is_not_found(images: Images, name: str) -> None:
    with pytest.raises(ImageNotFound, match=re.escape(name)):
        images.pull(f"{name}:none")
    with pytest.raises(ImageNotFound, match=re.escape(name)):
        images.pull(name, all_tags=True)


def test_of_an_index_only_the_platform_wanted_comes(
    images: Images, publish: Publish, name: str
) -> None:
    arm, amd = image("arm", platform="linux/arm64"), image("amd", platform="linux/amd64")
    both = index(arm, amd)
    publish(both)
    pulled = images.pull(f"{name}:1", platform="linux/arm64")
    assert pulled.id == arm.config.id
    assert [str(pin.digest) for pin in pulled.digests] == [str(both.index.digest)]
    with pytest.raises(PlatformNotFound, match="riscv64"):
        images.pull(f"{name}:1", platform="linux/riscv64")


def test_a_whole_index_is_pushed_on_unchanged(
    host: Host, images: Images, publish: Publish, name: str
) -> None:
    both = index(image("arm", platform="linux/arm64"), image("amd", platform="linux/amd64"))
    publish(both)
    images.pull(f"{name}:1", whole_index=True, platform=Platform.parse("linux/amd64"))
    images.tag(f"{name}:1", f"{name}-copy:1")
    (pushed,) = images.push(f"{name}-copy:1", whole_index=True)
    assert pushed.descriptor.digest == both.index.digest
    assert images.pull(f"{name}-copy:1", platform="linux/arm64").platform.architecture == "arm64"


def test_progress_is_told_for_each_blob(host: Host, publish: Publish, name: str) -> None:
    from pytest_images.hookspecs import hookimpl

    heard: list[Progress] = []

    class Listener:
        @hookimpl
        def images_progress(self, event: Progress) -> None:
            heard.append(event)

    host.register(Listener())
    sample = image("progress", layers=2)
    publish(sample)
    host.images.pull(f"{name}:1")
    done = {event.item for event in heard if event.phase is Phase.DONE}
    assert {str(layer.digest) for layer in sample.manifest.layers} < done
    assert {event.verb for event in heard} == {"pull"}


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True)


def test_many_processes_that_want_one_image_fetch_it_once(
    tmp_path: Path, publish: Publish, name: str, docker_registry: DockerRegistry
) -> None:
    """S09."""
    sample = image("many", layers=3, size=50_000)
    publish(sample)
    running = [run(PULL, tmp_path / "shared-home", f"{name}:1") for _ in range(6)]
    told = [process.communicate(timeout=60)[0].strip() for process in running]
    assert told == [str(sample.config.id)] * 6
    asked = [line for line in log(docker_registry, name) if line.startswith("GET")]
    assert len(asked) == len(set(asked)) == 5


def test_when_the_one_that_fetches_is_killed_another_takes_over(tmp_path: Path) -> None:
    """S09."""
    sample = image("killed", size=100_000)
    with FaultRegistry() as registry:
        registry.serve(sample)
        layer = str(sample.manifest.layers[0].digest)
        registry.on("GET", layer, Fault(stall=True, cut=50_000), nth=1)
        first = run(PULL, tmp_path / "home", f"{registry}/app:1")
        _until(lambda: bool(registry.asked("GET", layer)))
        second = run(PULL, tmp_path / "home", f"{registry}/app:1")
        time.sleep(0.3)
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
        assert second.communicate(timeout=30)[0].strip() == str(sample.config.id)
        assert len(registry.asked("GET", layer)) == 2


@pytest.mark.parametrize(
    "fault", [Fault(stall=True, cut=100), Fault(delay=90.0)], ids=["in a blob", "for an answer"]
)
def test_ctrl_c_ends_a_pull_that_waits_at_once(tmp_path: Path, fault: Fault) -> None:
    sample = image("ctrl-c", layers=3, size=100_000)
    with FaultRegistry() as registry:
        registry.serve(sample).on("GET", "/blobs/", fault)
        process = run(PULL, tmp_path / "home", f"{registry}/app:1")
        _until(lambda: len(registry.asked("GET", "/blobs/")) == 3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert time.monotonic() - began < 20  # a silent registry is waited for for 30
        assert process.returncode != 0
    with Store.open(tmp_path / "home") as store:
        if fault.delay:
            store.sweep()  # who waits for a first word cannot be told, and is left to die
        assert list((store.root / "ingest").iterdir()) == []
        assert store.fsck().clean


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


MEASURE = PULL + "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's own count")
@pytest.mark.parametrize("kernel", [True, False], ids=["splice", "read"])
def test_memory_does_not_grow_with_the_image(
    tmp_path: Path, publish: Publish, name: str, kernel: bool
) -> None:
    sample = image("large", layers=2, size=60 << 20, compression="none")
    publish(sample)
    code = MEASURE if kernel else "import os\nvars(os).pop('splice', None)\n" + MEASURE
    told, _ = run(code, tmp_path / "home", f"{name}:1").communicate(timeout=120)
    assert int(told.split()[1]) * 1024 < 60 << 20


def test_the_images_of_other_tools_are_pulled_unchanged(
    images: Images, name: str, shared: Path
) -> None:
    layouts = [path for path in sorted(shared.rglob("index.json"))]
    archives = [path for path in sorted(shared.rglob("*.tar")) if "rootfs" not in path.name]
    assert layouts or archives
    loaded = [each for path in archives[:4] for each in images.load(path)]
    for number, each in enumerate(loaded):
        target = f"{name}:{number}"
        images.tag(str(each.image.id), target)
        (pushed,) = images.push(target)
        images.rm(target, force=True)
        pulled = images.pull(target)
        assert (pulled.id, pulled.digest) == (each.image.id, pushed.descriptor.digest)
