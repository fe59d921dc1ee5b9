"""The third phase: one logical line to one instruction (BuildKit's ``instructions/parse.go``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_images.dockerfile import heredoc, words
from pytest_images.dockerfile.flags import Flags, Known
from pytest_images.dockerfile.instructions import (
    Add,
    Arg,
    Cmd,
    CommandLine,
    Copy,
    Declaration,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    OnBuild,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from pytest_images.dockerfile.lines import DockerfileWarning, Line, Lines
from pytest_images.dockerfile.malformed import Malformed, hint
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.dockerfile.heredoc import Heredoc

_STAGE_NAME = regex(r"[a-z][a-z0-9\-_.]*")
_ONBUILD = regex(r"\s*ONBUILD\s*", re.IGNORECASE)
_NOT_TRIGGERS = frozenset({"MAINTAINER", "FROM"})
_NETWORKS = ("default", "none", "host")
_SHORTEST = 10**6  # nanoseconds
_RETRIES_LIMIT = (1 << 31) - 1

NO_FLAGS = Known()
_FROM = Known(texts=frozenset({"platform"}))
_RUN = Known(texts=frozenset({"network", "security"}), lists=frozenset({"mount", "device"}))
_COPY = Known(
    texts=frozenset({"from", "chown", "chmod"}),
    lists=frozenset({"exclude"}),
    switches=frozenset({"link", "parents"}),
)
_ADD = Known(
    texts=frozenset({"chown", "chmod", "checksum"}),
    lists=frozenset({"exclude"}),
    switches=frozenset({"link", "keep-git-dir", "unpack"}),
)
_HEALTH = Known(
    texts=frozenset({"interval", "timeout", "start-period", "start-interval", "retries"})
)


class _Reader:
    """One line on its way to an instruction."""

    __slots__ = ("arguments", "escape", "flags", "heredocs", "line", "warnings")

    def __init__(self, line: Line, escape: str, split: words.Split, known: Known) -> None:
        self.line, self.escape, self.arguments = line, escape, split.arguments
        self.heredocs = line.heredocs
        self.flags = Flags(split.flags, known)
        self.warnings: list[DockerfileWarning] = []

    def warn(self, rule: str, message: str) -> None:
        """Remember what should not be written so."""
        self.warnings.append(DockerfileWarning(rule, message, self.line.place))

    def whole(self, keyword: str) -> str:
        """Return the arguments as the one they are."""
        if not self.arguments:
            raise Malformed(f"{keyword} requires exactly one argument")
        return self.arguments

    def some(self, keyword: str) -> str:
        """Return the arguments, of which there has to be one at least."""
        if not self.arguments:
            raise Malformed(f"{keyword} requires at least one argument")
        return self.arguments


def read_instruction(
    line: Line, escape: str, warnings: list[DockerfileWarning] | None = None
) -> Instruction:
    """Return what *line* says; *warnings* gets what should not be written so.

    Raises InvalidDockerfile.
    """
    try:
        split = words.split(line.text, escape)
        known, read = _kind(split.keyword)
        reader = _Reader(line, escape, split, known)
        instruction = read(reader)
    except Malformed as problem:
        raise line.place.error(str(problem)) from problem
    if warnings is not None:
        warnings += reader.warnings
    return instruction


def read_trigger(expression: str, source: str) -> Instruction:
    """Return what one ``OnBuild`` of a config says; *source* names the image.

    Raises InvalidDockerfile.
    """
    lines = Lines(expression, source)
    found = list(lines)
    if len(found) != 1:
        from pytest_images.dockerfile.place import Place

        raise Place(source, 1, 1, expression).error("an ONBUILD trigger is one instruction")
    line = found[0]
    try:
        _require_trigger(words.split(line.text, "\\").keyword)
    except Malformed as problem:
        raise line.place.error(str(problem)) from problem
    return read_instruction(line, lines.directives.escape)


def _kind(keyword: str) -> tuple[Known, Callable[[_Reader], Instruction]]:
    found = _KINDS.get(keyword.upper())
    if found is None:
        cased = _KINDS if keyword != keyword.lower() else [name.lower() for name in _KINDS]
        raise Malformed(f"unknown instruction: {keyword}{hint(keyword, cased)}")
    return found


def _from(reader: _Reader) -> From:
    given = words.split_blanks(reader.arguments)
    name = ""
    if len(given) == 3 and given[1].lower() == "as":
        name = given[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            rule = "name can't start with a number or contain symbols"
            raise Malformed(f'invalid name for build stage: "{given[2]}", {rule}')
    elif len(given) != 1:
        raise Malformed("FROM requires either one or three arguments")
    return From(given[0], name, reader.flags.text("platform"), place=reader.line.place)


def _run(reader: _Reader) -> Run:
    for flag in ("security", "device"):
        if reader.flags.list(flag):
            raise Malformed(f"RUN --{flag} is not supported here")
    network = reader.flags.text("network", "default")
    if network not in _NETWORKS:
        raise Malformed(f'invalid network mode "{network}"{hint(network, _NETWORKS)}')
    mounts = reader.flags.list("mount")
    if mounts:
        _check_mounts(mounts)
    command = _command_line(reader, reader.arguments)
    if not any(command.words):
        raise Malformed("RUN requires at least one argument")
    return Run(command, mounts, network, place=reader.line.place)


def _check_mounts(texts: tuple[str, ...]) -> None:
    from pytest_images.dockerfile.mounts import is_plain, parse_mount, require_plain_origin

    for text in texts:
        require_plain_origin(text)
        if is_plain(text):  # what depends on variables is read when they are known
            parse_mount(text, str)


def _command_line(reader: _Reader, text: str) -> CommandLine:
    """Read the JSON form, or take the text for a shell."""
    listed = words.json_list(text)
    if listed is None:
        return CommandLine((text,) if text else (), True, reader.heredocs)
    return CommandLine(listed, False)


def _cmd(reader: _Reader) -> Cmd:
    return Cmd(_command_line(reader, reader.arguments), place=reader.line.place)


def _entrypoint(reader: _Reader) -> Entrypoint:
    return Entrypoint(_command_line(reader, reader.arguments), place=reader.line.place)


def _shell(reader: _Reader) -> Shell:
    listed = words.json_list(reader.some("SHELL"))
    if listed is None:
        raise Malformed('SHELL requires the arguments to be in JSON form: SHELL ["/bin/sh", "-c"]')
    if not listed:
        raise Malformed("SHELL requires at least one argument")
    return Shell(listed, place=reader.line.place)


def _copy(reader: _Reader) -> Copy:
    sources, documents, destination = _paths(reader, "COPY")
    flags = reader.flags
    origin = flags.text("from")
    if "$" in origin[:-1]:
        raise Malformed(
            "variable expansion is not supported for --from, define a new stage with FROM using "
            "ARG from global scope as a workaround"
        )
    return Copy(
        sources=sources,
        destination=destination,
        documents=documents,
        origin=origin,
        owner=flags.text("chown"),
        mode=flags.text("chmod"),
        is_linked=flags.switch("link") or False,
        keeps_parents=flags.switch("parents") or False,
        excludes=flags.list("exclude"),
        place=reader.line.place,
    )


def _add(reader: _Reader) -> Add:
    sources, documents, destination = _paths(reader, "ADD")
    flags = reader.flags
    return Add(
        sources=sources,
        destination=destination,
        documents=documents,
        owner=flags.text("chown"),
        mode=flags.text("chmod"),
        is_linked=flags.switch("link") or False,
        checksum=flags.text("checksum"),
        unpacks=flags.switch("unpack"),
        keeps_git_folder=flags.switch("keep-git-dir"),
        excludes=flags.list("exclude"),
        place=reader.line.place,
    )


def _paths(reader: _Reader, keyword: str) -> tuple[tuple[str, ...], tuple[Heredoc, ...], str]:
    """Return the sources, those written in the file, and the destination."""
    given = _listed(reader.arguments)
    if len(given) < 2:
        raise Malformed(
            f"{keyword} requires at least two arguments, but only one was provided. "
            "Destination could not be determined"
        )
    *sources, destination = given
    if not reader.heredocs:
        return tuple(sources), (), destination
    if heredoc.parse(destination):
        raise Malformed(f"{keyword} cannot accept a heredoc as a destination")
    plain = tuple(source for source in sources if not heredoc.parse(source))
    return plain, reader.heredocs, destination


def _listed(text: str) -> tuple[str, ...]:
    """Return a JSON list, or what is between white space."""
    listed = words.json_list(text)
    return words.split_blanks(text) if listed is None else listed


def _env(reader: _Reader) -> Env:
    return Env(_pairs(reader, "ENV"), place=reader.line.place)


def _label(reader: _Reader) -> Label:
    return Label(_pairs(reader, "LABEL"), place=reader.line.place)


def _pairs(reader: _Reader, keyword: str) -> tuple[words.Pair, ...]:
    pairs, is_old = words.pairs(reader.arguments, keyword, reader.escape)
    if is_old:
        advice = f'"{keyword} key=value" should be used instead of legacy "{keyword} key value"'
        reader.warn("LegacyKeyValueFormat", advice)
    return pairs


def _arg(reader: _Reader) -> Arg:
    found = words.split_words(reader.some("ARG"), reader.escape)
    return Arg(tuple(_declaration(word) for word in found), place=reader.line.place)


def _declaration(word: str) -> Declaration:
    name, equals, default = word.partition("=")
    if not name:
        raise Malformed("ARG names can not be blank")
    return Declaration(name, default if equals else None)


def _workdir(reader: _Reader) -> Workdir:
    return Workdir(reader.whole("WORKDIR"), place=reader.line.place)


def _user(reader: _Reader) -> User:
    return User(reader.whole("USER"), place=reader.line.place)


def _expose(reader: _Reader) -> Expose:
    ports = sorted(words.split_blanks(reader.some("EXPOSE")))
    return Expose(tuple(ports), place=reader.line.place)


def _volume(reader: _Reader) -> Volume:
    paths = tuple(path.strip(words.SPACES) for path in _listed(reader.arguments))
    if not paths:
        raise Malformed("VOLUME requires at least one argument")
    if "" in paths:
        raise Malformed("VOLUME specified can not be an empty string")
    return Volume(paths, place=reader.line.place)


def _stop_signal(reader: _Reader) -> StopSignal:
    return StopSignal(reader.whole("STOPSIGNAL"), place=reader.line.place)


def _maintainer(reader: _Reader) -> Maintainer:
    reader.warn("MaintainerDeprecated", "MAINTAINER is deprecated: use LABEL")
    return Maintainer(reader.whole("MAINTAINER"), place=reader.line.place)


def _healthcheck(reader: _Reader) -> Healthcheck:
    kind, _, rest = reader.some("HEALTHCHECK").partition(" ")
    kind, *more = kind.split(maxsplit=1)  # a tab ends the first word as well
    rest = f"{more[0]} {rest}" if more else rest.lstrip(words.SPACES)
    if kind.upper() == "NONE":
        if rest:
            raise Malformed("HEALTHCHECK NONE takes no arguments")
        return Healthcheck(None, place=reader.line.place)
    if kind.upper() != "CMD":
        raise Malformed(f'Unknown type "{kind.upper()}" in HEALTHCHECK (try CMD)')
    command = _command_line(reader, rest)
    if not command.words:
        raise Malformed("Missing command after HEALTHCHECK CMD")
    return Healthcheck(
        command,
        interval=_interval(reader.flags, "interval"),
        timeout=_interval(reader.flags, "timeout"),
        start_period=_interval(reader.flags, "start-period"),
        start_interval=_interval(reader.flags, "start-interval"),
        retries=_retries(reader.flags),
        place=reader.line.place,
    )


def _interval(flags: Flags, name: str) -> int:
    text = flags.text(name)
    if not text:
        return 0
    from pytest_images.dockerfile.durations import parse_duration

    length = parse_duration(text)
    if length and length < _SHORTEST:
        raise Malformed(f'Interval "{name}" cannot be less than 1ms')
    return length


def _retries(flags: Flags) -> int:
    text = flags.text("retries", "0") or "0"
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        raise Malformed(f"--retries is not a number: {text}")
    if text.startswith("-") and int(digits):
        raise Malformed(f"--retries cannot be negative ({text})")
    if int(digits) > _RETRIES_LIMIT:
        raise Malformed(f"--retries is more than {_RETRIES_LIMIT}: {text}")
    return int(digits)


def _on_build(reader: _Reader) -> OnBuild:
    reader.some("ONBUILD")
    place = reader.line.place
    expression = _ONBUILD.sub("", place.text, count=1)
    split = words.split(reader.arguments, reader.escape)
    _require_trigger(split.keyword)
    trigger = None
    if split.keyword.upper() in _KINDS:
        known, read = _kind(split.keyword)
        trigger = read(_Reader(reader.line, reader.escape, split, known))
    else:  # Docker finds that out when somebody builds on the image
        reader.warn("UnknownTrigger", f"{split.keyword} is no instruction that can be triggered")
    ends = (f"\n{document.content}{document.name}" for document in reader.heredocs)
    return OnBuild(expression + "".join(ends), trigger, place=place)


def _require_trigger(keyword: str) -> None:
    if keyword.upper() == "ONBUILD":
        raise Malformed("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if keyword.upper() in _NOT_TRIGGERS:
        raise Malformed(f"{keyword.upper()} isn't allowed as an ONBUILD trigger")


_KINDS: dict[str, tuple[Known, Callable[[_Reader], Instruction]]] = {
    "ADD": (_ADD, _add),
    "ARG": (NO_FLAGS, _arg),
    "CMD": (NO_FLAGS, _cmd),
    "COPY": (_COPY, _copy),
    "ENTRYPOINT": (NO_FLAGS, _entrypoint),
    "ENV": (NO_FLAGS, _env),
    "EXPOSE": (NO_FLAGS, _expose),
    "FROM": (_FROM, _from),
    "HEALTHCHECK": (_HEALTH, _healthcheck),
    "LABEL": (NO_FLAGS, _label),
    "MAINTAINER": (NO_FLAGS, _maintainer),
    "ONBUILD": (NO_FLAGS, _on_build),
    "RUN": (_RUN, _run),
    "SHELL": (NO_FLAGS, _shell),
    "STOPSIGNAL": (NO_FLAGS, _stop_signal),
    "USER": (NO_FLAGS, _user),
    "VOLUME": (NO_FLAGS, _volume),
    "WORKDIR": (NO_FLAGS, _workdir),
}
