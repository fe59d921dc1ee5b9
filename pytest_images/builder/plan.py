"""Which stages a target needs, and in which order they can be built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dockerfile.arguments import Scope, global_arguments
from pytest_images.dockerfile.expand import Allowance, Expander
from pytest_images.dockerfile.instructions import Arg, Copy, Env, OnBuild, Run
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_images.dockerfile.instructions import From, Instruction
    from pytest_images.dockerfile.stages import Dockerfile, Stage


class PlannedStage(NamedTuple):
    """A stage that the target needs. *start* is expanded; *base* is the stage it stands on.

    *origins* are the stages that files are taken from.
    """

    stage: Stage
    start: From
    base: Stage | None
    origins: tuple[Stage, ...]


class Plan(NamedTuple):
    """The stages to build, in an order in which each finds what it needs, the target last.

    *outside* are the variables of FROM lines, *allowance* is what all variables may become.
    """

    dockerfile: Dockerfile
    stages: tuple[PlannedStage, ...]
    outside: Mapping[str, str]
    allowance: Allowance

    @property
    def target(self) -> PlannedStage:
        """The stage whose image is wanted."""
        return self.stages[-1]

    @property
    def has_many(self) -> bool:
        """Whether the file has more than one stage: their names are shown then."""
        return len(self.dockerfile.stages) > 1


def make_plan(
    dockerfile: Dockerfile,
    target: str | None,
    given: Mapping[str, str],
    automatic: Mapping[str, str],
    contexts: Mapping[str, str],
) -> Plan:
    """Find out what the stage *target* needs.

    *given* and *automatic* are arguments, as of `global_arguments`; names of *contexts* are
    no stages.

    Raises InvalidDockerfile.
    """
    allowance = Allowance()
    outside = global_arguments(dockerfile, given, automatic, allowance)
    expander = Expander(outside, dockerfile.escape, allowance)
    last = dockerfile.target(target)
    found: dict[int, PlannedStage] = {}
    pending = [last]
    while pending:
        stage = pending.pop()
        if stage.number in found:
            continue
        start = stage.start.expand(expander)
        base = None if start.base in contexts else dockerfile.base(stage, start.base)
        scope = Scope(outside, given, dockerfile.escape, allowance)
        origins = tuple(_origins(dockerfile, stage, base, contexts, scope))
        found[stage.number] = PlannedStage(stage, start, base, origins)
        pending += [each for each in (base, *origins) if each is not None]
    ordered = tuple(found[number] for number in sorted(found))
    return Plan(dockerfile, ordered, outside, Allowance())


def _origins(
    dockerfile: Dockerfile,
    stage: Stage,
    base: Stage | None,
    contexts: Mapping[str, str],
    scope: Scope,
) -> Iterator[Stage]:
    """Yield the stages that COPY --from and RUN --mount=from take files from."""
    triggers = _triggers(base) if base else ()
    for instruction in (*triggers, *stage.instructions):
        if isinstance(instruction, Copy):
            names = [instruction.origin]
        elif isinstance(instruction, Run):
            names = _mounted(instruction, scope)
        elif isinstance(instruction, Env):
            for pair in instruction.expand(scope.expander).pairs:
                scope.set(pair.name, pair.value)
            continue
        elif isinstance(instruction, Arg):
            scope.declare(instruction)
            continue
        else:
            continue
        for name in filter(None, names):
            if name not in contexts:
                found = dockerfile.origin(stage, name, instruction.place)
                if found is not None:
                    yield found


def _mounted(instruction: Run, scope: Scope) -> list[str]:
    """Return where RUN --mount takes files from."""
    if not instruction.mounts:
        return []
    from pytest_images.dockerfile.mounts import MountType

    mounts = instruction.mounts_of(scope.expander)
    return [mount.origin for mount in mounts if mount.type is not MountType.TMPFS]


def _triggers(base: Stage) -> Iterator[Instruction]:
    """Yield what ONBUILD keeps in *base* for who stands on it."""
    for instruction in base.instructions:
        if isinstance(instruction, OnBuild) and instruction.trigger is not None:
            yield instruction.trigger
