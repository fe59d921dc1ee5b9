"""`pull`: bring images from a registry."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pytest_images.cli.interrupts import terminable
from pytest_images.cli.options import Command, Option
from pytest_images.cli.progress import PULL, is_shown, reporter
from pytest_images.cli.verbs._names import named
from pytest_images.errors import ImageNotFound, InvalidUsage
from pytest_images.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_images.cli.bars import Bars
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.progress import Lines
    from pytest_images.cli.settings import Settings
    from pytest_images.images import Images
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import Image
    from pytest_images.model.progress import Progress
    from pytest_images.model.reference import Reference

NEW, SAME = "Downloaded newer image", "Image is up to date"
DEFAULT_PLATFORM = "DOCKER_DEFAULT_PLATFORM"
COMMAND = Command(
    "pull",
    "NAME[:TAG|@DIGEST]",
    (
        Option("all-tags", "Download all tagged images in the repository", short="a"),
        Option("all-platforms", "Download every platform, to push the index on unchanged"),
        Option("disable-content-trust", "Skip image verification (default true)"),
        Option(
            "platform",
            "Set platform if server is multi-platform capable; of several the first there is",
            kind="strings",
            repeats=True,
        ),
        Option("quiet", "Suppress verbose output", short="q"),
    ),
    least=1,
    most=1,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Pull the image, or all of the repository."""
    if re.fullmatch("sha256:[0-9a-f]{64}", parsed.arguments[0]):
        return _by_id(parsed.arguments[0], settings, quiet=parsed.flag("quiet"))
    quiet, reference = parsed.flag("quiet"), named(parsed)
    show = reporter(PULL, quiet=quiet)
    watch = _Watch(show, reference)
    with terminable(), settings.door(show, watch) as images:
        before = frozenset() if quiet else _standing(images, reference)
        with show:
            pulled = _pull(images, reference, parsed)
            watch.end()
    if not quiet:
        is_new = any((image.reference, image.id) not in before for image in pulled)
        print(f"Status: {NEW if is_new else SAME} for {_asked(reference).familiar}")
    print(reference)
    return 0


def _by_id(text: str, settings: Settings, *, quiet: bool) -> int:
    """Answer for an image that is here: a registry finds nothing by an ID alone."""
    try:
        with settings.door() as images:
            image = images.inspect(text, sizes=False).image
    except ImageNotFound as error:
        reason = "a registry is asked by name, with a tag or as NAME@DIGEST"
        raise InvalidUsage(text, reason) from error
    if not quiet:
        print(f"Status: {SAME} for {image.id}")
    print(image.id)
    return 0


def _pull(images: Images, reference: Reference, parsed: Parsed) -> tuple[Image, ...]:
    platform = ",".join(parsed.texts("platform")) or os.environ.get(DEFAULT_PLATFORM) or None
    whole = parsed.flag("all-platforms")
    if parsed.flag("all-tags"):
        return images.pull(reference, platform=platform, all_tags=True, whole_index=whole)
    return (images.pull(reference, platform=platform, whole_index=whole),)


def _standing(images: Images, reference: Reference) -> frozenset[tuple[Reference | None, Digest]]:
    """Say which images the name, or all names of the repository, stand for here."""
    if reference.tag is None and reference.digest is None:
        found = images.ls(reference.familiar, sizes=False)
        return frozenset((name, image.id) for image in found for name in image.tags)
    try:
        return frozenset([(reference, images.inspect(reference).image.id)])
    except ImageNotFound:
        return frozenset()


class _Watch:
    """Says what a name stands for, when the question was answered and when its layers are here.

    For a digest nobody was asked yet: it is said when a first part of the image is found.
    """

    def __init__(self, show: Lines | Bars, wanted: Reference) -> None:
        self._show, self._wanted = show, wanted
        self._pinned: Reference | None = None
        self._unsaid = ""

    @hookimpl(wrapper=True)
    def registry_resolve(
        self, images: Images, reference: Reference
    ) -> Generator[None, Reference | None, Reference | None]:
        """Look at the answer; it is not changed."""
        pinned = yield
        if pinned is not None and reference.name == self._wanted.name and pinned != self._pinned:
            self.end()
            self._pinned = pinned
            subject = str(_asked(reference)) if reference.digest else reference.tag
            self._unsaid = f"{subject}: Pulling from {reference.repository}"
            if reference.digest is None:
                self._announce()
        return pinned

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Announce a digest when something of its image moves."""
        if is_shown(event):
            self._announce()

    def end(self) -> None:
        """Say the digest of what was pulled last."""
        if self._pinned is not None:
            self._announce()
            self._show.say(f"Digest: {self._pinned.digest}")
            self._pinned = None

    def _announce(self) -> None:
        unsaid, self._unsaid = self._unsaid, ""
        if unsaid:
            self._show.say(unsaid)


def _asked(reference: Reference) -> Reference:
    """Return what a registry is asked for: where a digest is named, the tag says nothing."""
    if reference.digest is None:
        return reference
    return reference.with_tag(None).with_digest(reference.digest)
