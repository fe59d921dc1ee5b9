from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from pytest_images.model.digest import Digest
from pytest_images.server.registry import Registry
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

ONE, TWO = samples.image("one"), samples.image("two", layers=2)
TALL = samples.image("tall", layers=6)
ARM = samples.image("arm", platform="linux/arm64")
INDEX = samples.index(ONE, ARM)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry with app:1, app:2, app:latest (as app:1), tall:1 and multi:1."""
    home = tmp_path_factory.mktemp("pushing")
    with Registry.serving() as registry, Host(home=home, load_entry_points=False) as host:
        names = {"app:1": ONE, "app:2": TWO, "app:latest": ONE, "tall:1": TALL}
        for name, sample in names.items():
            host.images.load(BytesIO(sample.archive(f"{registry}/{name}")))
            host.images.push(f"{registry}/{name}")
        multi = f"{registry}/multi:1"
        archive = BytesIO(INDEX.archive(multi))
        host.images.load(archive, platforms=["linux/amd64", "linux/arm64"])
        host.images.push(multi, whole_index=True)
        yield str(registry)


def layer_lines(sample: samples.Sample, *states: str) -> list[str]:
    layers = [Digest.of(layer).encoded[:12] for layer in sample.layers]
    return sorted(f"{layer}: {state}" for layer in layers for state in states)


def test_a_pull_prints_dockers_lines(run: Run, registry: str) -> None:
    done = run("pull", f"{registry}/app:2")
    assert (done.status, done.err) == (0, "")
    first, *layers, digest, status, name = done.out.splitlines()
    assert first == "2: Pulling from app"
    assert sorted(layers) == layer_lines(
        TWO, "Pulling fs layer", "Download complete", "Pull complete"
    )
    assert digest == f"Digest: {TWO.manifest.digest}"
    assert status == f"Status: Downloaded newer image for {registry}/app:2"
    assert name == f"{registry}/app:2"


def test_layers_are_told_of_from_the_base_before_the_first_is_here(run: Run, registry: str) -> None:
    lines = run("pull", f"{registry}/tall:1").out.splitlines()
    layers = [Digest.of(layer).encoded[:12] for layer in TALL.layers]
    assert lines[1:7] == [f"{layer}: Pulling fs layer" for layer in layers]


def test_what_is_here_is_up_to_date(run: Run, registry: str) -> None:
    run("pull", f"{registry}/app:1")
    assert run("pull", f"{registry}/app:1").out == (
        "1: Pulling from app\n"
        f"Digest: {ONE.manifest.digest}\n"
        f"Status: Image is up to date for {registry}/app:1\n"
        f"{registry}/app:1\n"
    )


def test_a_new_name_for_what_is_here_is_news(run: Run, registry: str) -> None:
    run("pull", f"{registry}/app:1")
    done = run("pull", f"{registry}/app:latest")
    assert f"Status: Downloaded newer image for {registry}/app:latest\n" in done.out


def test_of_an_image_that_is_here_no_layer_is_told(run: Run, registry: str) -> None:
    """As Docker has it: only its name is new."""
    run("pull", f"{registry}/app:1")
    assert run("pull", f"{registry}/app:latest").out == (
        "latest: Pulling from app\n"
        f"Digest: {ONE.manifest.digest}\n"
        f"Status: Downloaded newer image for {registry}/app:latest\n"
        f"{registry}/app:latest\n"
    )


def test_a_digest_makes_a_tag_idle_but_in_the_last_line(run: Run, registry: str) -> None:
    digest = ONE.manifest.digest
    lines = run("pull", f"{registry}/app:2@{digest}").out.splitlines()
    assert lines[0] == f"{registry}/app@{digest}: Pulling from app"
    assert lines[-2:] == [
        f"Status: Downloaded newer image for {registry}/app@{digest}",
        f"{registry}/app:2@{digest}",
    ]
    assert run("ls", "--digests", "-q").out.count("\n") == 1


def test_an_id_alone_is_answered_from_the_store(run: Run, registry: str) -> None:
    run("pull", "-q", f"{registry}/app:1")
    id = str(ONE.config.id)
    assert run("pull", id) == (0, f"Status: Image is up to date for {id}\n{id}\n", "")
    assert run("pull", "-q", id) == (0, f"{id}\n", "")


def test_an_id_that_is_not_here_is_refused_with_the_form_that_is_needed(run: Run) -> None:
    done = run("pull", str(TWO.config.id))
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f'Error: invalid value "{TWO.config.id}": ')
    assert "NAME@DIGEST" in done.err


def test_the_default_tag_is_told(run: Run, registry: str) -> None:
    done = run("pull", f"{registry}/app")
    assert done.out.startswith("Using default tag: latest\nlatest: Pulling from app\n")
    assert done.out.endswith(f"\n{registry}/app:latest\n")


@pytest.mark.parametrize("option", ["-q", "--quiet"])
def test_quiet_prints_the_name_only(run: Run, registry: str, option: str) -> None:
    assert run("pull", option, f"{registry}/app") == (0, f"{registry}/app:latest\n", "")


def test_a_digest_is_pulled_under_its_full_name(run: Run, registry: str) -> None:
    name = f"{registry}/app@{ONE.manifest.digest}"
    done = run("pull", name)
    assert done.out.startswith(f"{name}: Pulling from app\n")
    assert done.out.endswith(
        f"Digest: {ONE.manifest.digest}\nStatus: Downloaded newer image for {name}\n{name}\n"
    )
    assert f"Image is up to date for {name}" in run("pull", name).out


def test_all_tags_are_told_one_by_one(run: Run, registry: str) -> None:
    done = run("pull", "-a", f"{registry}/app")
    assert done.status == 0
    lines = done.out.splitlines()
    told = [line for line in lines if line.endswith("from app") or line.startswith("Digest")]
    assert told == [
        "1: Pulling from app",
        f"Digest: {ONE.manifest.digest}",
        "2: Pulling from app",
        f"Digest: {TWO.manifest.digest}",
        "latest: Pulling from app",
        f"Digest: {ONE.manifest.digest}",
    ]
    assert lines[-2:] == [f"Status: Downloaded newer image for {registry}/app", f"{registry}/app"]
    assert "Status: Image is up to date" in run("pull", "-a", f"{registry}/app").out


def test_a_tag_and_all_tags_contradict_each_other(run: Run, registry: str) -> None:
    done = run("pull", "-a", f"{registry}/app:1")
    assert (done.status, done.out) == (1, "")
    assert "tag can't be used with --all-tags/-a" in done.err


@pytest.mark.parametrize(
    "words", [["--platform", "linux/arm64"], ["--platform=linux/s390x,linux/arm64/v8"]]
)
def test_a_platform_can_be_chosen(run: Run, registry: str, words: list[str]) -> None:
    done = run("pull", *words, f"{registry}/multi:1")
    assert f"Digest: {INDEX.index.digest}\n" in done.out
    assert run("ls", "-q", "--no-trunc").out == f"{ARM.config.id}\n"


def test_dockers_variable_chooses_the_platform(
    run: Run, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64")
    run("pull", f"{registry}/multi:1")
    assert run("ls", "-q", "--no-trunc").out == f"{ARM.config.id}\n"


def test_a_platform_that_is_not_there_is_refused(run: Run, registry: str) -> None:
    done = run("pull", "--platform", "linux/s390x", f"{registry}/multi:1")
    assert done.status == 1
    assert "no manifest for platform linux/s390x" in done.err


def test_all_platforms_can_be_pulled_and_pushed_on(run: Run, registry: str) -> None:
    assert run("pull", "--all-platforms", f"{registry}/multi:1").status == 0
    run("tag", f"{registry}/multi:1", f"{registry}/copy:1")
    done = run("push", "--all-platforms", f"{registry}/copy:1")
    assert f"1: digest: {INDEX.index.digest} size: {len(INDEX.index.raw)}\n" in done.out


@pytest.mark.parametrize("name", ["app:missing", "missing:1", f"app@{Digest.of(b'missing')}"])
def test_what_the_registry_lacks_is_refused(run: Run, registry: str, name: str) -> None:
    done = run("pull", f"{registry}/{name}")
    assert done.status == 1
    assert "Status" not in done.out
    assert done.err.startswith("Error: ")
    assert name.partition("@")[0] in done.err


@pytest.mark.parametrize("name", ["UPPER", "a b", "", "f" * 64])
def test_a_text_that_is_no_name_is_refused(run: Run, name: str) -> None:
    done = run("pull", name)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: invalid reference")


def test_content_trust_cannot_be_asked_for(run: Run, registry: str) -> None:
    assert run("pull", "-q", "--disable-content-trust", f"{registry}/app:1").status == 0
    done = run("pull", "--disable-content-trust=false", f"{registry}/app:1")
    assert done.status == 1
    assert "content trust: not supported" in done.err


def test_the_home_can_be_chosen(run: Run, registry: str, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    run("--home", other, "pull", "-q", f"{registry}/app:1")
    assert run("ls", "-q").out == ""
    assert run("--home", other, "ls", "-q").out == f"{ONE.config.id.encoded[:12]}\n"
