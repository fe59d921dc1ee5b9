"""A part of a registry that belongs to one test: all repositories below a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import ImageNotFound
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from pytest_images.server.registry import Registry


class Namespace:
    """The repositories of *registry* below *name*; ``str()`` begins the names of its images.

    ``namespace.reference("app:1")`` is ``127.0.0.1:43211/<name>/app:1``.
    """

    def __init__(self, registry: Registry, name: str) -> None:
        self.registry = registry
        self.name = Reference(registry.address, name).repository  # raises InvalidReference

    def reference(self, name: str) -> Reference:
        """Return the full name of ``app``, ``app:tag`` or ``app@digest`` in here."""
        return Reference.parse(f"{self}/{name}")

    def repositories(self) -> tuple[str, ...]:
        """Return the repositories that have a manifest, without the namespace's own name."""
        prefix = f"{self.name}/"
        found = self.registry.repositories()
        return tuple(name.removeprefix(prefix) for name in found if name.startswith(prefix))

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return the tags of a repository in here, in order; none for one that is not there."""
        return tuple(self.registry.shelf.tags(self._within(repository)))

    def digest(self, name: str) -> Digest:
        """Return the digest that ``app:tag`` stands for. Raises ImageNotFound."""
        reference = self.reference(name)
        if reference.digest is not None:
            return reference.digest
        found = self.registry.shelf.tagged(reference.repository, reference.tag or "")
        if found is None:
            raise ImageNotFound(str(reference), str(self.registry))
        return Digest.parse(found)

    def delete(self, name: str) -> None:
        """Take away a tag (``app:1``), or a manifest with its tags (``app@…``), or ``app`` whole.

        Raises ImageNotFound.
        """
        from pytest_images.server.manifests import remove

        reference = Reference.parse_bare(f"{self}/{name}")
        wanted = str(reference.digest) if reference.digest is not None else reference.tag
        shelf, repository = self.registry.shelf, reference.repository
        gone = remove(shelf, repository, wanted) if wanted else shelf.clear(repository)
        if not gone:
            raise ImageNotFound(str(reference), str(self.registry))

    def clear(self) -> None:
        """Delete all that is in here, blobs included. Nothing there is fine too."""
        from pytest_images.server.catalog import everything

        shelf = self.registry.shelf
        for repository in list(everything(shelf.repositories, self.name)):
            shelf.clear(repository)

    def _within(self, repository: str) -> str:
        return Reference(self.registry.address, f"{self.name}/{repository}").repository

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"

    def __repr__(self) -> str:
        return f"<Namespace {self}>"
