"""What could be typed next: the answers of the hidden command `__complete`.

It is given the words after the program's name, the last one unfinished, and prints a line for
each candidate: the word, a tab, what it is. The line ``:files`` says that files do too.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from pytest_images.cli.dispatch import ALIASES, GROUPS, ROOT, VERBS
from pytest_images.cli.options import UsageError, parse
from pytest_images.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_images.cli.dispatch import Verb
    from pytest_images.cli.options import Command, Option
    from pytest_images.model.image import Image

FILES = ":files"
SHELLS = ("bash", "fish", "zsh")
_OF_IMAGES = frozenset(("history", "inspect", "ls", "pull", "push", "rm", "save", "tag"))
_OF_ONE_IMAGE = frozenset(("cat", "files"))  # what follows it is inside the image
_OF_FILES = frozenset(("build", "import"))
_OF_REGISTRIES = frozenset(("login", "logout"))
_PATHS = frozenset(("file", "home", "iidfile", "input", "metadata-file", "output", "root"))
_VALUES = {
    "format": ("json", "table"),
    "network": ("default", "host", "none"),
    "progress": ("auto", "plain", "quiet", "tty"),
    "platform": ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/s390x"),
}
_FILTERS = {
    "ls": ("before=", "dangling=", "label=", "label!=", "reference=", "since=", "until="),
    "prune": ("label=", "label!=", "until="),
}


def run(words: Sequence[str]) -> int:
    """Print the candidates for the last of *words*; whatever goes wrong, there are none."""
    try:
        found = list(candidates(words or [""]))
    except Exception:  # a shell waits: an error would stand in the middle of its line
        return 1
    print("".join(f"{line}\n" for line in found), end="")
    return 0


def candidates(words: Sequence[str]) -> Iterator[str]:
    """Yield what may stand in place of the last of *words*."""
    *before, current = words
    name, typed, command = _command(before)
    if command is None:
        yield from _matching(current, {} if typed else _names(name))
        if not name:
            yield from _options(ROOT, current)
        return
    option = _awaiting(command, typed)
    if option is None and current.startswith("--") and "=" in current:
        text, _, current = current.partition("=")
        option = next((each for each in command.options if f"--{each.name}" == text), None)
        for line in _values(command, option, current) if option else ():
            yield line if line == FILES else f"{text}={line}"
    elif option is not None:
        yield from _values(command, option, current)
    elif current.startswith("-") and "--" not in typed:
        yield from _options(command, current)
    else:
        yield from _arguments(command.name, _settings(before), _plain(command, typed), current)


def _command(before: Sequence[str]) -> tuple[str, list[str], Command | None]:
    """Return what was chosen so far: a group or nothing, the words after it, the command."""
    try:
        parsed = parse(ROOT, before, interspersed=False)
    except UsageError:  # an option that waits for its value
        return "", list(before), ROOT
    if not parsed.arguments:
        return "", [], None
    first, *rest = parsed.arguments
    if first in GROUPS:
        if not rest:
            return first, [], None
        group, (first, *rest) = first, rest
    else:
        group = ""
    found = ALIASES.get(first, first)
    known = GROUPS[group][1] if group else VERBS
    if found not in known:
        return group, [first, *rest], None
    module = f"{group}_{found}" if group and group != "image" else found
    verb = cast("Verb", importlib.import_module(f"pytest_images.cli.verbs.{module}"))
    return group, rest, verb.COMMAND


def _names(group: str) -> dict[str, str]:
    if group:
        return GROUPS[group][1]
    return VERBS | {name: summary for name, (summary, _) in GROUPS.items()}


def _settings(before: Sequence[str]) -> Settings:
    return Settings.of(parse(ROOT, before, interspersed=False))


def _awaiting(command: Command, typed: Sequence[str]) -> Option | None:
    """Return the option whose value comes next."""
    last = typed[-1] if typed and "--" not in typed else ""
    for option in command.options:
        is_long = last == f"--{option.name}"
        is_short = last[:1] == "-" and last[1:2] != "-" and bool(option.short)
        if option.kind and (is_long or (is_short and last.endswith(option.short))):
            return option
    return None


def _plain(command: Command, typed: Sequence[str]) -> list[str]:
    """Return the arguments among the words typed."""
    try:
        return parse(command, typed).arguments
    except UsageError:
        return []


def _matching(current: str, known: dict[str, str]) -> Iterator[str]:
    for word, text in sorted(known.items()):
        if word.startswith(current):
            yield f"{word}\t{text}" if text else word


def _options(command: Command, current: str) -> Iterator[str]:
    if current.startswith("-"):
        known = {f"--{each.name}": each.help.partition("\n")[0] for each in command.options}
        yield from _matching(current, known | {"--help": "Print usage"})


def _values(command: Command, option: Option, current: str) -> Iterator[str]:
    if option.name in _PATHS:
        yield FILES
    elif option.name == "engine":
        from pytest_images.host import Host

        with Host() as host:
            yield from _matching(current, dict.fromkeys(host.engines, ""))
    else:
        known = _FILTERS.get(command.name, ()) if option.name == "filter" else ()
        yield from _matching(current, dict.fromkeys(known or _VALUES.get(option.name, ()), ""))


def _arguments(verb: str, settings: Settings, given: Sequence[str], current: str) -> Iterator[str]:
    if verb in _OF_IMAGES or (verb in _OF_ONE_IMAGE and not given):
        yield from _images(settings, given, current)
    elif verb in _OF_FILES and not given:
        yield FILES
    elif verb in _OF_REGISTRIES and not given:
        yield from _matching(current, dict.fromkeys(_registries(), ""))
    elif verb == "completion" and not given:
        yield from _matching(current, dict.fromkeys(SHELLS, ""))


def _images(settings: Settings, given: Sequence[str], current: str) -> Iterator[str]:
    """Yield the names that begin so, and where none does the IDs."""
    with settings.door() as images:
        found = images.ls(sizes=False)
    names = {name for image in found for name in _called(image) if name.startswith(current)}
    yield from sorted(names - set(given))
    if not names and len(current) > 1:
        yield from (image.id.short for image in found if image.id.short.startswith(current))


def _called(image: Image) -> Iterable[str]:
    return (tag.familiar for tag in image.tags)


def _registries() -> list[str]:
    """Return the registries that Docker's file has something of."""
    from pytest_images.answers.docker_config import CONFIG_FILE, DockerConfig, load, section

    path = DockerConfig().path / CONFIG_FILE
    return list(section(load(path) or {}, "auths", path))
