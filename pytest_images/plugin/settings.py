"""Settings: an option, the environment, the ini file, a default, in this order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import pytest

from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.arguments import Policy


class Setting(NamedTuple):
    """The option is --images-NAME, the ini key images_NAME, PYTEST_IMAGES_NAME in the environment.

    *kind*: ``text``, ``number``, ``flag`` (yes or no) or ``lines``. *values*: all there are.
    """

    name: str
    meaning: str
    default: str
    kind: str = "text"
    values: tuple[str, ...] = ()


SETTINGS = (
    Setting("home", "the store's folder", "the user's cache folder"),
    Setting("engine", "the engine that does the verbs", "embedded"),
    Setting(
        "durability",
        "safe, or fast: without fsync, for disks that are thrown away",
        "safe",
        values=("safe", "fast"),
    ),
    Setting("platform", "the platforms that images are wanted for, best first", "this machine's"),
    Setting(
        "pull",
        "when to ask the registry",
        "missing",
        values=("missing", "newer", "always", "never"),
    ),
    Setting(
        "lock",
        "what to do with images.lock",
        "use, if it is there",
        values=("use", "update", "verify", "off"),
    ),
    Setting("offline", "ask registries on loopback only", "no", "flag"),
    Setting(
        "mirrors",
        "REGISTRY = HOST[/PREFIX]: where to look for a registry's images first",
        "none",
        "lines",
    ),
    Setting(
        "ahead", "fetch what the tests need in the background, while the first run", "yes", "flag"
    ),
    Setting("plan", "print what the selected tests need, and run nothing", "no", "flag"),
    Setting(
        "first",
        "unneeded: run the tests that need no image first, while those of the others are fetched",
        "none: tests keep their order",
        values=("none", "unneeded"),
    ),
    Setting(
        "keep",
        "which names of the run stay after it; failed: those that failed tests used",
        "never",
        values=("never", "failed", "always"),
    ),
    Setting(
        "require",
        "fail, and do not skip, the tests that need what this machine lacks",
        "yes where CI is set in the environment",
        "flag",
    ),
    Setting("durations", "show the N slowest pulls and builds (0: all)", "none", "number"),
    Setting("report", "write what the run did to this file, as JSON", "none"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys; every option's default is None, so others may speak."""
    group = parser.getgroup("images", "container images")
    for setting in SETTINGS:
        dest, words = f"images_{setting.name}", f"{setting.meaning} (default: {setting.default})"
        option = option_of(setting)
        if setting.kind == "flag":
            group.addoption(option, dest=dest, action="store_true", default=None, help=words)
            off = option.replace("images-", "images-no-")
            group.addoption(off, dest=dest, action="store_false", help=f"not {option}")
        elif setting.kind == "lines":
            group.addoption(option, dest=dest, action="append", metavar="LINE", help=words)
        else:
            choices = f" [{', '.join(setting.values)}]" if setting.values else ""
            metavar = "N" if setting.kind == "number" else setting.name.upper()
            group.addoption(option, dest=dest, metavar=metavar, help=words + choices)
        if setting.kind == "lines":
            parser.addini(dest, words, type="linelist", default=[])
        else:
            parser.addini(dest, words, default=None)


def option_of(setting: Setting) -> str:
    """Return the option; that of a list is given once for each."""
    name = setting.name.removesuffix("s") if setting.kind == "lines" else setting.name
    return f"--images-{name}"


