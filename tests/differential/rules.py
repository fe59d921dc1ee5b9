"""What must have a case: every option, filter, column, function and error of the operations."""

from __future__ import annotations

import importlib
import re
import shlex
from typing import TYPE_CHECKING

from pytest_images.cli.dispatch import ALIASES, module_of
from pytest_images.cli.options import UsageError, parse
from pytest_images.cli.verbs._image_rows import ImageRow
from pytest_images.engine import filters, prune
from pytest_images.template.functions import FUNCTIONS
from tests.differential.cases import VERBS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_images.cli.options import Command
    from tests.differential.case import Case

# Options that the engine does not have: those of a newer one, whose rules are restated in
# documented.py, and those that are ours alone.
NEWER = frozenset(
    {
        "history --platform",
        "inspect --platform",
        "load --platform",
        "ls --tree",
        "push --platform",
        "rm --platform",
        "save --platform",
        "ls filter until",
        "ls filter label!",
    }
)
OURS_ALONE = frozenset({"pull --all-platforms", "push --all-platforms", "save --format"})
HISTORY_FIELDS = ("ID", "CreatedSince", "CreatedAt", "CreatedBy", "Size", "Comment")
FIELDS = {"ls": ImageRow.go_fields, "history": HISTORY_FIELDS}
FILTERS = {"ls": filters.KEYS, "prune": prune.KEYS}
# The gists of the errors that each verb has, beside those of every command line.
USAGE = ("unknown flag",)
ERRORS = {
    "history": ("no such image", "invalid reference", "number of arguments"),
    "import": (
        *("not a change", "no instructions", "instruction", "import to a digest"),
        *("not an archive", "no such file", "bad platform", "unreachable"),
        *("invalid reference", "number of arguments"),
    ),
    "inspect": ("no such image", "invalid reference", "number of arguments"),
    "load": ("no such file", "not an archive", "too many arguments", "flag needs a value"),
    "ls": (
        *("bad pattern", "too many arguments", "no such image"),
        *("filter value", "unknown filter", "filter format"),
    ),
    "prune": ("filter value", "unknown filter", "filter format", "too many arguments"),
    "pull": (
        *("no such image", "no such platform", "bad platform", "unreachable"),
        *("invalid reference", "a tag with --all-tags", "number of arguments"),
    ),
    "push": (
        *("no such image", "unreachable", "push of a digest"),
        *("invalid reference", "a tag with --all-tags", "number of arguments"),
    ),
    "rm": (
        *("no such image", "several repositories", "invalid reference"),
        *("flag value", "number of arguments"),
    ),
    "save": (
        *("no such image", "no such file", "is a folder"),
        *("invalid reference", "number of arguments"),
    ),
    "tag": (
        *("no such image", "invalid reference", "tag of a digest", "a name like an ID"),
        "number of arguments",
    ),
}


def command(verb: str) -> Command:
    """Return the declaration of a verb's options."""
    module = importlib.import_module(f"pytest_images.cli.verbs.{module_of(verb)}")
    found: Command = module.COMMAND
    return found


def wanted() -> set[str]:
    """Return every rule that a real engine can judge."""
    rules = set()
    for verb in VERBS:
        rules |= {f"{verb} --{option.name}" for option in command(verb).options}
        rules |= {f"{verb} filter {key}" for key in FILTERS.get(verb, ())}
        rules |= {f"{verb} error {gist}" for gist in (*USAGE, *ERRORS[verb])}
    for verb, row in FIELDS.items():
        rules |= {f"{verb} field {name}" for name in row}
    rules |= {f"function {name}" for name in FUNCTIONS}
    rules |= {f"alias {name}" for name in ALIASES}
    rules |= {f"{verb} error ambiguous" for verb in ("history", "inspect", "rm", "save", "tag")}
    return rules - NEWER - OURS_ALONE


def covered(cases: Iterable[Case]) -> set[str]:
    """Return the rules that *cases* are about, read from their steps and errors."""
    rules = set()
    for case in cases:
        rules |= {f"{case.verb} error {gist}" for gist in case.errors}
        for line in case.steps:
            rules |= set(_of_step(shlex.split(line)))
    return rules


def _of_step(words: list[str]) -> Iterator[str]:
    verb = ALIASES.get(words[0], words[0])
    if verb not in VERBS:
        return
    if words[0] in ALIASES:
        yield f"alias {words[0]}"
    declared = command(verb)
    try:
        parsed = parse(declared, words[1:])
    except UsageError:
        return
    for option in declared.options:
        if parsed.has(option.name):
            yield f"{verb} --{option.name}"
    yield from _of_template(verb, parsed.text("format"))
    for text in parsed.texts("filter"):
        key = re.sub(r"=.*", "", text).strip()
        yield f"{verb} filter {key}"


def _of_template(verb: str, text: str) -> Iterator[str]:
    for action in re.findall(r"\{\{.*?\}\}", text):
        yield from (f"{verb} field {name}" for name in re.findall(r"\.([A-Z]\w*)", action))
        yield from (f"function {name}" for name in re.findall(r"(?<![.\w$])[a-z]+", action))
