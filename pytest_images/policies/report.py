"""Report: counts what a run did, for the summary at its end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

from pytest_images.dataclass import dataclass, field
from pytest_images.hookspecs import hookimpl
from pytest_images.policies.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from pytest_images.images import Images
    from pytest_images.model.image import BuildResult, Image, Loaded, Pushed
    from pytest_images.model.progress import Progress
    from pytest_images.model.request.build import BuildRequest
    from pytest_images.model.request.import_ import ImportRequest
    from pytest_images.model.request.load import LoadRequest
    from pytest_images.model.request.pull import PullRequest
    from pytest_images.model.request.tag import TagRequest


NAMES = ("pulled", "found", "built", "pushed", "kept")
NUMBERS = ("bytes", "cleaned", "seconds")


@dataclass(slots=True)
class Counts:
    """What one process or a whole run did; names are sets, so workers add up to one run.

    ``bytes``: what was downloaded. ``cleaned``: names and images taken away at the end.
    ``kept``: names that stay. ``seconds``: what pulls and builds took, added up.
    """

    pulled: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    built: set[str] = field(default_factory=set)
    pushed: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    bytes: int = 0
    cleaned: int = 0
    seconds: float = 0.0

    def add(self, other: Counts) -> None:
        """Add what another process did."""
        for name in NAMES:
            getattr(self, name).update(getattr(other, name))
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def to_plain(self) -> dict[str, Any]:
        """Return lists and numbers, as xdist sends them."""
        names = {name: sorted(getattr(self, name)) for name in NAMES}
        return {**names, **{name: getattr(self, name) for name in NUMBERS}}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `to_plain` gave."""
        counts = cls()
        for name in NAMES:
            getattr(counts, name).update(plain[name])
        for name in NUMBERS:
            setattr(counts, name, plain[name])
        return counts

    def __str__(self) -> str:
        cached = len(self.found - self.pulled - self.built)
        parts = [
            (len(self.pulled), f"{len(self.pulled)} pulled ({size(self.bytes)})"),
            (cached, f"{cached} from cache"),
            (len(self.built), f"{len(self.built)} built"),
            (len(self.pushed), f"{len(self.pushed)} pushed"),
            (self.cleaned, f"{self.cleaned} cleaned"),
            (len(self.kept), f"{len(self.kept)} kept"),
            (
                self.seconds and (self.pulled or self.built),
                f"{self.seconds:.1f} s in pulls and builds",
            ),
        ]
        return ", ".join(text for count, text in parts if count)


class Report:
    """Watches verbs and progress. What `Images.get` finds is told to it as progress.

    *owner* says for which test or fixture something is done just now.
    """

    def __init__(self, owner: Callable[[], str] = str) -> None:
        self.counts = Counts()
        self.journal = Journal(owner)
        self._moved: set[str] = set()  # the names that something was downloaded for
        self._lock = threading.Lock()

    @hookimpl(wrapper=True)
    def image_pull(
        self, request: PullRequest
    ) -> Generator[None, tuple[Image, ...], tuple[Image, ...]]:
        """Count the names that were pulled, and those that had all they need here."""
        with self.journal.deed("pull", str(request.reference)) as deed:
            images = yield
            names = {str(image.reference or request.reference) for image in images or ()}
            deed.names += sorted(names)
        with self._lock:
            self.counts.seconds += deed.seconds
            self.counts.pulled |= names & self._moved
            self.counts.found |= names - self._moved
        return images

    @hookimpl(wrapper=True)
    def image_build(
        self, request: BuildRequest
    ) -> Generator[None, BuildResult | None, BuildResult | None]:
        """Count the images that were built."""
        subject = str(request.tags[0]) if request.tags else ""
        with self.journal.deed("build", subject) as deed:
            result = yield
            if result is not None and result.image is not None:
                deed.names += [*map(str, request.tags)] or [str(result.image.id)]
        with self._lock:
            self.counts.seconds += deed.seconds
            self.counts.built |= set(deed.names)
        return result

    @hookimpl(wrapper=True)
    def image_load(
        self, request: LoadRequest
    ) -> Generator[None, tuple[Loaded, ...], tuple[Loaded, ...]]:
        """Write down what was loaded."""
        with self.journal.deed("load", request.name) as deed:
            loaded = yield
            deed.names += [str(one.reference or one.image.id) for one in loaded or ()]
        return loaded

    @hookimpl(wrapper=True)
    def image_import(self, request: ImportRequest) -> Generator[None, Image, Image]:
        """Write down what was imported."""
        with self.journal.deed("import", request.name) as deed:
            image = yield
            if image is not None:
                deed.names.append(str(request.reference or image.id))
        return image

    @hookimpl(wrapper=True)
    def image_tag(self, request: TagRequest) -> Generator[None, Image, Image]:
        """Write down the further name."""
        with self.journal.deed("tag", str(request.target)) as deed:
            image = yield
            deed.names.append(str(request.target))
        return image

    @hookimpl(wrapper=True)
    def image_push(self) -> Generator[None, tuple[Pushed, ...], tuple[Pushed, ...]]:
        """Count the names that were pushed."""
        pushed = yield
        with self._lock:
            self.counts.pushed |= {str(one.reference) for one in pushed or ()}
        return pushed

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Add up the bytes of finished downloads, and what was here already."""
        self.journal.hear(event)
        if event.verb == "get" and event.phase == "exists":
            self.journal.use(event.subject)
        with self._lock:
            if event.verb == "pull" and event.phase == "done" and event.item and event.done > 0:
                self.counts.bytes += event.done
                self._moved.add(event.subject)
            elif event.verb == "get" and event.phase == "exists":
                self.counts.found.add(event.subject)


def size(count: int) -> str:
    """Return *count* bytes for people, in powers of 1000 as Docker shows them.

    >>> size(7_800_000)
    '7.8MB'
    """
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:.3g}TB"
