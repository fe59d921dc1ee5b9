"""Settings: an option, the environment, the ini file, a default, in this order."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

# Name, help. The option is --images-NAME, the ini key images_NAME, PYTEST_IMAGES_NAME in the
# environment.
_TEXTS = {
    "home": "the store's folder (default: the user's cache folder)",
    "engine": "the engine that does the verbs (default: embedded)",
    "durability": "safe, or fast: without fsync, for disks that are thrown away (default: safe)",
    "platform": "the platforms that images are wanted for, best first (default: this machine's)",
}
_OFFLINE = "ask registries on loopback only"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys; every option's default is None, so others may speak."""
    group = parser.getgroup("images", "container images")
    for name, meaning in _TEXTS.items():
        group.addoption(f"--images-{name}", default=None, metavar=name.upper(), help=meaning)
        parser.addini(f"images_{name}", meaning, default=None)
    group.addoption("--images-offline", action="store_true", default=None, help=_OFFLINE)
    parser.addini("images_offline", _OFFLINE, default=None)


@dataclass(frozen=True)  # without slots: made at every start of pytest, slots cost time
class Settings:
    """What the user chose; None and "" are nobody's choice. *offline* is a yes or no."""

    home: str | None
    engine: str | None
    durability: str | None
    platform: str | None
    offline: bool

    @classmethod
    def of(cls, config: pytest.Config) -> Settings:
        """Read the settings of this run. Raises pytest.UsageError."""
        texts = {name: _chosen(config, name) for name in _TEXTS}
        home = texts.pop("home")
        if home is not None:
            home = str(config.invocation_params.dir / os.path.expanduser(home))  # noqa: PTH111 - text
        _check_durability(texts["durability"])
        return cls(home=home, offline=_yes(_chosen(config, "offline")), **texts)

    def __str__(self) -> str:
        chosen = [
            f"{name} {value}" for name, value in vars(self).items() if value not in (None, False)
        ]
        return ", ".join(text.removesuffix(" True") for text in chosen)


def _chosen(config: pytest.Config, name: str) -> str | None:
    option = config.getoption(f"images_{name}")
    if option is not None:
        return str(option)
    return (
        os.environ.get(f"PYTEST_IMAGES_{name.upper()}") or config.getini(f"images_{name}") or None
    )


def _yes(text: str | None) -> bool:
    if text is None or text.lower() in ("0", "no", "false", "off"):
        return False
    if text.lower() in ("1", "yes", "true", "on"):
        return True
    raise pytest.UsageError(f"images_offline is yes or no, not {text!r}")


def _check_durability(text: str | None) -> None:
    if text not in (None, "safe", "fast"):
        raise pytest.UsageError(f"images_durability is safe or fast, not {text!r}")
