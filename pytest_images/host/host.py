"""The host: plugins, the engine in force, and the door to them."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from pytest_images.errors import HookError, InvalidUsage
from pytest_images.host.engines import EMBEDDED, Engines, plugin_name
from pytest_images.host.manager import Manager
from pytest_images.host.once import Once
from pytest_images.host.scopes import Scopes
from pytest_images.host.unanswered import NAME as UNANSWERED
from pytest_images.host.unanswered import Unanswered
from pytest_images.host.view import View
from pytest_images.images import Images
from pytest_images.policies.cleanup import Cleanup

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from pytest_images.arguments import Policy
    from pytest_images.content.durability import Durability
    from pytest_images.engine.embedded import EmbeddedEngine
    from pytest_images.hookspecs import Hooks
    from pytest_images.http.limits import Limits
    from pytest_images.model.image import Image, Removal
    from pytest_images.model.platform import Platform
    from pytest_images.policies.lock import Lock

TRACE = "PYTEST_IMAGES_TRACE"  # see `trace`


class Host:
    """The plugins of one process, the engine in force, and `images`, the door to them.

    *home*: the store's folder, by default ``$PYTEST_IMAGES_HOME`` or the user's cache folder.
    *run*: names go into this run's overlay, which `end_run` drops. *engine*: the one in force.
    *durability*: the store's (``safe`` or ``fast``). *limits*: what the registry client waits
    for and takes from a registry (`http.limits.Limits`). *platforms*: those wanted where a pull
    or load names none, best first. *policy*: when `Images.get` pulls, where its caller does not
    say. *offline*: nothing but this machine is asked. *lock*: what tags stand for, by a file;
    *mirrors*: lines as of `Mirror.parse`. *plugins*: further plugins, asked before installed ones.
    *load_entry_points*: use the installed plugins too. *where*: says below which file the
    caller is, for plugins that hold for a folder only.

    Nothing is opened before the first use. A context manager; raises HookError for a plugin
    that breaks the contract of a hook.
    """

    def __init__(
        self,
        *,
        home: Path | str | None = None,
        run: str | None = None,
        engine: str = EMBEDDED,
        durability: Durability | str | None = None,
        limits: Limits | None = None,
        platforms: Iterable[Platform] = (),
        policy: Policy = "missing",
        offline: bool = False,
        lock: Lock | None = None,
        mirrors: Iterable[str] = (),
        plugins: Iterable[object] = (),
        load_entry_points: bool = True,
        where: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.home, self.run, self.durability, self.limits = home, run, durability, limits
        self.platforms = tuple(platforms)
        self.policy: Policy = policy
        self.offline, self.lock = offline, lock
        self.where = where
        self.manager = Manager()
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._is_ready = self._has_said_goodbye = self._is_closed = False
        self._engines = Engines(self.manager)
        self._scopes = Scopes()
        self._views: dict[tuple[object, ...], tuple[int, View]] = {}
        if os.environ.get(TRACE, "") not in ("", "0"):
            from pytest_images.host.trace import Trace

            Trace(self.manager)
        self.images = Images(self, engine)
        self.once = Once(lambda: self.embedded.store)
        self._register_defaults()
        if load_entry_points and not os.environ.get("PYTEST_IMAGES_DISABLE_PLUGIN_AUTOLOAD"):
            self._register_installed()
        for plugin in (*self._policies(tuple(mirrors)), *plugins):
            self.register(plugin)

    # Plugins.

    def register(
        self, plugin: object, name: str | None = None, *, below: Path | str | None = None
    ) -> str:
        """Add *plugin* and return its name; it is asked before those that are there.

        *below*: it holds for callers in this folder only, as a suite's conftest.py does.
        Raises HookError when it breaks the contract of a hook.
        """
        name = name or self.manager.get_canonical_name(plugin)
        if self.manager.has_plugin(name):
            raise HookError("*", "a plugin of this name is registered already", [name])
        if below is not None:
            self._scopes.add(name, below)  # first: no thread may see it hold everywhere
        try:
            self.manager.register(plugin, name)
        except HookError:
            self._scopes.remove(name)
            raise
        if self._is_ready:
            self._welcome(plugin)
        return name

    def unregister(self, plugin: object) -> None:
        """Take *plugin* out again."""
        name = self.manager.get_name(plugin)
        if name is None:
            raise HookError("*", "this plugin is not registered", [repr(plugin)])
        self.manager.unregister(name=name)
        self._scopes.remove(name)

    def _register_defaults(self) -> None:
        from pytest_images.answers.docker_config import DockerConfig
        from pytest_images.answers.run import Sandbox
        from pytest_images.answers.upstream import Upstream

        self.manager.register_last(Unanswered(), UNANSWERED)
        self.manager.register_last(Sandbox(), "sandbox")
        self.manager.register_last(DockerConfig(), "docker-config")
        upstream = Upstream(lambda: self.embedded.store, lambda: self.embedded.client)
        self.manager.register_last(upstream, "upstream")
        self.manager.register(Cleanup(), "cleanup")
        self._engines.add({EMBEDDED: self._make_embedded})

    def _policies(self, mirrors: Sequence[str]) -> Iterator[object]:
        """Make the policies that were chosen; the others are not imported."""
        if mirrors:
            from pytest_images.policies.mirrors import Mirrors

            yield Mirrors(mirrors)
        if self.lock is not None:
            yield self.lock
        if self.offline:
            from pytest_images.policies.offline import Offline

            yield Offline(lambda: self.embedded.store, str(self.home or ""))

    def _register_installed(self) -> None:
        from pytest_images.host.entry_points import installed

        for point in installed():
            self.manager.register(point.load(), point.name)

    def _welcome(self, plugin: object) -> None:
        """Give a late plugin the moments it missed."""
        rest = [other for other in self.manager.get_plugins() if other is not plugin]
        for brought in self.manager.subset_hook_caller("images_engines", rest)():
            self._engines.add(brought)
        self.manager.subset_hook_caller("images_configure", rest)(images=self.images)

    # Engines.

    def engine(self, name: str) -> object:
        """Return the engine *name*, made at its first use. Raises InvalidUsage."""
        self._get_ready()
        return self._engines.get(name)

    @property
    def engines(self) -> tuple[str, ...]:
        """The names of the engines that can be used."""
        self._get_ready()
        return self._engines.names

    @property
    def embedded(self) -> EmbeddedEngine:
        """Our own engine, whichever is in force: default answers keep to its store."""
        return cast("EmbeddedEngine", self.engine(EMBEDDED))

    def _make_embedded(self) -> object:
        from pytest_images.content.durability import Durability
        from pytest_images.engine.embedded import EmbeddedEngine

        home = None if self.home is None else Path(self.home)
        if self.durability not in (None, *Durability):
            known = ", ".join(Durability)
            raise InvalidUsage(str(self.durability), f"durability is one of {known}")
        durability = None if self.durability is None else Durability(self.durability)
        engine = EmbeddedEngine(
            home,
            run=self.run,
            durability=durability,
            limits=self.limits,
            offline=self.offline,
        )
        engine.bind(self.images)
        return engine

    # Views.

    def hooks(self, engine: str, place: str | None, without: frozenset[str]) -> Hooks:
        """Return the hooks as a caller at *place* sees them with *engine* in force."""
        return cast("Hooks", self.view(engine, place, without))

    def view(self, engine: str, place: str | None, without: frozenset[str]) -> View:
        """Return the plugins that are asked: no other engine, no folder that is not above."""
        if not self._is_ready:
            self._get_ready()
        key = (engine, place, without)
        version, view = self._views.get(key, (-1, None))
        if view is None or version != self.manager.version:
            version = self.manager.version
            hidden = {*self._engines.others(engine), *self._scopes.hidden_at(place), *without}
            view = View(self.manager, frozenset(hidden))
            self._views[key] = version, view
        return view

    def lost(self, hook: str, images: Images) -> HookError:
        """Return the error for a result that a wrapper of *hook* lost, with all that wrap it."""
        view = self.view(images.engine, images.place or self.where(), images.left_out)
        wrappers = [name for name in view.wrappers(hook) if name != UNANSWERED]
        error = HookError(hook, "the result was lost by one of its wrappers", wrappers)
        error.add_note("a wrapper ends with `return result`, where `result = yield`")
        return error

    def name_of(self, plugin: object) -> str:
        """Return the name of *plugin*: the object itself, its name, or the file it stands in."""
        if isinstance(plugin, str | Path):
            file = os.path.realpath(plugin)
            for name in (str(plugin), file, plugin_name(str(plugin))):
                if self.manager.has_plugin(name):
                    return name
            if Path(file).is_file():
                return file  # it implements no hook, so there is nothing to leave out
        else:
            registered = self.manager.get_name(plugin)
            if registered is not None:
                return registered
        raise HookError("*", "there is no such plugin to leave out", [str(plugin)])

    # Life.

    def _get_ready(self) -> None:
        """Make the host complete, once: gather the engines, tell every plugin."""
        if self._is_ready:
            return
        with self._lock:
            if self._is_closed:
                raise HookError("*", "the host is closed")
            if not self._is_ready:
                self._engines.gather()
                self._is_ready = True
                self.manager.hook.images_configure(images=self.images)

    @property
    def is_there(self) -> bool:
        """Whether there is a store, perhaps of another process: before, nothing is cached."""
        from pytest_images.content.home import locate

        return locate(None if self.home is None else Path(self.home)).is_dir()

    @property
    def is_open(self) -> bool:
        """Whether the store was opened: before, nothing was touched."""
        return self._engines.is_made(EMBEDDED) and self.embedded.is_open

    def give_up(self) -> None:
        """End the downloads that are under way, in whatever thread; nothing is left of them."""
        if self._engines.is_made(EMBEDDED):
            self.embedded.give_up()

    def use(self, image: Image) -> None:
        """Say that this run uses an image it found: nobody's `prune` takes it meanwhile."""
        if self.is_open:
            self.embedded.store.use(image)

    def keep(self, names: Collection[str] | None = None) -> tuple[Image, ...]:
        """Let what this run named stay after it: all, or *names*; return the images that stay.

        A name that is kept stands for the run's image from now on, for everyone.
        """
        from pytest_images.engine.keep import keep

        return keep(self.embedded.store, None if names is None else frozenset(names))

    def end_run(self) -> tuple[Removal, ...]:
        """Tell every plugin that it is over, then drop what this run named, for all processes.

        Only the last process of a run may call this. Returns what went; a child made by fork
        drops nothing.
        """
        if self.run is None or os.getpid() != self._process:
            return ()
        self._say_goodbye()
        store = self.embedded.store
        gone = store.end_run(self.run)
        store.collect()  # what was pulled stays as cache, within the budget
        return gone

    def close(self) -> None:
        """Tell every plugin that it is over, and close the engines. Safe when called twice.

        A child made by fork closes nothing: it is all its parent's.
        """
        with self._lock:
            if self._is_closed or os.getpid() != self._process:
                return
            failures: list[Exception] = []
            try:
                self._say_goodbye()
            except Exception as error:  # noqa: BLE001, RUF100 - engines are closed first
                failures.append(error)
            self._is_closed, self._is_ready = True, False
            failures += self._engines.close()
        if failures:
            raise failures[0]

    def _say_goodbye(self) -> None:
        """Call the last moment, once, where the first was."""
        if self._is_ready and not self._has_said_goodbye:
            self._has_said_goodbye = True
            self.manager.hook.images_unconfigure(images=self.images)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
