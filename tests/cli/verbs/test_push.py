from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.server.registry import Registry
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE, TWO = samples.image("one"), samples.image("two")


@pytest.fixture
def registry() -> Iterator[str]:
    with Registry.serving() as registry:
        yield str(registry)


def layer(sample: samples.Sample) -> str:
    return Digest.of(sample.layers[0]).encoded[:12]


def digest_line(sample: samples.Sample, tag: str) -> str:
    return f"{tag}: digest: {sample.manifest.digest} size: {len(sample.manifest.raw)}\n"


def test_a_push_prints_dockers_lines(run: Run, store: Store, registry: str) -> None:
    ONE.put(store, f"{registry}/app:1")
    assert run("push", f"{registry}/app:1") == (
        0,
        f"The push refers to repository [{registry}/app]\n"
        f"{layer(ONE)}: Preparing\n"
        f"{layer(ONE)}: Pushed\n" + digest_line(ONE, "1"),
        "",
    )


def test_what_is_there_already_is_not_pushed_again(run: Run, store: Store, registry: str) -> None:
    ONE.put(store, f"{registry}/app:1")
    run("push", f"{registry}/app:1")
    done = run("push", f"{registry}/app:1")
    assert f"{layer(ONE)}: Layer already exists\n" in done.out
    assert "Pushed" not in done.out


def test_the_default_tag_is_told(run: Run, store: Store, registry: str) -> None:
    ONE.put(store, f"{registry}/app")
    done = run("push", f"{registry}/app")
    assert done.out.startswith("Using default tag: latest\nThe push refers to repository [")
    assert done.out.endswith(digest_line(ONE, "latest"))


def test_quiet_prints_the_name_only(run: Run, store: Store, registry: str) -> None:
    ONE.put(store, f"{registry}/app:1")
    assert run("push", "-q", f"{registry}/app:1") == (0, f"{registry}/app:1\n", "")


def test_all_tags_are_pushed(run: Run, store: Store, registry: str) -> None:
    ONE.put(store, f"{registry}/app:1")
    TWO.put(store, f"{registry}/app:2")
    done = run("push", "--all-tags", f"{registry}/app")
    assert done == (
        0,
        f"The push refers to repository [{registry}/app]\n"
        f"{layer(ONE)}: Preparing\n{layer(ONE)}: Pushed\n{digest_line(ONE, '1')}"
        f"{layer(TWO)}: Preparing\n{layer(TWO)}: Pushed\n{digest_line(TWO, '2')}",
        "",
    )


def test_layers_are_told_of_from_the_top_before_the_first_goes(
    run: Run, store: Store, registry: str
) -> None:
    tall = samples.image("tall", layers=4)
    tall.put(store, f"{registry}/app:1")
    lines = run("push", f"{registry}/app:1").out.splitlines()[1:]
    layers = [Digest.of(content).encoded[:12] for content in reversed(tall.layers)]
    assert lines[:4] == [f"{name}: Preparing" for name in layers]
    assert set(lines[4:8]) == {f"{name}: Pushed" for name in layers}


def test_of_an_index_only_what_the_tag_stands_for_is_told(
    run: Run, store: Store, registry: str
) -> None:
    both = samples.index(ONE, arm := samples.image("arm", platform="linux/arm64"))
    for digest, content in both.blobs.items():
        store.put(content, digest)
    name = Reference.parse(f"{registry}/app:1")
    store.add(ONE.manifest, ONE.config, [name], index=both.index.digest)
    out = run("push", "--all-platforms", str(name)).out
    size = len(both.index.raw)
    assert out.endswith(f"1: digest: {both.index.digest} size: {size}\n")
    assert out.count("digest: ") == 1
    assert f"{layer(arm)}: Pushed" in out


def test_a_tag_and_all_tags_contradict_each_other(run: Run, registry: str) -> None:
    done = run("push", "-a", f"{registry}/app:1")
    assert (done.status, done.out) == (1, "")
    assert "tag can't be used with --all-tags/-a" in done.err


def test_a_digest_cannot_be_pushed(run: Run, registry: str) -> None:
    done = run("push", f"{registry}/app@{ONE.manifest.digest}")
    assert (done.status, done.out) == (1, "")
    assert "cannot push a digest reference" in done.err


@pytest.mark.parametrize("words", [["app:1"], ["-a", "app"]])
def test_what_is_not_here_is_refused(run: Run, registry: str, words: list[str]) -> None:
    *options, name = words
    done = run("push", *options, f"{registry}/{name}")
    assert done.status == 1
    assert done.err.startswith(f"Error: No such image: {registry}/app")


def test_a_layer_of_another_repository_is_mounted(run: Run, store: Store, registry: str) -> None:
    ONE.put(store, f"{registry}/app:1", f"{registry}/copy:1")
    run("push", f"{registry}/app:1")
    done = run("push", f"{registry}/copy:1")
    assert f"{layer(ONE)}: Mounted from app\n" in done.out
