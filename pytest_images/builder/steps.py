"""The instructions of one stage, one after the other: what each makes of the stage's state."""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Protocol

from pytest_images.builder.cache import Cache, Result
from pytest_images.builder.choosing import mounted, select, whole_file
from pytest_images.builder.command import SCRIPTS, Command, placed
from pytest_images.builder.copying import MANY, Copying, Order
from pytest_images.builder.remote import is_remote
from pytest_images.builder.results import Results
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
from pytest_images.dockerfile.mounts import MountType
from pytest_images.dockerfile.place import without_passwords
from pytest_images.errors import BuildError, ImagesError
from pytest_images.layer.changed import Changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_images.builder.cache import BuiltLayer
    from pytest_images.builder.fetching import Fetched
    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.log import BuildLog, Step
    from pytest_images.builder.running import Runner
    from pytest_images.builder.state import State
    from pytest_images.builder.trees import Tree
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.mounts import Mount
    from pytest_images.dockerfile.place import Place
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.writer import LayerWriter

CHANGES_FILES = (Add, Copy, Run, Workdir)


class Workshop(Protocol):
    """What the steps of a build share."""

    store: Store
    lease: Lease
    cache: Cache
    log: BuildLog
    fingerprints: Fingerprints
    latest: int
    uses_cache: bool
    secrets: frozenset[str]
    network: str
    add_hosts: tuple[tuple[str, str], ...]

    def origin(self, name: str, stage: int, place: Place) -> Tree:
        """Return the files that ``--from=name`` means, "" for the context."""
        ...

    @property
    def runner(self) -> Runner:
        """What runs commands, made at the first use."""
        ...

    def fetched(self, instruction: Add, is_over: Callable[[], bool]) -> Sequence[Fetched]:
        """Return what ADD's URLs and repositories gave; *is_over*: nobody waits any more."""
        ...

    def files(self, layers: Sequence[BuiltLayer]) -> ImagePath:
        """Return the files that *layers* make."""
        ...


