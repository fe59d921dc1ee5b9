from __future__ import annotations

import signal
import urllib.request
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.cli.processes import LIMIT, running

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from pytest_images.content.store import Store
    from tests.cli.conftest import Run


def address_of(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().rsplit(" ", 1)[-1].strip()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_registry_serves_until_it_is_interrupted(number: int) -> None:
    with running("registry", "serve", "--port", "0") as process:
        with urllib.request.urlopen(f"{address_of(process)}/v2/", timeout=LIMIT) as answer:
            assert answer.status == 200
        process.send_signal(number)
        assert process.wait(LIMIT) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_what_is_pushed_stays_in_the_folder_that_was_named(
    run: Run, store: Store, tmp_path: Path
) -> None:
    samples.image("one").put(store, "app:1")
    for words in (["push"], ["pull"]):
        with running("registry", "serve", "--port=0", "--root", str(tmp_path / "r")) as process:
            name = f"{address_of(process).removeprefix('http://')}/app:1"
            run("tag", "app:1", name)
            assert run(*words, name).status == 0
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT) == 0


@pytest.mark.parametrize("port", ["http", "-1", "65536", "", "٣"])
def test_a_port_that_is_none_is_refused(run: Run, port: str) -> None:
    done = run("registry", "serve", f"--port={port}")
    assert done.status == 125
    assert 'for "--port" flag: it is no port: 0 to 65535' in done.err


def test_a_port_that_is_taken_is_an_error(run: Run) -> None:
    with running("registry", "serve", "--port", "0") as process:
        port = address_of(process).rpartition(":")[2]
        done = run("registry", "serve", "--port", port)
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith("Error: ")
