"""One repository at one endpoint, asked with the right to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass, replace
from pytest_images.errors import AuthError, Unreachable
from pytest_images.http.session import Request, Session
from pytest_images.model.endpoint import Access, Endpoint
from pytest_images.registry.auth import Authenticator, Purpose, scope
from pytest_images.registry.hub import registry_name
from pytest_images.registry.refusals import denied, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.errors import ImagesError
    from pytest_images.http.address import Address
    from pytest_images.http.limits import Limits
    from pytest_images.http.response import Response
    from pytest_images.model.reference import Reference


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at an endpoint. ``name`` is its name there, a mirror's prefix included."""

    session: Session
    authenticator: Authenticator
    endpoint: Endpoint
    name: str
    access: Access
    retrying: Callable[[str], None] | None = None
    check: Callable[[], None] | None = None

    @classmethod
    def of(
        cls,
        session: Session,
        authenticator: Authenticator,
        endpoint: Endpoint,
        reference: Reference,
        access: Access,
    ) -> Repository:
        """Return the repository of *reference* as *endpoint* has it."""
        prefix = endpoint.prefix.strip("/")
        name = f"{prefix}/{reference.repository}" if prefix else reference.repository
        return cls(session, authenticator, endpoint, name, access)

    @property
    def limits(self) -> Limits:
        """The bounds that hold here."""
        return self.session.limits

    @property
    def server(self) -> Address:
        """The address of the endpoint; on loopback its scheme is found out first."""
        return self.session.origins.address(self.endpoint.host, self.endpoint.scheme)

    def __str__(self) -> str:
        return f"{self.endpoint.host}/{self.name}"

    def at(self, path: str) -> Address:
        """Return the address of *path* (``manifests/latest``) in this repository."""
        return self.server.at(f"/v2/{self.name}/{path}")

    def send(self, request: Request, also: Sequence[str] = ()) -> Response:
        """Send *request* to the endpoint, logging in where it asks for that.

        *also* names further repositories whose content it needs (a mount's source). Another
        server than the endpoint's own, met by a redirect or a Location, stays anonymous.
        """
        server = self.server
        request = replace(request, verify=self._verify(request.address, server))
        if request.address.origin != server.origin:
            return self._admitted(self._send(request))
        scopes = (scope(self.name, self.access), *(scope(name, Access.PULL) for name in also))
        return self._converse(request, self._purpose(server, scopes))

    def greet(self) -> None:
        """Raise unless the registry lets us in (distribution-spec, end-1); no content is asked."""
        server = self.server
        request = Request("GET", server.at("/v2/"), verify=self.endpoint.verify)
        try:
            with self._converse(request, self._purpose(server, ())) as response:
                if response.status != 200:
                    raise refusal(response, server.base, self.limits)
        except AuthError as error:  # without the advice to log in
            raise AuthError(error.source, error.reason) from None

    def _purpose(self, server: Address, scopes: tuple[str, ...]) -> Purpose:
        name = registry_name(self.endpoint.host)
        return Purpose(name, server, self.access, scopes, self.endpoint.verify)

    def _converse(self, request: Request, purpose: Purpose) -> Response:
        """Send *request*, showing who we are as far as the server asks for it."""
        tries = self.authenticator.begin()
        shown = self.authenticator.known(purpose, tries)
        while True:
            response = self._send(replace(request, authorization=shown))
            if response.status != 401 or response.address.origin != purpose.server.origin:
                return self._admitted(response)
            header = response.headers.get("WWW-Authenticate", "")
            response.drain()
            shown = self.authenticator.answer(purpose, header, tries)

    def refused(self, response: Response, missing: ImagesError | None = None) -> ImagesError:
        """Return the error that *response* means."""
        return refusal(response, str(self), self.limits, missing)

    def _send(self, request: Request) -> Response:
        try:
            return self.session.send(request, self.retrying, self.check)
        except Unreachable:
            self.session.origins.forget(self.endpoint.host)  # another may listen there now
            raise

    def _admitted(self, response: Response) -> Response:
        """Refuse the 401 of a server that we were sent to: it gets nothing of ours."""
        if response.status == 401:
            response.drain()
            raise denied(response.address.base, f"{self} sent us there, and it wants a login")
        return response

    def _verify(self, address: Address, server: Address) -> bool | str:
        """Verification is only switched off for the server it was switched off for."""
        return self.endpoint.verify if address.host == server.host else True
