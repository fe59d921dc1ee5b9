"""The lock: tags stand for what the lock file says, whatever a registry says meanwhile."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

from pytest_images.dataclass import replace
from pytest_images.errors import ImagesError, NotLocked, TagMoved
from pytest_images.hookspecs import hookimpl
from pytest_images.policies.lock_file import Pin
from pytest_images.policies.offline import is_loopback

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_images.images import Images
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.pull import PullRequest
    from pytest_images.policies.lock_file import LockFile

    Mode = Literal["use", "update", "verify"]


class Lock:
    """Answers ``registry_resolve`` from the file (``use``), or watches the answers of others.

    ``update`` writes them down; ``verify`` raises where they differ. Names on registries of
    this machine, and names with a digest, are none of its business.
    """

    def __init__(self, file: LockFile, mode: Mode) -> None:
        """Nothing is read before the first question."""
        self.file, self.mode = file, mode
        self.changes: dict[str, str] = {}  # name -> what was written, for people
        self._pins: dict[Reference, Pin] | None = None
        self._asked: dict[Reference, Digest] = {}

    @property
    def pins(self) -> dict[Reference, Pin]:
        """What the file says; it is read once. Raises InvalidConfiguration."""
        if self._pins is None:
            self._pins = self.file.read()
        return self._pins

    @hookimpl(specname="registry_resolve", tryfirst=True)
    def answer(self, reference: Reference) -> Reference | None:
        """Answer by the file; when others are asked, ask them once a process.

        Raises NotLocked: the file is in use and does not know the name.
        """
        if is_exempt(reference):
            return None
        if self.mode == "use":
            return reference.with_digest(self._pinned(reference).digest)
        asked = self._asked.get(reference)
        return None if asked is None else reference.with_digest(asked)

    @hookimpl(wrapper=True)
    def registry_resolve(self, reference: Reference) -> Generator[None, Reference, Reference]:
        """Write down or compare what the registry says. Raises TagMoved, NotLocked."""
        __tracebackhide__ = True
        resolved = yield
        if self.mode == "use" or is_exempt(reference) or resolved is None:
            return resolved
        digest = resolved.digest
        if digest is not None:
            if self.mode == "verify":
                self._compare(reference, digest)
            elif reference not in self._asked:
                self._record(Pin(reference, digest, _today()))
            self._asked[reference] = digest
        return resolved

    @hookimpl(wrapper=True)
    def image_pull(
        self, images: Images, request: PullRequest
    ) -> Generator[None, tuple[Image, ...], tuple[Image, ...]]:
        """Write down what the images of names without a size in the file take to fetch."""
        pulled = yield
        if self.mode == "update":
            for image in pulled or ():
                self._measure(images, image)
        return pulled

    def accepts(self, image: Image, reference: Reference, *, may_ask: bool) -> bool:
        """Say whether *image*, which is here under *reference*, may be used without a pull.

        What no registry gave us is ours: built or loaded here. Otherwise its digest must be
        the one in the file, or, when others are asked, what they said in this process.
        Raises NotLocked.
        """
        own = {each.digest for each in image.digests if each.name == reference.name}
        if not own or is_exempt(reference):
            return True
        if self.mode == "use":
            return self._pinned(reference).digest in own
        return not may_ask or self._asked.get(reference) in own

    def _pinned(self, reference: Reference) -> Pin:
        pin = self.pins.get(reference)
        if pin is None:
            raise self._not_locked(reference)
        return pin

    def _not_locked(self, reference: Reference) -> NotLocked:
        error = NotLocked(reference.familiar, str(self.file))
        error.add_note(f"add it: pytest-images lock {reference.familiar}")
        error.add_note("or ask for all that the tests use: pytest --images-lock=update")
        return error

    def _compare(self, reference: Reference, found: Digest) -> None:
        pin = self._pinned(reference)
        if pin.digest != found:
            locked, since = str(pin.digest), pin.date.isoformat()
            error = TagMoved(reference.familiar, locked, since, str(found))
            error.add_note(f"- {locked}  {since}")
            error.add_note(f"+ {found}  {_today().isoformat()}")
            error.add_note(f"take the new one: pytest-images lock {reference.familiar}")
            raise error

    def _record(self, pin: Pin) -> None:
        before = self.file.record(pin)
        if before is None:
            self.changes[pin.reference.familiar] = f"added, {pin.digest}"
        elif before.digest != pin.digest:
            since = before.date.isoformat()
            self.changes[pin.reference.familiar] = (
                f"moved\n- {before.digest}  {since}\n+ {pin.digest}  {pin.date.isoformat()}"
            )

    def _measure(self, images: Images, image: Image) -> None:
        reference = image.reference
        digest = None if reference is None else self._asked.get(reference)
        if reference is None or digest is None:
            return
        pin = self.file.read().get(reference)
        if pin is None or pin.size is not None or pin.digest != digest:
            return
        try:
            manifest = images.inspect(image.id, sizes=False).manifest
        except ImagesError:  # an engine that cannot say: the size stays unknown
            return
        size = manifest.config.size + sum(layer.size for layer in manifest.layers)
        self.file.record(replace(pin, size=size))


def is_exempt(reference: Reference) -> bool:
    """Whether a name needs no lock: a digest decides it, or a registry of this machine."""
    return reference.is_pinned or is_loopback(reference.registry)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
