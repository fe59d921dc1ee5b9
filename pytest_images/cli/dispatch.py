"""Which words name which command; the one named is imported and run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from pytest_images.cli.options import PROGRAM, Command, UsageError, check_arguments, parse
from pytest_images.cli.settings import OPTIONS, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from pytest_images.cli.options import Parsed

    class Verb(Protocol):
        """What a module in `verbs` is."""

        COMMAND: Command

        def run(self, parsed: Parsed, settings: Settings) -> int:
            """Do it; return the exit status."""


IMAGE_VERBS = {
    "build": "Build an image from a Dockerfile",
    "history": "Show the history of an image",
    "import": "Import the contents from a tarball to create a filesystem image",
    "inspect": "Display detailed information on one or more images",
    "load": "Load an image from a tar archive or STDIN",
    "ls": "List images",
    "prune": "Remove unused images",
    "pull": "Download an image from a registry",
    "push": "Upload an image to a registry",
    "rm": "Remove one or more images",
    "save": "Save one or more images to a tar archive (streamed to STDOUT by default)",
    "tag": "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
}
INSIDE_VERBS = {
    "cat": "Write files of an image to STDOUT",
    "files": "List the files of an image",
}
STORE_VERBS = {
    "df": "Show what the store holds and what of it can be reclaimed",
    "fsck": "Check the store, and repair it",
}
REGISTRY_VERBS = {
    "lock": "Write down what names stand for in images.lock, or check it",
    "login": "Authenticate to a registry",
    "logout": "Log out from a registry",
}
OTHER_VERBS = {
    "completion": "Print the script that completes words in bash, zsh or fish",
    "version": "Show the version information",
}
COMPLETE = "__complete"  # asked by those scripts, and not shown
GROUPS = {
    "image": ("Manage images", IMAGE_VERBS),
    "registry": ("Manage throw-away registries", {"serve": "Run a registry in the foreground"}),
}
VERBS = IMAGE_VERBS | INSIDE_VERBS | STORE_VERBS | REGISTRY_VERBS | OTHER_VERBS
ALIASES = {"images": "ls", "list": "ls", "rmi": "rm", "remove": "rm"}
ROOT = Command("", "COMMAND", OPTIONS)


def dispatch(words: Sequence[str]) -> int:
    """Run the command that *words* name and return its exit status."""
    if words[:1] == [COMPLETE]:
        from pytest_images.cli.completing import run

        return run(words[1:])
    parsed = parse(ROOT, words, interspersed=False)
    if parsed.flag("version"):
        return _run("version", [], Settings.of(parsed))
    if parsed.wants_help or not parsed.arguments:
        return _print_help()
    name, rest = parsed.arguments[0], parsed.arguments[1:]
    if name == "help":
        return dispatch([*rest, "--help"])
    if name in GROUPS:
        return _group(name, rest, Settings.of(parsed))
    return _run(_verb(name, "", VERBS), rest, Settings.of(parsed))


def wants_debug(words: Sequence[str]) -> bool:
    """Whether the words before the command ask for tracebacks."""
    try:
        return parse(ROOT, words, interspersed=False).flag("debug")
    except UsageError:
        return False


def _group(group: str, words: list[str], settings: Settings) -> int:
    command = Command(group, "COMMAND")
    parsed = parse(command, words, interspersed=False)
    if parsed.wants_help or not parsed.arguments:
        return _print_group_help(command)
    name = _verb(parsed.arguments[0], f"{group} ", GROUPS[group][1])
    return _run(name if group == "image" else f"{group} {name}", parsed.arguments[1:], settings)


def _verb(name: str, prefix: str, verbs: dict[str, str]) -> str:
    """Return the command that *name* is in full. Raises UsageError."""
    found = ALIASES.get(name, name) if verbs is not GROUPS["registry"][1] else name
    if found in verbs:
        return found
    raise UsageError(f"{PROGRAM}: unknown command: {PROGRAM} {prefix}{name}", None, 1)


def _run(name: str, words: list[str], settings: Settings) -> int:
    module = importlib.import_module(f"pytest_images.cli.verbs.{module_of(name)}")
    verb = cast("Verb", module)
    parsed = parse(verb.COMMAND, words)
    if parsed.wants_help:
        return _print_command_help(name, verb.COMMAND)
    check_arguments(verb.COMMAND, len(parsed.arguments))
    return verb.run(parsed, settings)


def module_of(name: str) -> str:
    """Return the module of a command; a word of Python's own cannot name one."""
    return "import_" if name == "import" else name.replace(" ", "_")


def _print_command_help(name: str, command: Command) -> int:
    from pytest_images.cli.help import command_help

    group, _, last = name.rpartition(" ")
    summary = (GROUPS[group][1] if group else VERBS)[last]
    aliases = [alias for alias, found in ALIASES.items() if found == name]
    print(command_help(command, summary, aliases), end="")
    return 0


def _print_group_help(command: Command) -> int:
    from pytest_images.cli.help import group_help

    summary, verbs = GROUPS[command.name]
    print(group_help(command.usage, summary, {"Commands": verbs}))
    print(f"Run '{command.full} COMMAND --help' for more information on a command.")
    return 0


def _print_help() -> int:
    from pytest_images.cli.help import global_options, group_help

    groups = {name: summary for name, (summary, _) in GROUPS.items()}
    sections = {
        "Commands": IMAGE_VERBS,
        "Commands to Look Inside": INSIDE_VERBS,
        "Store Commands": STORE_VERBS,
        "Registry Commands": REGISTRY_VERBS,
        "Management Commands": groups | OTHER_VERBS,
    }
    print(group_help(ROOT.usage, "Container images without a daemon", sections), end="")
    print(global_options(OPTIONS))
    print(f"Run '{PROGRAM} COMMAND --help' for more information on a command.")
    return 0
