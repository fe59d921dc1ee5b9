"""Pull and push, as commands and inside a process, beside skopeo."""

from __future__ import annotations

import http.client
import itertools
import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from benchmarks import peers, workload
from benchmarks.timing import Contestant, alternate, command, table
from pytest_images import Host
from pytest_images.model import media_types

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SKOPEO_PULL = "skopeo docker: -> oci:"
SKOPEO_PUSH = "skopeo oci: -> docker:"
BARE = "http.client: the requests alone"
CURL = "curl: its largest blob alone"


def pull(folder: Path, rounds: int, sizes: str) -> None:
    """Pull into an empty store, from a real registry on loopback, default durability."""
    skopeo = peers.find("skopeo")
    if skopeo is None:
        return
    with peers.docker_registry(folder / "registry") as address:
        for size in sizes:
            name = f"{address}/bench/{size.lower()}:1"
            layout = workload.layout(folder / "images", size)
            _copy(skopeo, "--dest-tls-verify=false", f"oci:{layout}:1", f"docker://{name}")
            bench = _Pull(skopeo, name, folder / "fresh")
            table(f"pull {size}", alternate(bench.contestants(), rounds), SKOPEO_PULL)
            table(f"pull {size} again, unchanged", alternate(bench.unchanged(), rounds))


def push(folder: Path, rounds: int, sizes: str) -> None:
    """Push into a real registry on loopback that is emptied each time: nothing can be mounted."""
    skopeo = peers.find("skopeo")
    if skopeo is None:
        return
    with peers.docker_registry(folder / "push-registry") as address:
        for size in sizes:
            layout = workload.layout(folder / "images", size)
            store, kept = folder / f"push-store-{size}", folder / "push-registry" / "docker"
            bench = _Push(skopeo, address, layout, store, kept)
            table(f"push {size}", alternate(bench.contestants(), rounds), SKOPEO_PUSH)


@dataclass
class _Pull:
    skopeo: str
    name: str
    fresh: Path

    def contestants(self) -> list[Contestant]:
        return [
            Contestant("pull, command", self._empty, self._by_command),
            Contestant("pull, in a process", self._empty, self._in_process),
            Contestant(BARE, lambda: None, lambda _: self._bare()),
            Contestant(SKOPEO_PULL, self._empty, self._by_skopeo),
        ]

    def unchanged(self) -> list[Contestant]:
        """The same pull where everything is here already: one HEAD."""
        host = Host(home=self.fresh.with_name("kept"), load_entry_points=False)
        host.images.pull(self.name)
        return [
            Contestant(
                "in a process", lambda: None, lambda _: bool(host.images.pull(self.name)) - 1
            )
        ]

    def _empty(self) -> Path:
        shutil.rmtree(self.fresh, ignore_errors=True)
        return self.fresh

    def _by_skopeo(self, fresh: Path) -> int:
        return _copy(
            self.skopeo, "--src-tls-verify=false", f"docker://{self.name}", f"oci:{fresh}:1"
        )

    def _bare(self) -> int:
        """Ask for what a pull asks for, one after the other, and keep nothing."""
        address, _, path = self.name.partition("/")
        repository, _, tag = path.rpartition(":")
        connection = http.client.HTTPConnection(address)
        manifest = json.loads(_got(connection, f"/v2/{repository}/manifests/{tag}"))
        for blob in (manifest["config"], *manifest["layers"]):
            _got(connection, f"/v2/{repository}/blobs/{blob['digest']}")
        connection.close()
        return 0

    def _by_command(self, fresh: Path) -> int:
        return command(*peers.OURS, "pull", "-q", self.name, env={"PYTEST_IMAGES_HOME": str(fresh)})

    def _in_process(self, fresh: Path) -> int:
        with Host(home=fresh, load_entry_points=False) as host:
            host.images.pull(self.name)
        return 0


@dataclass
class _Push:
    skopeo: str
    address: str
    layout: Path
    store: Path
    kept: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def contestants(self) -> list[Contestant]:
        with Host(home=self.store, load_entry_points=False) as host:
            host.images.load(self.layout)
        return [
            Contestant("push, command", self._tagged, self._by_command),
            Contestant("push, in a process", self._tagged, self._in_process),
            Contestant(SKOPEO_PUSH, self._new_name, self._by_skopeo),
            *self._bound(),
        ]

    def _bound(self) -> list[Contestant]:
        """What the registry itself takes for the bulk of the image, whoever sends it."""
        curl = peers.find("curl")
        if curl is None:
            return []
        largest = max((self.layout / "blobs" / "sha256").iterdir(), key=lambda p: p.stat().st_size)
        return [Contestant(CURL, self._new_name, lambda name: self._by_curl(curl, name, largest))]

    def _by_curl(self, curl: str, name: str, blob: Path) -> int:
        repository = name.partition("/")[2].rpartition(":")[0]
        connection = http.client.HTTPConnection(self.address)
        connection.request("POST", f"/v2/{repository}/blobs/uploads/")
        place = connection.getresponse().headers["Location"]
        connection.close()
        to = f"{urljoin(f'http://{self.address}', place)}&digest=sha256:{blob.name}"
        return command(curl, "-sf", "-T", str(blob), to)

    def _new_name(self) -> str:
        shutil.rmtree(self.kept, ignore_errors=True)
        return f"{self.address}/bench/n{next(self.numbers)}:1"

    def _tagged(self) -> str:
        name = self._new_name()
        with Host(home=self.store, load_entry_points=False) as host:
            host.images.tag(host.images.ls()[0].id, name)
        return name

    def _by_skopeo(self, name: str) -> int:
        return _copy(
            self.skopeo, "--dest-tls-verify=false", f"oci:{self.layout}:1", f"docker://{name}"
        )

    def _by_command(self, name: str) -> int:
        return command(*peers.OURS, "push", "-q", name, env={"PYTEST_IMAGES_HOME": str(self.store)})

    def _in_process(self, name: str) -> int:
        with Host(home=self.store, load_entry_points=False) as host:
            host.images.push(name)
        return 0


def _got(connection: http.client.HTTPConnection, path: str) -> bytes:
    accepted = f"{media_types.OCI_MANIFEST}, {media_types.DOCKER_MANIFEST}"
    connection.request("GET", path, headers={"Accept": accepted})
    return connection.getresponse().read()


def _copy(skopeo: str, *words: str) -> int:
    return command(skopeo, "--insecure-policy", "copy", "-q", *words)
