from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.errors import HookError
from pytest_images.hookspecs import hookimpl
from pytest_images.host.manager import Manager

if TYPE_CHECKING:
    from collections.abc import Generator


class KeywordOnly:
    @hookimpl
    def image_ls(self, images: Any, *, request: Any) -> None: ...


class Defaulted:
    @hookimpl
    def image_ls(self, images: Any, request: Any = None) -> None: ...


class AnyNames:
    @hookimpl
    def image_ls(self, **everything: Any) -> None: ...


class UnknownArgument:
    @hookimpl
    def image_ls(self, images: Any, pattern: Any) -> None: ...


class Misspelt:
    @hookimpl
    def image_pul(self, images: Any, request: Any) -> None: ...


class Asynchronous:
    @hookimpl
    async def image_ls(self, images: Any, request: Any) -> None: ...


class YieldsPlainly:
    @hookimpl
    def image_ls(self) -> Generator[None, None, None]:
        yield


class NeverYields:
    @hookimpl(wrapper=True)
    def image_ls(self) -> None: ...


class Answer:
    """A plugin that answers `image_ls` with its own name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def image_ls(self) -> str:
        return self.name


class LastAnswer(Answer):
    @hookimpl(trylast=True)
    def image_ls(self) -> str:
        return self.name


class Passing:
    """A plugin that is asked and has nothing to say."""

    def __init__(self, asked: list[str], name: str) -> None:
        self.asked, self.name = asked, name

    @hookimpl(trylast=True)
    def image_ls(self) -> None:
        self.asked.append(self.name)


class Knows:
    @hookimpl
    def registry_resolve(self) -> str:
        return "answer"


def ask(manager: Manager) -> Any:
    return manager.hook.image_ls(images=None, request=None)


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (KeywordOnly, "'request' is keyword-only"),
        (Defaulted, "'request' has a default"),
        (AnyNames, "'everything' takes any name"),
        (UnknownArgument, "no argument 'pattern'; it has images, request"),
        (Misspelt, "no such hook"),
        (Asynchronous, "cannot be async"),
        (YieldsPlainly, "wrapper=True"),
        (NeverYields, "must yield"),
    ],
)
def test_an_implementation_that_would_be_misunderstood_is_refused(
    plugin: type[object], words: str
) -> None:
    manager = Manager()
    with pytest.raises(HookError, match=words) as caught:
        manager.register(plugin(), "the-culprit")
    assert caught.value.plugins == ("the-culprit",)
    assert not manager.has_plugin("the-culprit")


def test_a_misspelt_hook_is_told_its_name() -> None:
    with pytest.raises(HookError) as caught:
        Manager().register(Misspelt())
    assert caught.value.__notes__ == ["did you mean image_pull?"]


def test_a_plugin_is_registered_once() -> None:
    manager, plugin = Manager(), Answer("one")
    manager.register(plugin, "one")
    with pytest.raises(HookError, match="already registered"):
        manager.register(plugin, "two")


def test_the_plugin_that_came_last_is_asked_first() -> None:
    manager = Manager()
    manager.register(Answer("first"))
    manager.register(Answer("second"))
    assert ask(manager) == "second"


def test_an_engine_that_comes_late_is_still_asked_last() -> None:
    manager = Manager()
    manager.register(Answer("plugin"))
    manager.register_last(Answer("engine"), "engine", engine=True)
    assert ask(manager) == "plugin"


def test_a_plugin_that_wants_to_be_last_comes_before_the_engine() -> None:
    manager = Manager()
    manager.register_last(Answer("engine"), "engine", engine=True)
    manager.register(LastAnswer("plugin"))
    assert ask(manager) == "plugin"


def test_the_order_of_those_asked_last_stays() -> None:
    manager, asked = Manager(), list[str]()
    manager.register_last(Passing(asked, "default"), "default")
    manager.register_last(Passing(asked, "engine"), "engine", engine=True)
    manager.register(Passing(asked, "plugin"))
    ask(manager)
    assert asked == ["plugin", "default", "engine"]


def test_a_class_of_engines_is_not_marked_by_one_of_them() -> None:
    manager = Manager()
    manager.register_last(Answer("engine"), "engine", engine=True)
    manager.register(LastAnswer("last"), "last")
    manager.register(Answer("plugin"), "plugin")
    assert ask(manager) == "plugin"


def test_an_engine_answers_no_questions() -> None:
    manager = Manager()
    with pytest.raises(HookError, match="registry_resolve"):
        manager.register_last(Knows(), "engine", engine=True)
    manager.register(Knows(), "plugin")


def test_a_plugin_that_cannot_be_hashed_is_refused() -> None:
    class Unhashable(Answer):
        __hash__ = None  # type: ignore[assignment] # the point of this test

    with pytest.raises(HookError, match="unhashable"):
        Manager().register(Unhashable("x"), "x")


def test_every_registration_counts() -> None:
    manager, plugin = Manager(), Answer("one")
    before = manager.version
    manager.register(plugin)
    manager.unregister(plugin)
    assert manager.version == before + 2
