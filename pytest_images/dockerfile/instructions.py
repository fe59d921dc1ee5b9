"""Instructions: one frozen value for each kind, as the Dockerfile states it.

Values hold text before expansion. `Instruction.expand` returns the same instruction with
everything expanded that Docker expands, and only that: nothing of CMD, ENTRYPOINT, SHELL,
HEALTHCHECK, ONBUILD and of the command of RUN, which are for the shell in the container.
ARG is expanded by `arguments.Scope.declare`, one declaration after the other.

Two instructions are equal when they say the same, wherever they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pytest_images.dataclass import dataclass, field, replace
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.place import NOWHERE, Place, without_passwords
from pytest_images.dockerfile.words import Pair
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from pytest_images.dockerfile.expand import Expander
    from pytest_images.dockerfile.heredoc import Heredoc
    from pytest_images.dockerfile.mounts import Mount


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What every instruction has: its keyword and its *place*."""

    keyword: ClassVar[str] = ""
    place: Place = field(default=NOWHERE, repr=False, compare=False)

    def expand(self, by: Expander) -> Self:
        """Return the instruction with its variables expanded. Raises InvalidDockerfile."""
        try:
            return self._expanded(by)
        except Malformed as problem:
            raise self.place.error(str(problem)) from problem

    def _expanded(self, by: Expander) -> Self:
        return self

    @property
    def source_line(self) -> str:
        """The instruction as written, without a password in a URL: fit for a history or log."""
        return without_passwords(self.place.text.strip())


