"""`version`: which version this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import PROGRAM, Command, Option

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

_FORMAT_HELP = """\
Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template"""
COMMAND = Command(
    "version", "", (Option("format", _FORMAT_HELP, short="f", kind="string"),), most=0
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Print the version, of Python too: reports of faults need both."""
    import platform
    from importlib.metadata import version

    ours, python = version(PROGRAM), platform.python_version()
    wanted = parsed.text("format")
    if not wanted:
        print(f"{PROGRAM} version {ours}, Python {python}")
        return 0
    from pytest_images.cli.formats import show
    from pytest_images.template.template import Template

    template = Template.parse("{{json .}}" if wanted == "json" else wanted)
    show(template.render({"Client": {"Version": ours, "Python": python}}, strict=True) + "\n")
    return 0
