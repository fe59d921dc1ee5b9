from __future__ import annotations

import pytest

from pytest_images.cli.help import command_help, usage_error, wrapped
from pytest_images.cli.options import Command, Option, UsageError

# Docker's own texts of `docker image rm --help`, with our name.
RM = Command(
    "rm",
    "IMAGE [IMAGE...]",
    (
        Option("platform", PLATFORM := 'Remove only the given platform variant. '
               'Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")', kind="strings"),
        Option("force", "Force removal of the image", short="f"),
        Option("no-prune", "Do not delete untagged parents"),
    ),
)  # fmt: skip
RM_HELP = """\
Usage:  pytest-images rm [OPTIONS] IMAGE [IMAGE...]

Remove one or more images

Aliases:
  pytest-images rm, pytest-images rmi

Options:
  -f, --force              Force removal of the image
      --no-prune           Do not delete untagged parents
      --platform strings   Remove only the given platform variant.
                           Formatted as "os[/arch[/variant]]" (e.g.,
                           "linux/amd64")
"""
TEMPLATE = """\
Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output \
with templates"""
TEMPLATE_WRAPPED = """\
Format output using a custom template:
                        'table':            Print output in table format
                        with column headers (default)
                        'table TEMPLATE':   Print output in table format
                        using the given Go template
                        'json':             Print in JSON format
                        'TEMPLATE':         Print output using the given
                        Go template.
                        Refer to https://docs.docker.com/go/formatting/
                        for more information about formatting output with
                        templates"""


def test_help_of_a_command_is_set_as_docker_sets_it() -> None:
    assert command_help(RM, "Remove one or more images", ["rmi"]) == RM_HELP


def test_long_texts_are_wrapped_as_docker_wraps_them() -> None:
    assert wrapped(TEMPLATE, 24, 80) == TEMPLATE_WRAPPED


def test_a_command_without_options_says_nothing_of_them() -> None:
    assert command_help(Command("tag", "A B"), "Tag").count("OPTIONS") == 0


@pytest.mark.parametrize("width", [1, 20, 40, 200])
def test_no_width_loses_a_word(width: int) -> None:
    assert wrapped(TEMPLATE, 24, width).split() == TEMPLATE.split()


def test_a_usage_error_names_the_commands_own_help() -> None:
    assert usage_error(UsageError("unknown flag: --x", RM)) == (
        "unknown flag: --x\n\n"
        "Usage:  pytest-images rm [OPTIONS] IMAGE [IMAGE...]\n\n"
        "Run 'pytest-images rm --help' for more information\n"
    )
