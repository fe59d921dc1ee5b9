"""The instructions that may make a layer, or find it in the cache: ADD, COPY, RUN, WORKDIR."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.builder.choosing import mounted, select, whole_file
from pytest_images.builder.command import SCRIPTS, Command, placed
from pytest_images.builder.copying import MANY, Copying, Order
from pytest_images.builder.remote import is_remote
from pytest_images.builder.results import Results
from pytest_images.builder.settings import below
from pytest_images.dockerfile.instructions import Add, Copy, Instruction, Run, Workdir
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.mounts import MountType
from pytest_images.dockerfile.place import without_passwords
from pytest_images.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_images.builder.cache import BuiltLayer, Result
    from pytest_images.builder.log import Step
    from pytest_images.builder.state import State
    from pytest_images.builder.workshop import Workshop
    from pytest_images.dockerfile.mounts import Mount
    from pytest_images.layer.writer import LayerWriter

    Told = tuple[str, BuiltLayer | None]


class LayerSteps:
    """Changes the files of one stage; *state* is what the steps before made."""

    def __init__(self, shop: Workshop, state: State, stage: int) -> None:
        self._shop, self._state, self._stage = shop, state, stage
        self._results = Results(shop, state)

    def carry_out(self, instruction: Instruction, step: Step) -> Told:
        """Do an expanded *instruction*; return how the history tells it, and its layer.

        Raises Malformed, Changed, BuildError and others.
        """
        match instruction:
            case Workdir():
                return self._workdir(instruction, step)
            case Copy():
                return self._copy(instruction, step)
            case Add():
                return self._add(instruction, step)
            case Run():
                return self._run(instruction, step)
        raise TypeError(f"{instruction.keyword} changes no file")

    def _workdir(self, instruction: Workdir, step: Step) -> Told:
        state = self._state
        state.settings.apply(instruction)
        path = state.settings.working_directory
        key = state.advance("workdir", path=path)
        return self._layer(key, f"WORKDIR {path}", step, lambda: self._made_folder(path))

    def _copy(self, instruction: Copy, step: Step) -> Told:
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
        return self._copied(select(order, tree), step, f"COPY {_words(instruction)}")

    def _add(self, instruction: Add, step: Step) -> Told:
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
        return self._copied(copying, step, f"ADD {_words(instruction)}")

    def _run(self, instruction: Run, step: Step) -> Told:
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
        return self._layer(
            key, described, step, lambda: self._ran(command, bound, step, instruction)
        )

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

    def _copied(self, copying: Copying, step: Step, described: str) -> Told:
        return described, self._results.copied(copying, step).layer

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

    def _layer(self, key: str, described: str, step: Step, make: Callable[[], Result]) -> Told:
        return described, self._results.get(key, step, make).layer

    def _destination(self, written: str, count: int) -> str:
        """Return the absolute destination; a folder ends in ``/``."""
        path = below(self._state.settings.working_directory, written)
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
