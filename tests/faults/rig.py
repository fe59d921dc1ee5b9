"""One pull under observation: a fault registry, an own store, a client with small limits."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.answers.upstream import Upstream
from pytest_images.content.store import Store
from pytest_images.engine.pull import pull
from pytest_images.engine.push import push
from pytest_images.hookspecs import hookimpl
from pytest_images.host.host import Host
from pytest_images.http.limits import Limits
from pytest_images.http.proxies import Proxies
from pytest_images.model.digest import Digest
from pytest_images.model.endpoint import Access, Credentials, Endpoint
from pytest_images.model.reference import Reference
from pytest_images.model.request.pull import PullRequest
from pytest_images.model.request.push import PushRequest
from pytest_images.model.secret import Secret
from pytest_images.registry.client import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.images import Images
    from pytest_images.model.image import Image, Pushed
    from pytest_images.model.progress import Progress
    from tests.faults.server import FaultRegistry

CERTIFICATES = Path(__file__).parent / "certificates"
SECRET = "canary-password"

# The real limits, scaled to what a test may take.
SMALL = Limits(
    connect=1.0,
    idle=0.4,
    commit=1.0,
    small=1.0,
    window=0.3,
    floor=2000,
    attempts=3,
    backoff=0.01,
    backoff_cap=0.03,
    retry_after=0.3,
    patience=0.8,
    tag_pages=20,
    tags=2000,
)


@dataclass(eq=False)
class Rig:
    """A store, a client and a door to the hooks; answers where and as whom, as told."""

    store: Store
    limits: Limits = SMALL
    proxies: Proxies | None = None
    endpoints: Sequence[Endpoint] = ()
    credentials: list[Credentials] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    events: list[Progress] = field(default_factory=list)

    def __post_init__(self) -> None:
        proxies = self.proxies or Proxies()
        self.client = Client(self._who, self.events.append, limits=self.limits, proxies=proxies)
        self.upstream = Upstream(lambda: self.store, lambda: self.client)
        self.host = Host(home=self.store.root, plugins=[self], load_entry_points=False)

    def _who(
        self, registry: str, access: Access, rejected: Credentials | None
    ) -> Credentials | None:
        self.asked_for.append(registry)
        if rejected is None:
            return self.credentials[0] if self.credentials else None
        later = self.credentials[1:]
        return later[0] if later else None

    @hookimpl
    def registry_resolve(self, images: Images, reference: Reference) -> Reference:
        return self.upstream.registry_resolve(images, reference)

    @hookimpl
    def registry_endpoints(self, reference: Reference) -> Sequence[Endpoint]:
        return self.endpoints or (Endpoint(reference.registry, scheme="http"),)

    def pull(self, name: str, **options: object) -> Image:
        return self.pull_all(name, **options)[0]

    def pull_all(self, name: str, **options: object) -> tuple[Image, ...]:
        reference = Reference.parse_bare(name) if options.get("all_tags") else None
        request = PullRequest(reference or Reference.parse(name), **options)  # type: ignore[arg-type]  # as given
        return pull(self.host.images, self.store, self.client, request)

    def push(self, name: str, **options: object) -> tuple[Pushed, ...]:
        request = PushRequest(Reference.parse(name), **options)  # type: ignore[arg-type]  # as given
        return push(self.host.images, self.store, self.client, request)

    def close(self) -> None:
        self.host.close()
        self.client.close()
        self.store.close()

    def leftovers(self) -> list[str]:
        """Files of unfinished downloads, and images that were recorded."""
        ingests = [path.name for path in (self.store.root / "ingest").iterdir()]
        return ingests + [str(image) for image in self.store.images()]


def login(username: str = "me", password: str = SECRET) -> Credentials:
    """Return credentials with the canary password."""
    return Credentials(username, Secret(password))


def tls(certificate: str) -> ssl.SSLContext:
    """Return a server's context that shows *certificate*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    return context


def named(registry: FaultRegistry, how: str, name: str = "app", tag: str = "1") -> str:
    """Return the reference of *name* by ``tag`` or by ``digest``."""
    if how == "tag":
        return f"{registry}/{name}:{tag}"
    return f"{registry}/{name}@{Digest.of(registry.manifests[name, tag][0])}"
