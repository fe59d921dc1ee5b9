"""A stage while it is built: settings, variables, layers, history, and the key of all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pytest_images.builder.documents import COMMENT
from pytest_images.builder.keys import key_of
from pytest_images.builder.settings import SettingsDraft
from pytest_images.dataclass import dataclass, field
from pytest_images.model.config import History

if TYPE_CHECKING:
    from pytest_images.builder.cache import BuiltLayer
    from pytest_images.dockerfile.arguments import Scope
    from pytest_images.model.platform import Platform


@dataclass(slots=True)
class State:
    """One stage at one moment. *key* stands for everything that made it so.

    *created* is the time of what is made here, RFC 3339. *triggers* are the ONBUILD of the base.
    """

    platform: Platform
    settings: SettingsDraft
    scope: Scope
    key: str
    created: str
    author: str = ""
    layers: list[BuiltLayer] = field(default_factory=list)
    history: list[History] = field(default_factory=list)
    triggers: tuple[str, ...] = ()

    def followed_by(self, scope: Scope) -> Self:
        """Return the state of a stage that stands on this one."""
        settings = SettingsDraft.of(self.settings.to_json(), "stage", self.platform.os)
        return type(self)(
            *(self.platform, settings, scope, self.key, self.created),
            *(self.author, list(self.layers), list(self.history), self.settings.on_build),
        )

    def note(self, created_by: str, layer: BuiltLayer | None = None) -> None:
        """Add a line of history, and the *layer* it made."""
        is_empty = layer is None
        self.history.append(
            History(self.created, created_by, comment=COMMENT, empty_layer=is_empty)
        )
        if layer is not None:
            self.layers.append(layer)

    def advance(self, kind: str, **parts: object) -> str:
        """Make the key of a further step, of what it is and everything before it."""
        self.key = key_of(kind, parent=self.key, **parts)
        return self.key
