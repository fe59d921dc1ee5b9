"""The instructions of one stage, one after the other: what each makes of the stage's state."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_images.content.failures import store_error
from pytest_images.dockerfile.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Instruction,
    Maintainer,
    Run,
    Workdir,
)
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.place import without_passwords
from pytest_images.errors import ImagesError
from pytest_images.layer.changed import Changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_images.builder.cache import BuiltLayer
    from pytest_images.builder.layering import LayerSteps
    from pytest_images.builder.state import State
    from pytest_images.builder.workshop import Workshop

CHANGES_FILES = (Add, Copy, Run, Workdir)


class Steps:
    """Carries out the instructions of one stage on its *state*."""

    def __init__(self, shop: Workshop, state: State, stage: int, title: str) -> None:
        """*title* is that of its steps, with a place for the number: ``[build {}]``."""
        self._shop, self._state, self._stage, self._title = shop, state, stage, title

    def carry_out(self, instructions: Sequence[Instruction], start: str) -> None:
        """Do all *instructions* in order. Raises InvalidDockerfile, BuildError and others.

        Steps are those that can change files, counted from the base, which is the first:
        *start* is its line.
        """
        total = 1 + sum(isinstance(each, CHANGES_FILES) for each in instructions)
        number = 1
        self._shop.log.step(self._titled(number, total, start)).done()
        for instruction in instructions:
            with self._placed(instruction):
                if not isinstance(instruction, CHANGES_FILES):
                    self._set(instruction.expand(self._state.scope.expander))
                    continue
                number += 1
                title = self._titled(number, total, instruction.source_line)
                step = self._shop.log.step(title)
                try:
                    expanded = instruction.expand(self._state.scope.expander)
                    self._note(*self._layers.carry_out(expanded, step))
                except (ImagesError, Malformed, Changed, OSError) as error:
                    step.failed(without_passwords(str(error)))
                    raise

    @cached_property
    def _layers(self) -> LayerSteps:
        """What changes files: a build that only sets something does without."""
        from pytest_images.builder.layering import LayerSteps

        return LayerSteps(self._shop, self._state, self._stage)

    @contextmanager
    def _placed(self, instruction: Instruction) -> Iterator[None]:
        """Let what is wrong with an instruction, or a file it copies, say where it stands."""
        try:
            yield
        except Malformed as problem:
            raise instruction.place.error(str(problem)) from problem
        except Changed as problem:
            note = "name it in .dockerignore if the image does not need it"
            raise instruction.place.error(str(problem), note) from problem
        except ImagesError as error:
            instruction.place.wants(error)
            raise
        except OSError as error:  # a file of the context would be `Changed`
            raise store_error(error.filename or self._shop.store.root, error) from error

    def _titled(self, number: int, total: int, text: str) -> str:
        count = f"{number:{len(str(total))}}/{total}"
        return f"{self._title.format(count)} {text}"

    def _note(self, described: str, layer: BuiltLayer | None = None) -> None:
        self._state.note(self._shop.log.hiding.kept(described), layer)

    def _set(self, instruction: Instruction) -> None:
        match instruction:
            case Env():
                self._env(instruction)
            case Arg():
                self._arg(instruction)
            case Maintainer():
                self._maintainer(instruction)
            case _:
                self._setting(instruction)

    def _setting(self, instruction: Instruction) -> None:
        state = self._state
        state.settings.apply(instruction)
        state.advance("setting", instruction=repr(instruction))
        self._note(_described(instruction, state))

    def _env(self, instruction: Env) -> None:
        state = self._state
        state.settings.apply(instruction)
        for pair in instruction.pairs:
            state.scope.set(pair.name, pair.value)
        state.advance("env", pairs=[list(map(str, (p.name, p.value))) for p in instruction.pairs])
        self._note("ENV " + " ".join(f"{pair.name}={pair.value}" for pair in instruction.pairs))

    def _arg(self, instruction: Arg) -> None:
        declared = self._state.scope.declare(instruction)
        words = (name if value is None else f"{name}={value}" for name, value in declared)
        self._note("ARG " + " ".join(words))

    def _maintainer(self, instruction: Maintainer) -> None:
        self._state.author = instruction.author
        self._state.advance("maintainer", author=instruction.author)
        self._note(f"MAINTAINER {instruction.author}")


def _described(instruction: Instruction, state: State) -> str:
    """Return the line of history of a setting, as it holds in the image."""
    settings = state.settings.to_json()
    if isinstance(instruction, Cmd | Entrypoint):
        import json

        name = "Cmd" if isinstance(instruction, Cmd) else "Entrypoint"
        return f"{instruction.keyword} {json.dumps(settings.get(name) or [])}"
    return instruction.source_line
