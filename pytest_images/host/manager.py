"""Our own pluggy manager: what is refused at registration, and who is always asked last."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

import pluggy

from pytest_images.errors import HookError
from pytest_images.hookspecs import PROJECT, Hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pluggy import HookimplOpts, HookspecOpts

QUESTIONS = ("registry_resolve", "registry_endpoints", "registry_credentials", "build_run")

_MARK = f"{PROJECT}_impl"  # where `hookimpl` leaves its options


class Manager(pluggy.PluginManager):
    """The plugins of one host.

    Order is given by role, not by the moment of registration: *engines* and *defaults* are
    asked after all others, however late those come. Everything a plugin does wrong is a
    HookError at registration that names it, and nothing of it stays registered.
    """

    def __init__(self) -> None:
        super().__init__(PROJECT)
        self.add_hookspecs(Hooks)
        self.version = 0  # counts registrations: what was worked out from them is then stale
        self._last: dict[int, object] = {}
        self._engines: set[int] = set()
        self._parsed: dict[int, dict[str, HookimplOpts]] = {}  # of plugins being registered

    def register_last(self, plugin: object, name: str, *, engine: bool = False) -> None:
        """Register *plugin* so that it is asked after all others, now and later."""
        self._last[id(plugin)] = plugin
        if engine:
            self._engines.add(id(plugin))
        try:
            self.register(plugin, name)
        except HookError:
            self._forget_role(plugin)
            raise

    def register(self, plugin: object, name: str | None = None) -> str | None:
        """Register *plugin* under *name*. Raises HookError, and then nothing was changed."""
        name = name or self.get_canonical_name(plugin)
        impls = dict(self.implementations(plugin))
        for attribute, options in impls.items():
            self._check(plugin, name, attribute, options)
        self._parsed[id(plugin)] = impls
        try:
            hash(plugin)  # views keep plugins in sets
            registered = super().register(plugin, name)
        except (pluggy.PluginValidationError, ValueError, TypeError) as error:
            raise HookError("*", " ".join(str(error).split()), [name]) from error
        finally:
            self._parsed.pop(id(plugin), None)
        asks_to_be_last = any(options.get("trylast") for options in impls.values())
        if asks_to_be_last and id(plugin) not in self._last:
            self._sink()
        self.version += 1
        return registered

    def unregister(self, plugin: object | None = None, name: str | None = None) -> Any | None:
        """Unregister a plugin, by itself or by its name."""
        gone = super().unregister(plugin, name)
        self._forget_role(gone)
        self.version += 1
        return gone

    def implementations(self, plugin: object) -> Iterator[tuple[str, HookimplOpts]]:
        """Give the attributes of *plugin* that implement a hook, with their options."""
        for attribute in dir(plugin):
            options = self.parse_hookimpl_opts(plugin, attribute)
            if options is not None:
                yield attribute, options

    def parse_hookimpl_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        """Read the options of one implementation; those who are asked last get ``trylast``."""
        if name.startswith("__"):  # what every object has; most of what there is to look at
            return None
        if id(plugin) in self._parsed:  # looking costs a millisecond of a command's start
            return self._parsed[id(plugin)].get(name)
        options = self._options(plugin, name)
        if options is None or id(plugin) not in self._last:
            return options
        last = options.copy()  # the original belongs to the function, which others may share
        last["trylast"], last["tryfirst"] = True, False
        return last

    def _options(self, plugin: object, name: str) -> HookimplOpts | None:
        """Read what a method is marked with; what else it could be, pluggy finds out for 30 µs."""
        method = getattr(type(plugin), name, None)
        if isinstance(method, FunctionType) and name not in getattr(plugin, "__dict__", ()):
            return cast("HookimplOpts | None", method.__dict__.get(_MARK))
        return super().parse_hookimpl_opts(plugin, name)

    def parse_hookspec_opts(self, namespace: Any, name: str) -> HookspecOpts | None:
        """Read the options of one hook; what every class has is none."""
        return None if name.startswith("__") else super().parse_hookspec_opts(namespace, name)

    def _sink(self) -> None:
        """Put those who are asked last behind a plugin that asked to be last itself."""
        for plugin in tuple(self._last.values()):
            name = self.get_name(plugin)
            super().unregister(plugin)
            super().register(plugin, name)

    def _forget_role(self, plugin: object) -> None:
        self._last.pop(id(plugin), None)
        self._engines.discard(id(plugin))

    def _check(self, plugin: object, name: str, attribute: str, options: HookimplOpts) -> None:
        """Refuse an implementation that pluggy would take and then misunderstand."""
        hook = options.get("specname") or attribute
        caller = getattr(self.hook, hook, None)
        if caller is None or not caller.has_spec():
            if not options.get("optionalhook"):
                raise _unknown(hook, name, tuple(vars(self.hook)))
            return
        if id(plugin) in self._engines and hook in QUESTIONS:
            raise HookError(hook, "an engine answers verbs; bring answers in a plugin", [name])
        function = getattr(plugin, attribute)
        wrong = _wrong_argument(function, caller.spec.argnames)
        if wrong:
            raise HookError(hook, wrong, [name])
        _check_form(hook, name, function, options)


def _wrong_argument(function: Any, known: tuple[str, ...]) -> str:
    """Say which argument pluggy would never fill, or fill in silence; "" where all are well.

    Read from the code, as pluggy does: `inspect.signature` takes 100 µs a function.
    """
    inner = inspect.unwrap(function)
    code = getattr(inner, "__code__", None)
    if code is None:  # not written in Python: it is called without arguments
        return ""
    is_bound = inspect.ismethod(function) or inspect.ismethod(inner)
    names, others = code.co_varnames[is_bound : code.co_argcount], code.co_argcount
    if inner.__defaults__:
        name = names[-len(inner.__defaults__)]
        return f"the argument {name!r} has a default, which would never be used"
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        return f"there is no argument {unknown!r}; it has {', '.join(known)}"
    if code.co_kwonlyargcount:
        name = code.co_varnames[others]
        return f"the argument {name!r} is keyword-only, so it would never be filled"
    if code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        name, many = code.co_varnames[others], code.co_flags & inspect.CO_VARARGS
        what = "number" if many else "name"
        return f"the argument {name!r} takes any {what}, so it would never be filled"
    return ""


def _check_form(hook: str, name: str, function: object, options: HookimplOpts) -> None:
    wraps = options.get("wrapper") or options.get("hookwrapper")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise HookError(hook, "an implementation cannot be async", [name])
    if inspect.isgeneratorfunction(function) and not wraps:
        raise HookError(hook, "it yields: say @hookimpl(wrapper=True)", [name])
    if wraps and not inspect.isgeneratorfunction(function):
        raise HookError(hook, "a wrapper must yield once", [name])


def _unknown(hook: str, name: str, known: tuple[str, ...]) -> HookError:
    import difflib

    error = HookError(hook, "there is no such hook", [name])
    near = difflib.get_close_matches(hook, known, 1)
    error.add_note(
        f"did you mean {near[0]}?" if near else "the hooks are in pytest_images.hookspecs"
    )
    return error
