from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_images.errors import Conflict, InvalidAddress
from pytest_images.model.endpoint import Access
from pytest_images.model.reference import Reference
from pytest_images.server.registry import Recorded, Registry
from pytest_images.testing import samples
from tests.ledger import refused
from tests.server.account import ingests, wait_until
from tests.server.talk import Client, answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ledger import Ledger

SAMPLE = samples.image("one")
NOBODY = cast(Any, None)


def test_it_is_ready_at_once_and_stops_at_once(ledger: Ledger) -> None:
    starts, stops = [], []
    for _ in range(20):  # the best of some, for others want the processor too
        started = time.perf_counter()
        registry = Registry().start()
        starts.append(time.perf_counter() - started)
        assert answers(registry)
        stopping = time.perf_counter()
        registry.stop()
        stops.append(time.perf_counter() - stopping)
        if starts[-1] < 0.05 and stops[-1] < 2:
            break
    assert min(starts) < 0.05
    assert min(stops) < 2


def test_it_has_an_address_of_its_own(registry: Registry) -> None:
    assert registry.address.startswith("127.0.0.1:")
    assert registry.url == f"http://{registry}"
    with Registry() as other:
        assert other.address != registry.address


def test_starting_and_stopping_twice_changes_nothing(ledger: Ledger) -> None:
    registry = Registry().start()
    assert registry.start() is registry
    registry.stop()
    registry.stop()
    assert repr(registry) == f"<Registry {registry}, not running>"


def test_it_can_be_started_again(ledger: Ledger) -> None:
    registry = Registry()
    for _ in range(2):
        with registry:
            assert answers(registry)


def test_it_has_no_address_before_it_starts() -> None:
    registry = Registry()
    with pytest.raises(Conflict):
        str(registry)
    with pytest.raises(Conflict):
        _ = registry.shelf


def test_it_listens_on_other_loopback_addresses(ledger: Ledger) -> None:
    with Registry.serving(host="127.0.0.2") as registry:
        assert answers(registry)
    with Registry.serving(host="localhost") as registry:
        assert registry.address.startswith("localhost:")
        assert answers(registry)


def test_it_remembers_what_was_asked(registry: Registry, client: Client) -> None:
    client.ask("GET", "/v2/")
    client.ask("HEAD", "/v2/app/manifests/1?x=y")
    assert registry.requests == (
        ("GET", "/v2/", 200),
        Recorded("HEAD", "/v2/app/manifests/1?x=y", 404),
    )
    assert pickle.loads(pickle.dumps(registry.requests)) == registry.requests


def test_a_given_folder_keeps_its_content(tmp_path: Path) -> None:
    for round_ in range(2):
        with Registry(tmp_path / "root") as registry:
            client = Client(registry)
            if round_ == 0:
                client.push(SAMPLE, "kept")
            assert client.ask("GET", "/v2/app/manifests/kept").body == SAMPLE.manifest.raw
            client.close()


def test_two_registries_do_not_serve_one_folder(tmp_path: Path, ledger: Ledger) -> None:
    root = tmp_path / "root"
    with Registry(root), refused(Conflict, str(root), f"process {os.getpid()}"):
        Registry(root).start()
    with Registry(root):
        pass


def test_a_taken_port_is_named(registry: Registry) -> None:
    port = int(registry.address.partition(":")[2])
    with refused(InvalidAddress, str(registry), "in use"):
        Registry(port=port).start()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", ""])
def test_an_address_of_another_machine_is_named(ledger: Ledger, host: str) -> None:
    if host == "":
        with refused(InvalidAddress):
            Registry(host=host).start()
    else:
        with refused(InvalidAddress, host):
            Registry(host=host).start()


def test_it_answers_for_its_own_address_only(registry: Registry) -> None:
    ours = Reference.parse(f"{registry}/app:1")
    [endpoint] = registry.registry_endpoints(NOBODY, ours, Access.PULL) or ()
    assert (endpoint.host, endpoint.scheme) == (registry.address, "http")
    other = Reference.parse("127.0.0.1:1/app")
    assert registry.registry_endpoints(NOBODY, other, Access.PULL) is None


def test_its_own_limit_of_a_blob(ledger: Ledger) -> None:
    with Registry(blob_limit=1000) as registry:
        client = Client(registry)
        client.push_blob(b"x" * 1000)
        assert (
            client.ask("PUT", f"{client.begin()}?digest=sha256:{'0' * 64}", b"x" * 1001).status
            == 413
        )
        client.close()


def test_running_requests_finish_when_it_stops(ledger: Ledger) -> None:
    with Registry() as registry, contextlib.closing(Client(registry)) as client:
        stopper = threading.Thread(target=registry.stop)

        def pieces() -> Iterator[bytes]:
            yield b"first"
            wait_until(lambda: ingests(registry) == [5])
            stopper.start()
            wait_until(lambda: "not running" in repr(registry))
            yield b"last"

        answer = client.ask("PATCH", client.begin(), pieces())
        stopper.join()
        assert (answer.status, answer.headers["Connection"]) == (202, "close")


def test_a_forgotten_registry_goes_with_its_process(tmp_path: Path) -> None:
    script = "from pytest_images.server.registry import Registry\nprint(Registry().start())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_importing_it_is_cheap() -> None:
    script = (
        "import sys, pytest_images.server.registry\n"
        "heavy = {'requests', 'rich', 'sqlite3', 'filelock', 'tarfile', 'http.client', 'ssl',"
        " 'zstandard', 'socket', 'pytest_images.server.listener'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
