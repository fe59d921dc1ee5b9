"""`push`: put images into a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.interrupts import terminable
from pytest_images.cli.options import Command, Option
from pytest_images.cli.progress import PUSH, reporter
from pytest_images.cli.verbs._names import named
from pytest_images.errors import InvalidUsage
from pytest_images.hookspecs import hookimpl
from pytest_images.model.progress import Phase

if TYPE_CHECKING:
    from pytest_images.cli.bars import Bars
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.progress import Lines
    from pytest_images.cli.settings import Settings
    from pytest_images.images import Images
    from pytest_images.model.progress import Progress

_PLATFORM_HELP = """\
Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations \
won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"""
COMMAND = Command(
    "push",
    "NAME[:TAG]",
    (
        Option("all-tags", "Push all tags of an image to the repository", short="a"),
        Option("all-platforms", "Push the whole index that the name was pulled with"),
        Option("disable-content-trust", "Skip image signing (default true)"),
        Option("platform", _PLATFORM_HELP, kind="string"),
        Option("quiet", "Suppress verbose output", short="q"),
    ),
    least=1,
    most=1,
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Push the name, or all tags of the repository."""
    quiet = parsed.flag("quiet")
    reference = named(parsed)
    if reference.digest is not None:
        raise InvalidUsage(parsed.arguments[0], "cannot push a digest reference")
    show = reporter(PUSH, quiet=quiet)
    watch = _Watch(show)
    with terminable(), settings.door(show, watch) as images, show:
        show.say(f"The push refers to repository [{reference.name}]")
        pushed = images.push(
            reference,
            all_tags=parsed.flag("all-tags"),
            platform=parsed.text("platform") or None,
            whole_index=parsed.flag("all-platforms"),
        )
        for one in pushed:
            watch.say(str(one.reference.tag), str(one.descriptor.digest), one.descriptor.size)
    if quiet:
        print(reference)
    return 0


class _Watch:
    """Says what each tag stands for as soon as the registry has it, and once."""

    def __init__(self, show: Lines | Bars) -> None:
        self._show = show
        self._said: set[str] = set()

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        """Look for the document that a tag names; those it lists go by their digests."""
        is_tag = event.kind == "manifest" and ":" not in event.item
        if is_tag and event.phase is Phase.DONE and event.text:
            self.say(event.item, event.text, event.total)

    def say(self, tag: str, digest: str, size: int) -> None:
        """Say it of *tag*, unless it was said."""
        if tag not in self._said:
            self._said.add(tag)
            self._show.say(f"{tag}: digest: {digest} size: {size}")
