from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_images.server.foreground import line
from pytest_images.server.registry import Recorded
from pytest_images.testing import samples
from tests.server.talk import Client

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from pytest_images.server.foreground import serve
root = Path(sys.argv[1]) if sys.argv[1] else None
sys.exit(serve("127.0.0.1", 0, root, lambda text: print(text, flush=True), access_log=True))
"""


def serving(root: Path | None) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(root or "")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = process.stdout.readline().strip()
    assert first.startswith("Serving a registry at http://127.0.0.1:")
    return process, first.rpartition("/")[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_interrupted(number: signal.Signals) -> None:
    process, address = serving(None)
    client = Client(address)
    assert client.ask("GET", "/v2/").status == 200
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    client.close()
    assert (process.returncode, output) == (0, "GET /v2/ 200\n")


def test_a_folder_keeps_its_content_between_two_runs(tmp_path: Path) -> None:
    sample = samples.image("kept")
    for round_ in range(2):
        process, address = serving(tmp_path / "root")
        client = Client(address)
        if round_ == 0:
            client.push(sample, "1")
        assert client.ask("GET", "/v2/app/manifests/1").body == sample.manifest.raw
        client.close()
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0


def test_a_request_that_was_none_has_a_line_too() -> None:
    assert line(Recorded("", "", 400)) == "- - 400"