class Steps:
    """Carries out the instructions of one stage on its *state*."""

    def __init__(self, shop: Workshop, state: State, stage: int, title: str) -> None:
        """*title* is that of its steps, with a place for the number: ``[build {}]``."""
        self._shop, self._state, self._stage, self._title = shop, state, stage, title
        self._results = Results(shop, state)

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
                    self._do(instruction.expand(self._state.scope.expander), step)
                except (ImagesError, Malformed, Changed, OSError) as error:
                    step.failed(without_passwords(str(error)))
                    raise

    @contextmanager
    def _placed(self, instruction: Instruction) -> Iterator[None]:
        """Let what is wrong with an instruction, or a file it copies, say where it stands."""
        try:
            yield
        except (Malformed, Changed) as problem:
            raise instruction.place.error(str(problem)) from problem
        except ImagesError:
            raise
        except OSError as error:  # a file of the context would be `Changed`
            raise store_error(error.filename or self._shop.store.root, error) from error

    def _titled(self, number: int, total: int, text: str) -> str:
        count = f"{number:{len(str(total))}}/{total}"
        return f"{self._title.format(count)} {text}"

    def _note(self, described: str, layer: BuiltLayer | None = None) -> None:
        self._state.note(self._shop.log.hiding.kept(described), layer)

    @singledispatchmethod
    def _set(self, instruction: Instruction) -> None:
        """Change a setting."""
        state = self._state
        state.settings.apply(instruction)
        state.advance("setting", instruction=repr(instruction))
        self._note(_described(instruction, state))

    @_set.register(Env)
    def _(self, instruction: Env) -> None:
        state = self._state
        state.settings.apply(instruction)
        for pair in instruction.pairs:
            state.scope.set(pair.name, pair.value)
        state.advance("env", pairs=[list(map(str, (p.name, p.value))) for p in instruction.pairs])
        self._note("ENV " + " ".join(f"{pair.name}={pair.value}" for pair in instruction.pairs))

    @_set.register(Arg)
    def _(self, instruction: Arg) -> None:
        declared = self._state.scope.declare(instruction)
        words = (name if value is None else f"{name}={value}" for name, value in declared)
        self._note("ARG " + " ".join(words))

    @_set.register(Maintainer)
    def _(self, instruction: Maintainer) -> None:
        self._state.author = instruction.author
        self._state.advance("maintainer", author=instruction.author)
        self._note(f"MAINTAINER {instruction.author}")

    @singledispatchmethod
    def _do(self, instruction: Instruction, step: Step) -> None:
        """Change files: each of `CHANGES_FILES` in its own way."""
        raise TypeError(f"{instruction.keyword} changes no file")

    @_do.register(Workdir)
    def _(self, instruction: Workdir, step: Step) -> None:
        state = self._state
        state.settings.apply(instruction)
        path = state.settings.working_directory
        key = state.advance("workdir", path=path)
        self._layer(key, f"WORKDIR {path}", step, lambda: self._made_folder(path))

    @_do.register(Copy)
    def _(self, instruction: Copy, step: Step) -> None:
        if any(map(is_remote, instruction.sources)):
            raise Malformed("source can't be a URL for COPY")
        tree = self._shop.origin(instruction.origin, self._stage, instruction.place)
        order = Order(
            instruction.sources,
            self._destination(instruction.destination, len(instruction.sources)),
            instruction.owner,
            instruction.mode,
            instruction.keeps_parents,
            instruction.excludes,
            instruction.documents,
            is_linked=instruction.is_linked and not instruction.mode,  # as in BuildKit
        )
        self._copied(select(order, tree), step, f"COPY {_words(instruction)}")

    @_do.register(Add)
    def _(self, instruction: Add, step: Step) -> None:
        if instruction.checksum and not all(map(is_remote, instruction.sources)):
            raise Malformed("--checksum is for what is fetched: it needs a URL")
        fetched = self._shop.fetched(instruction, lambda: step.closed)
        local = tuple(s for s in instruction.sources if not is_remote(s))
        order = Order(
            local,
            self._destination(instruction.destination, len(instruction.sources)),
            instruction.owner,
            instruction.mode,
            excludes=instruction.excludes,
            documents=instruction.documents,
            unpacks=instruction.unpacks is not False,
            is_linked=instruction.is_linked and not instruction.mode,  # as in BuildKit
        )
        tree = self._shop.origin("", self._stage, instruction.place)
        copying = select(order, tree)
        inner = order._replace(sources=("/",), documents=(), unpacks=instruction.unpacks is True)
        for tree, name in fetched:
            copying = copying.joined(whole_file(inner, tree, name) if name else select(inner, tree))
        self._copied(copying, step, f"ADD {_words(instruction)}")

    @_do.register(Run)
    def _(self, instruction: Run, step: Step) -> None:
        state, shop = self._state, self._shop
        mounts, bound, sources = self._mounts(instruction)
        self._require_secrets(mounts, instruction)
        words = self._command(instruction)
        arguments = {k: v for k, v in state.scope.arguments.items() if v is not None}
        variables = {**arguments, **state.settings.environment}
        network = instruction.network if instruction.network != "default" else shop.network
        key = state.advance(
            "run",
            words=list(words),
            script=instruction.script.text if instruction.script is not None else None,
            environment=sorted(variables.items()),
            mounts=[repr(mount) for mount in mounts],
            sources=sources,
            network=network,
            hosts=list(map(list, shop.add_hosts)),
            platform=str(state.platform),
        )
        command = Command(
            words,
            {**variables, **state.scope.proxies()},
            state.settings.working_directory,
            state.settings.user,
            network,
            state.platform,
            mounts,
            shop.add_hosts,
            instruction.script,
        )
        described = _run_described(instruction, words, arguments)
        self._layer(key, described, step, lambda: self._ran(command, bound, step, instruction))

    def _ran(
        self, command: Command, bound: Mapping[Mount, Copying], step: Step, instruction: Run
    ) -> Result:
        ran, result = self._shop.runner.run(command, self._state.layers, bound, step)
        step.flush_line()
        for warning in ran.warnings:
            step.say(f"WARNING: {warning}")
        if ran.status:
            place, told = instruction.place, " ".join(command.words)
            step.failed(f'process "{told}" did not complete successfully: exit code: {ran.status}')
            raise BuildError(
                place.source, place.first, instruction.source_line, ran.status, str(self._shop.log)
            )
        return result

    def _mounts(
        self, instruction: Run
    ) -> tuple[tuple[Mount, ...], dict[Mount, Copying], list[str]]:
        """Return what is mounted, the files that some mounts show, and the digests of those."""
        mounts: list[Mount] = []
        bound: dict[Mount, Copying] = {}
        sources: list[str] = []
        for given in instruction.mounts_of(self._state.scope.expander):
            mount = placed(given, self._state.settings.working_directory)
            if mount.type is MountType.BIND or mount.origin:
                tree = self._shop.origin(mount.origin, self._stage, instruction.place)
                copying = mounted(mount.source, tree)
                sources.append(copying.digest(self._shop.fingerprints))
                if mount.type is MountType.CACHE:  # what begins otherwise is another cache
                    mount = mount._replace(id=f"{mount.id}@{sources[-1]}")
                bound[mount] = copying
            mounts.append(mount)
        return tuple(mounts), bound, sources

    def _require_secrets(self, mounts: Sequence[Mount], instruction: Run) -> None:
        for mount in mounts:
            is_needed = mount.type is MountType.SECRET and mount.is_required
            if is_needed and mount.id not in self._shop.secrets:
                note = f"give it with --secret id={mount.id},src=FILE"
                raise instruction.place.error(f"secret {mount.id}: not found", note)

    def _command(self, instruction: Run) -> tuple[str, ...]:
        """Return the words to run: a here-document may be the script itself."""
        shell = self._state.settings.shell
        script = instruction.script
        if script is not None:
            is_program = script.text.startswith("#!")
            return (f"{SCRIPTS}/{script.name}",) if is_program else (*shell, script.text)
        if instruction.command.is_shell:
            return (*shell, instruction.shell_text)
        return instruction.command.words

    def _copied(self, copying: Copying, step: Step, described: str) -> None:
        self._note(described, self._results.copied(copying, step).layer)

    def _made_folder(self, path: str) -> Result:
        """Make the working directory where the image lacks it: it is USER's, as in BuildKit."""
        from pytest_images.builder.modes import user_of
        from pytest_images.builder.placing import Places

        base = self._results.base
        owner = user_of(self._state.settings.user if base else "", base)

        def write(writer: LayerWriter) -> None:
            places = Places(base, writer, self._shop.latest, owner)
            target = places.resolved(path)
            if not places.is_folder(target):  # where it is, nothing changes
                places.folder(target)

        return self._results.write(write)

    def _layer(self, key: str, described: str, step: Step, make: Callable[[], Result]) -> None:
        self._note(described, self._results.get(key, step, make).layer)

    def _destination(self, written: str, count: int) -> str:
        """Return the absolute destination; a folder ends in ``/``."""
        directory = self._state.settings.working_directory or "/"
        path = posixpath.normpath(posixpath.join("/", directory, written))
        path = "/" + path.lstrip("/")
        is_folder = written.endswith(("/", "/.")) or written in (".", "")
        if count > 1 and not is_folder:
            raise Malformed(MANY)
        return path + "/" if is_folder and path != "/" else path


def _words(instruction: Copy | Add) -> str:
    sources = (*instruction.sources, *(f"<<{each.name}" for each in instruction.documents))
    return without_passwords(" ".join((*sources, instruction.destination)))


def _run_described(instruction: Run, words: Sequence[str], arguments: Mapping[str, str]) -> str:
    given = "".join(f" {name}={value}" for name, value in arguments.items())
    count = f"|{len(arguments)}{given} " if arguments else ""
    text = " ".join(words)
    if instruction.script is not None:
        *shell, script = words
        first, *rest = script.split("\n")
        text = f"{' '.join(shell)} <<{instruction.script.name} ({first}{'...' if rest else ''})"
    return f"RUN {count}{text}"


def _described(instruction: Instruction, state: State) -> str:
    """Return the line of history of a setting, as it holds in the image."""
    settings = state.settings.to_json()
    if isinstance(instruction, Cmd | Entrypoint):
        import json

        name = "Cmd" if isinstance(instruction, Cmd) else "Entrypoint"
        return f"{instruction.keyword} {json.dumps(settings.get(name) or [])}"
    return instruction.source_line
