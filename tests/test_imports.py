"""What may import what: DESIGN as a table, held against the text of every module."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_images"

# Part of the package -> level. A module imports its own part and lower levels, no sibling.
LEVELS = {
    "dataclass": 0,
    "namedtuple": 0,
    "regex": 0,
    "errors": 0,
    "model": 1,
    "content": 2,
    "http": 2,
    "hookspecs": 2,
    "registry": 3,
    "server": 3,
    "archive": 3,
    "layer": 3,
    "dockerfile": 3,
    "sandbox": 3,
    "template": 3,
    "builder": 4,
    "engine": 5,
    "answers": 5,
    "policies": 5,
    "host": 6,
    "images": 6,
    "arguments": 6,
    "plugin": 7,
    "cli": 7,
    "__main__": 7,
    "testing": 7,
    "plugins": 7,
    "": 8,  # pytest_images/__init__.py: re-exports, each name at its first use
}
# Parts of one level that are one idea, so that they may know each other.
TOGETHER = [{"host", "images", "arguments"}, {"cli", "__main__"}, {"dataclass", "namedtuple"}]
# The one pair of siblings that is not apart: an archive is a tar, compressed as layers are.
ALLOWED = {("archive", "layer")}
# Which libraries are whose: nobody else imports them, not even where used.
OWNERS = {
    "requests": {"http", "registry"},
    "urllib3": {"http", "registry"},
    "http.client": {"http"},
    "http.server": {"server"},
    "socketserver": {"server"},
    "sqlite3": {"content"},
    "pytest": {"plugin", "plugins", "testing"},
    "_pytest": {"plugin", "plugins", "testing"},
    "rich": {"cli", "plugin", "template"},
    "zstandard": {"layer", "testing"},
    "isal": {"layer", "builder"},
}
# `socket` also holds constants and sendfile; these calls dial and listen.
DIALLING = {"create_connection", "connect", "connect_ex"}
LISTENING = {"listen", "create_server"}
HEAVY = {
    "requests",
    "urllib3",
    "rich",
    "sqlite3",
    "filelock",
    "tarfile",
    "zstandard",
    "isal",
    "http.client",
    "http.server",
    "platformdirs",
}
VAGUE = {"utils", "util", "helpers", "common", "core", "base", "misc", "handler", "handlers"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part of the package that a file belongs to, "" for the package's own file."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if name == "__init__" else name


def label(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imports(path: Path, *, top_level: bool = False) -> Iterator[tuple[str, int]]:
    """Every module that *path* imports, with its line; those for type checkers alone apart."""
    tree = ast.parse(path.read_text())
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending.extend(node.orelse)
            continue
        if top_level and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield from _named(node, path)
        pending.extend(ast.iter_child_nodes(node))


def _named(node: ast.AST, path: Path) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.name, node.lineno
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
        yield node.module or "", node.lineno
        for alias in node.names:  # `from http import client` imports a module as well
            yield f"{node.module}.{alias.name}", node.lineno


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def imported_part(name: str) -> str | None:
    """The part of our package that *name* is in; None for other packages."""
    if not within(name, "pytest_images"):
        return None
    found = name.removeprefix("pytest_images").removeprefix(".").partition(".")[0]
    return found if found in LEVELS else ""


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_each_part_of_the_package_has_its_level(path: Path) -> None:
    assert part_of(path) in LEVELS, "give the new part a level, here and in the design"


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_imports_point_down(path: Path) -> None:
    own = part_of(path)
    for name, line in imports(path):
        other = imported_part(name)
        if other is None or other == own or any({own, other} <= pair for pair in TOGETHER):
            continue
        if (own, other) in ALLOWED:
            continue
        # `from pytest_images import hookimpl` names the package; what it is counts.
        if other == "" and LEVELS[own] >= 7:
            continue
        assert LEVELS[other] < LEVELS[own], f"{label(path)}:{line} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_a_library_is_imported_by_its_owner_alone(path: Path) -> None:
    for name, line in imports(path):
        for library, owners in OWNERS.items():
            if within(name, library):
                assert part_of(path) in owners, f"{label(path)}:{line} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_only_http_dials_and_only_the_server_listens(path: Path) -> None:
    dials, listens = part_of(path) == "http", part_of(path) == "server"
    uses_sockets = any(within(name, "socket") for name, _ in imports(path))
    for node in ast.walk(ast.parse(path.read_text())):
        if not uses_sockets or not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        assert dials or called not in DIALLING, f"{label(path)}:{node.lineno} dials"
        assert listens or called not in LISTENING, f"{label(path)}:{node.lineno} listens"


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_no_heavy_library_is_imported_at_the_top_of_a_module_that_start_up_loads(
    path: Path,
) -> None:
    if part_of(path) not in ("", "errors", "model", "hookspecs", "host", "images", "plugin"):
        return
    for name, line in imports(path, top_level=True):
        for library in HEAVY:
            assert not within(name, library), f"{label(path)}:{line} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_a_module_is_named_after_its_idea(path: Path) -> None:
    assert not {part.lower().removesuffix(".py") for part in path.parts} & VAGUE
    classes = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)]
    assert not [found.name for found in classes if found.name == "Handler"]


@pytest.mark.parametrize(
    "statement",
    [
        "import pytest_images",
        "import pytest_images.plugin",
        "import pytest_images.hookspecs",
        "import pytest_images.errors",
        "from pytest_images import Reference, Digest, hookimpl",
    ],
)
def test_what_start_up_imports_loads_nothing_heavy(statement: str) -> None:
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(result.stdout.split())
    assert not {name for name in loaded if any(within(name, heavy) for heavy in HEAVY)}
