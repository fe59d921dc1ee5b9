"""`push`: put images into a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.interrupts import terminable
from pytest_images.cli.options import Command, Option
from pytest_images.cli.progress import PUSH, reporter
from pytest_images.cli.verbs._names import named
from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

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
    with terminable(), settings.door(show) as images, show:
        show.say(f"The push refers to repository [{reference.name}]")
        pushed = images.push(
            reference,
            all_tags=parsed.flag("all-tags"),
            platform=parsed.text("platform") or None,
            whole_index=parsed.flag("all-platforms"),
        )
        for one in pushed:
            descriptor = one.descriptor
            show.say(f"{one.reference.tag}: digest: {descriptor.digest} size: {descriptor.size}")
    if quiet:
        print(reference)
    return 0
