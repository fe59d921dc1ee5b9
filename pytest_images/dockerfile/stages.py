"""A whole Dockerfile: stages of instructions, and which stage a name means."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass, field
from pytest_images.dockerfile.instructions import Arg, Cmd, Entrypoint, From, Healthcheck
from pytest_images.dockerfile.lines import DockerfileWarning, Lines
from pytest_images.dockerfile.malformed import hint
from pytest_images.dockerfile.place import Place
from pytest_images.dockerfile.reading import read_instruction
from pytest_images.model.frozen import FrozenMap
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_images.dockerfile.instructions import Instruction

SCRATCH = "scratch"  # the base that is no image
_RESERVED = frozenset({"context", SCRATCH})
_LAST_COUNTS = (Cmd, Entrypoint, Healthcheck)


class Stage(NamedTuple):
    """What stands between one FROM and the next; *number* counts from 0."""

    number: int
    start: From
    instructions: tuple[Instruction, ...]

    @property
    def name(self) -> str:
        """The name after AS, in lower case, "" without."""
        return self.start.name

    @property
    def label(self) -> str:
        """A name for people: ``build``, or ``stage-2`` where it has none."""
        return self.name or f"stage-{self.number}"


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A file that was read without an error; nothing was expanded yet.

    *arguments* are the ARGs before the first FROM. *warnings* are what works, but should not
    be written so.
    """

    source: str
    arguments: tuple[Arg, ...]
    stages: tuple[Stage, ...]
    directives: Mapping[str, str] = field(default_factory=FrozenMap)
    warnings: tuple[DockerfileWarning, ...] = ()
    _numbers: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers: dict[str, list[int]] = {}
        for stage in self.stages:
            if stage.name:
                numbers.setdefault(stage.name, []).append(stage.number)
        fixed = FrozenMap({name: tuple(found) for name, found in numbers.items()})
        object.__setattr__(self, "_numbers", fixed)

    @property
    def escape(self) -> str:
        r"""The escape character, ``\`` or a backtick."""
        return self.directives.get("escape", "\\")

    def target(self, name: str | None) -> Stage:
        """Return the stage to build: the one called *name* (any case), None for the last.

        Raises InvalidDockerfile: there is none, and which name is near.
        """
        if name is None:
            return self.stages[-1]
        found = self._named(name)
        if found is None:
            near = hint(name, self._numbers)
            named = ", ".join(self._numbers)
            note = f"the stages with names are: {named}" if named else "no stage has a name"
            reason = f'target stage "{name}" could not be found{near}'
            raise self.stages[-1].start.place.error(reason, note)
        return found

    def base(self, stage: Stage, name: str) -> Stage | None:
        """Return the earlier stage that *stage* stands on, None for an image or scratch.

        *name* is ``stage.start.base`` expanded. A stage cannot stand on itself or a later one.
        """
        numbers = self._numbers.get(name, ())
        earlier = bisect_left(numbers, stage.number)
        return self.stages[numbers[earlier - 1]] if earlier else None

    def origin(self, stage: Stage, name: str, place: Place) -> Stage | None:
        """Return the stage that ``--from`` or ``from=`` means in *stage*, None for an image.

        A name or a number. Raises InvalidDockerfile, at *place*, for a stage that is not
        built before this one.
        """
        found = self._numbered(name, place) if name.isascii() and name.isdigit() else None
        found = found or self._named(name)
        if found is None:
            return None
        if found.number == stage.number:
            raise place.error(f"circular dependency detected on stage: {stage.label}")
        if found.number > stage.number:
            raise place.error(
                f'cannot copy from stage "{name}", it needs to be defined before current stage '
                f'"{stage.label}"'
            )
        return found

    def _numbered(self, text: str, place: Place) -> Stage:
        if len(text) > 9 or int(text) >= len(self.stages):
            raise place.error(f"invalid stage index {text}")
        return self.stages[int(text)]

    def _named(self, name: str) -> Stage | None:
        numbers = self._numbers.get(name.lower())
        return self.stages[numbers[-1]] if numbers else None


def parse(text: str | bytes, name: str = "Dockerfile") -> Dockerfile:
    r"""Read a Dockerfile; *name* stands for it in errors.

    Raises InvalidDockerfile with the line and what was expected; LimitExceeded for more than
    1 MiB.

    >>> parse("FROM alpine AS a\nRUN make\n").stages[0].instructions[0].command.words
    ('make',)
    """
    lines = Lines(text, name)
    arguments: list[Arg] = []
    starts: list[From] = []
    bodies: list[list[Instruction]] = []
    for line in lines:
        instruction = read_instruction(line, lines.directives.escape, lines.warnings)
        if isinstance(instruction, From):
            starts.append(instruction)
            bodies.append([])
        elif bodies:
            bodies[-1].append(instruction)
        elif isinstance(instruction, Arg):
            arguments.append(instruction)
        else:
            note = "only ARG may stand before the first FROM"
            raise line.place.error("no build stage in current context", note)
    if not starts:
        raise Place(name, 1, 1, "").error(_empty(arguments), "begin with FROM and a base image")
    stages = tuple(map(Stage, range(len(starts)), starts, map(tuple, bodies)))
    warnings = (*lines.warnings, *_warnings(stages))
    directives = FrozenMap(lines.directives.found)
    return Dockerfile(name, tuple(arguments), stages, directives, warnings)


def _empty(arguments: list[Arg]) -> str:
    if arguments:
        return "dockerfile contains no stages to build"
    return "file with no instructions"


def _warnings(stages: tuple[Stage, ...]) -> Iterator[DockerfileWarning]:
    names: set[str] = set()
    for stage in stages:
        place, name = stage.start.place, stage.name
        if name in _RESERVED:
            message = f'"{name}" is reserved and can not name a stage'
            yield DockerfileWarning("ReservedStageName", message, place)
        if name and name in names:
            message = f'duplicate stage name "{name}": the last one is meant'
            yield DockerfileWarning("DuplicateStageName", message, place)
        names.add(name)
        yield from _overridden(stage)


def _overridden(stage: Stage) -> Iterator[DockerfileWarning]:
    for kind in _LAST_COUNTS:
        found = [one for one in stage.instructions if isinstance(one, kind)]
        for unused in found[:-1]:
            message = f"only the last {kind.keyword} of a stage counts"
            yield DockerfileWarning("MultipleInstructionsDisallowed", message, unused.place)