class CommandLine(NamedTuple):
    """What to run: words, or one text for a shell, and the here-documents in that text."""

    words: tuple[str, ...]
    is_shell: bool
    heredocs: tuple[Heredoc, ...] = ()

    def with_shell(self, shell: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words to run, given the *shell* in force (``/bin/sh -c``)."""
        return (*shell, *self.words) if self.is_shell else self.words


@dataclass(frozen=True, slots=True)
class From(Instruction):
    """``FROM [--platform=…] base [AS name]``: begins a stage."""

    keyword: ClassVar[str] = "FROM"
    base: str
    name: str = ""
    platform: str = ""

    def _expanded(self, by: Expander) -> Self:
        base = by.word(self.base)
        if not base:
            raise Malformed(f"base name ({self.base}) should not be blank")
        platform = by.word(self.platform)
        if self.platform and not platform:
            raise Malformed(f"empty platform value from expression {self.platform}")
        return replace(self, base=base, platform=platform)


@dataclass(frozen=True, slots=True)
class Run(Instruction):
    """``RUN``: a command whose changes become a layer. *mounts* are read by `mounts_of`."""

    keyword: ClassVar[str] = "RUN"
    command: CommandLine
    mounts: tuple[str, ...] = ()
    network: str = "default"

    def mounts_of(self, by: Expander) -> tuple[Mount, ...]:
        """Return what to mount, its variables expanded. Raises InvalidDockerfile."""
        from pytest_images.dockerfile.mounts import parse_mount

        try:
            return tuple(parse_mount(text, by.word) for text in self.mounts)
        except Malformed as problem:
            raise self.place.error(str(problem)) from problem

    @property
    def script(self) -> Heredoc | None:
        """The one here-document that *is* the command (``RUN <<EOF``), None otherwise.

        Its text goes to the shell, or is a program where it begins with ``#!``.
        """
        from pytest_images.dockerfile import heredoc

        heredocs = self.command.heredocs
        is_alone = len(heredocs) == 1 and heredoc.parse(self.command.words[0]) is not None
        return heredocs[0] if is_alone else None

    @property
    def shell_text(self) -> str:
        """The text of the shell form, with the here-documents that the shell has to read."""
        ends = (f"\n{document.content}{document.name}" for document in self.command.heredocs)
        return self.command.words[0] + "".join(ends)


@dataclass(frozen=True, slots=True)
class Copy(Instruction):
    """``COPY``: files of the context, a stage or an image (*origin*, ``--from``) into the image.

    *documents* are files written in the Dockerfile; their names are their paths.
    """

    keyword: ClassVar[str] = "COPY"
    sources: tuple[str, ...]
    destination: str
    documents: tuple[Heredoc, ...] = ()
    origin: str = ""
    owner: str = ""
    mode: str = ""
    is_linked: bool = False
    keeps_parents: bool = False
    excludes: tuple[str, ...] = ()

    def _expanded(self, by: Expander) -> Self:
        return replace(
            self,
            sources=tuple(by.word(source) for source in self.sources),
            destination=by.word(self.destination),
            documents=tuple(_filled(document, by) for document in self.documents),
            owner=by.word(self.owner),
            mode=by.word(self.mode),
        )


@dataclass(frozen=True, slots=True)
class Add(Instruction):
    """``ADD``: as COPY, from the context alone, but also URLs, git repositories and archives.

    *unpacks* and *keeps_git_folder* are None where the Dockerfile leaves it to the default.
    """

    keyword: ClassVar[str] = "ADD"
    sources: tuple[str, ...]
    destination: str
    documents: tuple[Heredoc, ...] = ()
    owner: str = ""
    mode: str = ""
    is_linked: bool = False
    checksum: str = ""
    unpacks: bool | None = None
    keeps_git_folder: bool | None = None
    excludes: tuple[str, ...] = ()

    def _expanded(self, by: Expander) -> Self:
        return replace(
            self,
            sources=tuple(by.word(source) for source in self.sources),
            destination=by.word(self.destination),
            documents=tuple(_filled(document, by) for document in self.documents),
            owner=by.word(self.owner),
            mode=by.word(self.mode),
            checksum=by.word(self.checksum),
        )


def _filled(document: Heredoc, by: Expander) -> Heredoc:
    """Return the document as the file has to be: without tabs that do not count, expanded."""
    text = by.body(document.text) if document.expands else document.text
    return document._replace(content=text, expands=False, is_chomped=False)


def _expanded_pairs(pairs: tuple[Pair, ...], by: Expander) -> tuple[Pair, ...]:
    return tuple(Pair(by.word(pair.name), by.word(pair.value)) for pair in pairs)


@dataclass(frozen=True, slots=True)
class Env(Instruction):
    """``ENV``: variables of the container, and of the instructions that follow."""

    keyword: ClassVar[str] = "ENV"
    pairs: tuple[Pair, ...]

    def _expanded(self, by: Expander) -> Self:
        return replace(self, pairs=_expanded_pairs(self.pairs, by))


@dataclass(frozen=True, slots=True)
class Label(Instruction):
    """``LABEL``: what the image says of itself."""

    keyword: ClassVar[str] = "LABEL"
    pairs: tuple[Pair, ...]

    def _expanded(self, by: Expander) -> Self:
        return replace(self, pairs=_expanded_pairs(self.pairs, by))


class Declaration(NamedTuple):
    """One ``name`` or ``name=default`` of ARG."""

    name: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Arg(Instruction):
    """``ARG``: variables that the person who builds may give."""

    keyword: ClassVar[str] = "ARG"
    declarations: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class Workdir(Instruction):
    """``WORKDIR``: the working folder from here on."""

    keyword: ClassVar[str] = "WORKDIR"
    path: str

    def _expanded(self, by: Expander) -> Self:
        return replace(self, path=by.word(self.path))


@dataclass(frozen=True, slots=True)
class User(Instruction):
    """``USER name[:group]``: who runs commands from here on."""

    keyword: ClassVar[str] = "USER"
    user: str

    def _expanded(self, by: Expander) -> Self:
        return replace(self, user=by.word(self.user))


@dataclass(frozen=True, slots=True)
class Expose(Instruction):
    """``EXPOSE``: ports, as written; expanded they are ``number/protocol``, each once."""

    keyword: ClassVar[str] = "EXPOSE"
    ports: tuple[str, ...]

    def _expanded(self, by: Expander) -> Self:
        from pytest_images.dockerfile.ports import parse_ports

        words = [word for port in self.ports for word in by.words(port)]
        return replace(self, ports=parse_ports(words))


@dataclass(frozen=True, slots=True)
class Volume(Instruction):
    """``VOLUME``: folders whose content belongs to the container."""

    keyword: ClassVar[str] = "VOLUME"
    paths: tuple[str, ...]

    def _expanded(self, by: Expander) -> Self:
        paths = tuple(by.word(path) for path in self.paths)
        if "" in paths:
            raise Malformed("VOLUME specified can not be an empty string")
        return replace(self, paths=paths)


@dataclass(frozen=True, slots=True)
class Cmd(Instruction):
    """``CMD``: what runs, or the arguments of ENTRYPOINT."""

    keyword: ClassVar[str] = "CMD"
    command: CommandLine


@dataclass(frozen=True, slots=True)
class Entrypoint(Instruction):
    """``ENTRYPOINT``: what runs."""

    keyword: ClassVar[str] = "ENTRYPOINT"
    command: CommandLine


@dataclass(frozen=True, slots=True)
class Shell(Instruction):
    """``SHELL``: what runs the shell forms from here on."""

    keyword: ClassVar[str] = "SHELL"
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopSignal(Instruction):
    """``STOPSIGNAL``: a signal's name or number."""

    keyword: ClassVar[str] = "STOPSIGNAL"
    signal: str

    def _expanded(self, by: Expander) -> Self:
        return replace(self, signal=by.word(self.signal))


@dataclass(frozen=True, slots=True)
class Healthcheck(Instruction):
    """``HEALTHCHECK``: how to tell whether the container works; *command* None is ``NONE``.

    Times in nanoseconds, 0 for the default.
    """

    keyword: ClassVar[str] = "HEALTHCHECK"
    command: CommandLine | None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0

    @property
    def test(self) -> tuple[str, ...]:
        """What the config says under ``Test``."""
        if self.command is None:
            return ("NONE",)
        return ("CMD-SHELL" if self.command.is_shell else "CMD", *self.command.words)


@dataclass(frozen=True, slots=True)
class OnBuild(Instruction):
    """``ONBUILD``: an instruction for whoever builds on this image.

    *expression* is the text that the config keeps; *trigger* is what it says, None where its
    keyword is unknown, which Docker lets pass until the trigger is pulled.
    """

    keyword: ClassVar[str] = "ONBUILD"
    expression: str
    trigger: Instruction | None


@dataclass(frozen=True, slots=True)
class Maintainer(Instruction):
    """``MAINTAINER``, deprecated: the author."""

    keyword: ClassVar[str] = "MAINTAINER"
    author: str
