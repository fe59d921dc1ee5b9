"""Nobody answered: said at the innermost place, so that a wrapper that loses a result shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_images.errors import Unsupported
from pytest_images.hookspecs import Hooks, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pytest_images.images import Images

NAME = "unanswered"
# None is an answer to `registry_credentials`: anonymous.
MUST_BE_ANSWERED = (
    *(name for name in vars(Hooks) if name.startswith("image_")),
    "registry_resolve",
    "registry_endpoints",
    "build_run",
)


class Unanswered:
    """The innermost wrapper of each hook that must have an answer: none is `Unsupported`.

    A ``None`` that reaches the caller all the same was made by a wrapper outside of it.
    """

    def __init__(self) -> None:
        for hook in MUST_BE_ANSWERED:
            setattr(self, hook, _watching(hook))


def _watching(hook: str) -> Callable[..., Any]:
    @hookimpl(wrapper=True, specname=hook)
    def watching(images: Images) -> Generator[None, Any, Any]:
        __tracebackhide__ = True
        answer = yield
        if answer is None:
            raise _nobody(hook, images)
        return answer

    return watching


def _nobody(hook: str, images: Images) -> Unsupported:
    operation = hook.removeprefix("image_")
    if operation == hook:
        return Unsupported(hook, "no plugin answers it")
    error = Unsupported(operation, f"neither the engine {images.engine} nor a plugin does it")
    error.add_note("another engine may: set images_engine, or PYTEST_IMAGES_ENGINE")
    return error
