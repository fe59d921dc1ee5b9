"""What a command imports decides how long it takes: what it does not need stays away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_images.server.registry import Registry
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store

HEAVY = {
    "argparse", "asyncio", "base64", "concurrent.futures", "ctypes", "email", "filelock",
    "hashlib", "http.client", "importlib.metadata", "isal", "logging", "pickle", "platformdirs",
    "pytest", "random", "requests", "rich", "secrets", "shutil", "socket", "ssl", "subprocess",
    "tarfile", "tempfile", "textwrap", "urllib.request", "zstandard", "pytest_images.archive",
    "pytest_images.http", "pytest_images.layer", "pytest_images.server", "pytest_images.cli.bars",
    "pytest_images.cli.help", "pytest_images.cli.progress", "pytest_images.registry.client",
    "pytest_images.template", "pytest_images.host.trace",
}  # fmt: skip
# What COPY, RUN and layers need.
BUILDERS = {
    "pytest_images.builder.choosing", "pytest_images.builder.copying",
    "pytest_images.builder.layering", "pytest_images.builder.running",
    "pytest_images.builder.view", "pytest_images.dockerfile.durations",
    "pytest_images.dockerfile.mounts", "pytest_images.dockerfile.ports",
    "pytest_images.layer.compression", "pytest_images.layer.files", "pytest_images.layer.writer",
    "pytest_images.sandbox",
}  # fmt: skip
PROGRAM = """
import json, sys
from pytest_images.cli import main
status = main(sys.argv[1:])
print(json.dumps([status, sorted(sys.modules)]), file=sys.stderr)
"""


def imported_by(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True
    )
    status, modules = json.loads(done.stderr.splitlines()[-1])
    assert status == 0
    return set(modules)


@pytest.mark.parametrize(
    "words",
    [["ls"], ["ls", "-q"], ["tag", "app:1", "other:1"], ["inspect", "app:1"], ["history", "app:1"]],
)
def test_quick_commands_import_nothing_heavy(words: list[str], store: Store) -> None:
    samples.image("one").put(store, "app:1")
    imported_by("ls")  # sizes are measured, once, at the first look
    assert imported_by(*words) & HEAVY == set()


def test_the_usual_place_of_the_store_imports_nothing_heavy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_IMAGES_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert imported_by("ls") & HEAVY == set()
    assert (tmp_path / "pytest-images" / "format").exists()


@pytest.mark.parametrize(
    "words", [["ls", "--format", "{{.ID}}"], ["inspect", "-f", "{{.Id}}", "app:1"]]
)
def test_templates_bring_nothing_but_themselves(words: list[str], store: Store) -> None:
    samples.image("one").put(store, "app:1")
    imported_by("ls")
    assert imported_by(*words) & HEAVY == {"pytest_images.template"}


@pytest.mark.parametrize("verb", ["pull", "push"])
def test_a_registry_in_plain_http_needs_no_requests_and_no_builder(verb: str, store: Store) -> None:
    samples.image("one").put(store, "app:1")
    with Registry.serving() as registry:
        imported_by("tag", "app:1", f"{registry}/app:1")
        imported_by("push", f"{registry}/app:1")
        imported = imported_by(verb, f"{registry}/app:1")
    needless = {"requests", "urllib3", "logging", "filelock", "rich", "platform"}
    needless |= {"http", "email", "ssl", "random", "encodings.idna"}
    assert not (needless | {"pytest_images.dockerfile", "pytest_images.sandbox"}) & imported


SETTINGS = """\
FROM app:1
ARG version=1
ENV A=$version
LABEL one=1
USER app
CMD ["serve"]
"""
COPIES = "FROM scratch\nCOPY a /\n"


@pytest.mark.parametrize("options", [[], ["--no-cache"]])
def test_a_build_that_sets_something_imports_nothing_that_changes_files(
    options: list[str], store: Store, tmp_path: Path
) -> None:
    samples.image("one").put(store, "app:1")
    imported_by("ls")
    (tmp_path / "Dockerfile").write_text(SETTINGS)
    imported = imported_by("build", "-q", *options, str(tmp_path))
    assert imported & (BUILDERS | HEAVY) - {"pytest_images.layer"} == set()


def test_a_build_of_what_is_known_writes_no_layer_and_hashes_no_file(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(COPIES)
    (tmp_path / "a").write_text("content")
    os.utime(tmp_path / "a", (0, 0))
    os.utime(tmp_path, (0, 0))
    imported_by("build", "-q", str(tmp_path))
    needless = {"hashlib", "pytest_images.layer.writer", "pytest_images.builder.copied", "isal"}
    assert imported_by("build", "-q", str(tmp_path)) & needless == set()


def test_help_imports_no_hooks() -> None:
    assert not {"pluggy", "sqlite3", "pytest_images.host"} & imported_by("ls", "--help")


def test_a_pull_draws_no_bars_where_nobody_watches() -> None:
    from pytest_images.server.registry import Registry

    with Registry.serving() as registry:
        program = PROGRAM.replace("status = main", "status = 0 * main")
        done = subprocess.run(
            [sys.executable, "-c", program, "pull", f"{registry}/app:1"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert "rich" not in json.loads(done.stderr.splitlines()[-1])[1]
