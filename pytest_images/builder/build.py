"""A whole build: the stages of a plan, those in parallel that do not need each other."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_images.builder.cache import BuiltLayer, Cache
from pytest_images.builder.documents import make_config, make_manifest, oci_layer
from pytest_images.builder.keys import key_of
from pytest_images.builder.settings import SettingsDraft
from pytest_images.builder.state import State
from pytest_images.builder.steps import Steps
from pytest_images.builder.trees import ImageTree
from pytest_images.dataclass import dataclass, field
from pytest_images.dockerfile.arguments import Scope
from pytest_images.dockerfile.reading import read_trigger
from pytest_images.dockerfile.stages import SCRATCH
from pytest_images.errors import ImagesError
from pytest_images.model.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from pytest_images.builder.fetching import Fetched
    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.log import BuildLog
    from pytest_images.builder.plan import Plan, PlannedStage
    from pytest_images.builder.running import Runner
    from pytest_images.builder.trees import Tree
    from pytest_images.builder.view import Views
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.instructions import Add
    from pytest_images.dockerfile.place import Place
    from pytest_images.layer.files import Files
    from pytest_images.layer.written import Noted
    from pytest_images.model.config import Config
    from pytest_images.model.manifest import Manifest

STAGES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Base:
    """An image to build on: its documents."""

    config: Config
    manifest: Manifest

    @property
    def layers(self) -> list[BuiltLayer]:
        """Its layers, lowest first."""
        pairs = zip(self.manifest.layers, self.config.diff_ids, strict=True)
        return [BuiltLayer(descriptor, diff_id) for descriptor, diff_id in pairs]


@dataclass(slots=True)
class Workbench:
    """What one build works with; `Steps` see it as their `Workshop`.

    *base_of* brings an image, by its name and platform; *context_of* the files of a named
    context, None: there is none of that name. *latest* is in seconds since 1970, and the time
    of what is made; *clock* stands for it in the keys of steps.
    """

    store: Store
    lease: Lease
    plan: Plan
    log: BuildLog
    make_runner: Callable[[], Runner]
    fingerprints: Fingerprints
    context: Tree
    platform: Platform
    given: Mapping[str, str]
    base_of: Callable[[str, Platform], Base]
    context_of: Callable[[str], Tree | None]
    fetch: Callable[[Add, Callable[[], bool]], Sequence[Fetched]]
    created: str
    latest: int
    clock: str
    uses_cache: bool = True
    secrets: frozenset[str] = frozenset()
    network: str = "default"
    add_hosts: tuple[tuple[str, str], ...] = ()
    cache: Cache = field(init=False)
    _views: Views | None = field(init=False, default=None)
    _runner: Runner | None = field(init=False, default=None)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _bases: dict[int, Base] = field(init=False, default_factory=dict)
    _states: dict[int, Future[State]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.cache = Cache(self.store, self.lease)

    def build(self) -> State:
        """Build every stage of the plan; return the state of the target.

        When one fails, or this is interrupted, the commands of the others are ended.
        """
        stages = self.plan.stages
        for planned in stages:  # in this thread: what is pulled can be interrupted
            self._find_base(planned)
        state = self._stage(stages[0]) if len(stages) == 1 else self._together(stages)
        self.fingerprints.save()
        return state

    def _together(self, stages: Sequence[PlannedStage]) -> State:
        """Build stages that may need each other, those that do not at once."""
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        with ThreadPoolExecutor(min(len(stages), STAGES_AT_ONCE), "image-stage") as pool:
            try:
                for planned in stages:  # in order: whoever waits, waits for one begun before
                    self._states[planned.stage.number] = pool.submit(self._stage, planned)
                done, _ = wait(self._states.values(), return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                for future in self._states.values():
                    future.cancel()
                self.log.close()
                raise
        return self._states[self.plan.target.stage.number].result()

    # What steps ask for.

    @property
    def runner(self) -> Runner:
        """What runs commands, made at the first use: a build that runs nothing imports little."""
        with self._lock:
            if self._runner is None:
                self._runner = self.make_runner()
            return self._runner

    def origin(self, name: str, stage: int, place: Place) -> Tree:
        """Return the files that ``--from=name`` means, "" for the context."""
        if not name:
            return self.context
        named = self.context_of(name)
        if named is not None:
            return named
        own = self.plan.dockerfile.stages[stage]
        found = self.plan.dockerfile.origin(own, name, place)
        if found is not None:
            if found.number not in self._states:
                raise place.error(f"a trigger of the base takes files of the stage {name}")
            return ImageTree(self.files(self._states[found.number].result().layers))
        return ImageTree(self.files(self.base_of(name, self.platform).layers))

    def fetched(self, instruction: Add, is_over: Callable[[], bool]) -> Sequence[Fetched]:
        """Return what ADD's URLs and repositories gave; *is_over*: nobody waits any more."""
        return self.fetch(instruction, is_over)

    def files(self, layers: Sequence[BuiltLayer]) -> Files:
        """Return the files that *layers* make; a build that finds all in its cache asks nobody."""
        return self._seen().files(layers)

    def learn(self, layer: BuiltLayer, noted: list[Noted]) -> None:
        """Hear what was written into a layer just now: it need not be listed again."""
        self._seen().learn(layer, noted)

    def _seen(self) -> Views:
        from pytest_images.builder.view import Views

        with self._lock:
            self._views = self._views or Views(self.store)
            return self._views

    # Below: one stage.

    def _stage(self, planned: PlannedStage) -> State:
        state = self._begun(planned)
        title = f"[{planned.stage.label} {{}}]" if self.plan.has_many else "[{}]"
        steps = Steps(self, state, planned.stage.number, title)
        triggers = [read_trigger(text, planned.start.base) for text in state.triggers]
        steps.carry_out([*triggers, *planned.stage.instructions], planned.start.source_line)
        return state

    def _find_base(self, planned: PlannedStage) -> None:
        """Bring the image that a stage stands on, where it stands on one."""
        start = planned.start
        if planned.base is not None or start.base == SCRATCH:
            return
        platform = self._platform_of(planned)
        for other in self.plan.stages:
            known = self._bases.get(other.stage.number)
            same = other.start.base == start.base and self._platform_of(other) == platform
            if known is not None and same:
                self._bases[planned.stage.number] = known
                return
        step = self.log.step(f"[internal] load metadata for {start.base}")
        try:
            base = self.base_of(start.base, platform)
            for text in base.config.settings.on_build:
                read_trigger(text, start.base)  # a wrong one is found before anything is done
        except ImagesError as error:
            step.failed(str(error))
            start.place.wants(error)
            raise
        self._bases[planned.stage.number] = base
        step.done()

    def _platform_of(self, planned: PlannedStage) -> Platform:
        text = planned.start.platform
        return Platform.parse(text) if text else self.platform

    def _begun(self, planned: PlannedStage) -> State:
        """Return the state that a stage begins with: of a stage, of an image, of nothing."""
        if planned.base is not None:
            below = self._states[planned.base.number].result()
            return below.followed_by(below.scope.inherited())
        plan = self.plan
        scope = Scope(plan.outside, self.given, plan.dockerfile.escape, plan.allowance)
        base = self._bases.get(planned.stage.number)
        if base is not None:
            state = self._on_image(base, scope, planned.start.base)
        else:
            state = self._on_nothing(scope, self._platform_of(planned))
        state.settings.complete()
        for variable, value in state.settings.environment.items():
            scope.set(variable, value)
        return state

    def _on_nothing(self, scope: Scope, platform: Platform) -> State:
        settings = SettingsDraft.of({"WorkingDir": "/"}, SCRATCH, platform.os)
        key = key_of("scratch", platform=str(platform), clock=self.clock)
        return State(platform, settings, scope, key, self.created)

    def _on_image(self, base: Base, scope: Scope, name: str) -> State:
        import json

        document = json.loads(base.config.raw).get("config")
        platform = base.config.platform
        settings = SettingsDraft.of(document, name, platform.os)
        key = key_of("image", id=str(base.config.id), clock=self.clock)
        state = State(platform, settings, scope, key, self.created, base.config.author)
        state.layers = base.layers
        state.history = list(base.config.history)
        state.triggers = base.config.settings.on_build
        return state


def documents(state: State, labels: Mapping[str, str]) -> tuple[Config, Manifest]:
    """Return the config and manifest of the image that *state* is, with further *labels*."""
    settings = state.settings.to_json()
    if labels:
        merged = {**settings.get("Labels", {}), **labels}
        settings["Labels"] = dict(sorted(merged.items()))
    config = make_config(
        state.platform,
        settings,
        [layer.diff_id for layer in state.layers],
        state.history,
        created=state.created,
        author=state.author,
    )
    return config, make_manifest(config, [oci_layer(layer.descriptor) for layer in state.layers])