def table() -> str:
    """Return all settings as the table that docs/options.md shows."""
    rows = ["| option | environment | ini | what | default |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        name, option = setting.name, option_of(setting)
        shown = {"flag": option, "number": f"{option}=N"}.get(setting.kind, f"{option}=…")
        values = f" ({', '.join(f'`{value}`' for value in setting.values)})" * bool(setting.values)
        cells = (
            f"`{shown}`",
            f"`PYTEST_IMAGES_{name.upper()}`",
            f"`images_{name}`",
            setting.meaning + values,
            setting.default,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


class Settings:
    """What the user chose; None is nobody's choice, but flags are yes or no.

    A plain class: it is made at every start of pytest, and a dataclass takes a millisecond.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Read the settings of this run. Raises pytest.UsageError."""
        chosen = {each.name: _chosen(config, each) for each in SETTINGS if each.kind != "lines"}
        home, report = chosen["home"], chosen["report"]
        self.home = home and _path(config, home)
        self.engine = chosen["engine"]
        self.durability = chosen["durability"]
        self.platform = chosen["platform"]
        self.offline = _yes("offline", chosen["offline"])
        self.pull = chosen["pull"]
        self.lock = chosen["lock"]
        self.mirrors = _lines(config, "mirrors")
        self.ahead = chosen["ahead"] is None or _yes("ahead", chosen["ahead"])
        self.plan = _yes("plan", chosen["plan"])
        self.first = chosen["first"]
        self.keep = chosen["keep"]
        self.require = _is_on(chosen["require"] or os.environ.get("CI", ""))
        self.durations = _number("durations", chosen["durations"])
        self.report = report and _path(config, report)
        if any("@" in line for line in self.mirrors):  # and it is not shown
            raise pytest.UsageError("images_mirrors takes no passwords: use docker login")
        if self.offline and self.lock in ("update", "verify"):
            raise pytest.UsageError(f"images_lock = {self.lock} asks registries: not offline")

    @property
    def policy(self) -> Policy:
        """When to ask the registry, where a need says nothing else."""
        return cast("Policy", self.pull or "missing")

    def __str__(self) -> str:
        chosen = {**vars(self), "mirrors": "; ".join(self.mirrors), "ahead": ""}
        return ", ".join(f"{n} {v}".removesuffix(" True") for n, v in chosen.items() if v)


def _chosen(config: pytest.Config, setting: Setting) -> str | None:
    """Return the choice for one setting. Raises pytest.UsageError for a value that it has not."""
    found = next(filter(None, _said(config, setting.name)), None)
    if found is not None and setting.values and found not in setting.values:
        words = f"{', '.join(setting.values[:-1])} or {setting.values[-1]}"
        raise pytest.UsageError(f"images_{setting.name} is {words}, not {found!r}")
    return found


def _said(config: pytest.Config, name: str) -> Iterator[str]:
    option = config.getoption(f"images_{name}")
    yield "" if option is None else str(option)
    yield os.environ.get(f"PYTEST_IMAGES_{name.upper()}", "")
    yield config.getini(f"images_{name}") or ""


def _lines(config: pytest.Config, name: str) -> tuple[str, ...]:
    """Return a list: the option's, the environment's (lines or commas), or the ini file's."""
    option: list[str] | None = config.getoption(f"images_{name}")
    named = os.environ.get(f"PYTEST_IMAGES_{name.upper()}", "")
    found = option or named.replace(",", "\n").splitlines() or config.getini(f"images_{name}")
    return tuple(filter(None, (line.strip() for line in found)))


def _path(config: pytest.Config, text: str) -> str:
    return str(config.invocation_params.dir / os.path.expanduser(text))  # noqa: PTH111 - text


def _number(name: str, text: str | None) -> int | None:
    if text is not None and not (text.isascii() and text.isdigit()):
        raise pytest.UsageError(f"images_{name} is a number, not {text!r}")
    return None if text is None else int(text)


def _is_on(text: str) -> bool:
    """Read a flag that may hold anything for yes, as CI does: the name of what is required."""
    return text.lower() not in ("", "0", "no", "false", "off")


def _yes(name: str, text: str | None) -> bool:
    if text is None or text.lower() in ("", "0", "no", "false", "off"):
        return False
    if text.lower() in ("1", "yes", "true", "on"):
        return True
    raise pytest.UsageError(f"images_{name} is yes or no, not {text!r}")
