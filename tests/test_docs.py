"""The examples that readers copy: those with a prompt are run, the others must at least hold."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)(?P<path>[^)#\s]+)[^)]*\)")


def blocks(language: str) -> list[tuple[Path, int, str]]:
    """Every block of a language: page, line and text."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            if match["language"] == language:
                found.append((page, text[: match.start()].count("\n") + 2, match["text"]))
    return found


def label(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)[:10].strip()


@pytest.mark.parametrize("page", [p for p in PAGES if "```pycon" in p.read_text()], ids=label)
def test_an_example_with_a_prompt_prints_what_it_shows(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path / "home"))
    names: dict[str, object] = {}  # a page is one session: later examples use earlier names
    output: list[str] = []
    for found, line, text in blocks("pycon"):
        if found == page:
            test = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), line)
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
                test, out=output.append, clear_globs=False
            )
            names = test.globs
    assert not output, "".join(output)


@pytest.mark.parametrize(
    ("page", "line", "text"),
    blocks("python"),
    ids=[f"{page.name}:{line}" for page, line, _ in blocks("python")],
)
def test_an_example_of_a_file_is_python_whose_imports_exist(
    page: Path, line: int, text: str
) -> None:
    for node in ast.walk(ast.parse(text, f"{page.name}:{line}")):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    for match in LINK.finditer(page.read_text()):
        assert (page.parent / match["path"]).exists(), match["path"]


def test_every_error_has_a_place_on_the_page_of_errors() -> None:
    from pytest_images import errors

    page = (ROOT / "docs" / "errors.md").read_text()
    public = {
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ImagesError) and name[0] != "_"
    }
    rows = dict(re.findall(r"^\| `(\w+)` \| `([a-z-]+)` \|", page, re.MULTILINE))
    assert rows == {name: kind.code for name, kind in public.items()}


def test_every_value_has_a_place_on_the_page_of_values() -> None:
    page = (ROOT / "docs" / "values.md").read_text()
    values = "Reference Digest Platform Descriptor Manifest Index Config Settings Selector Image"
    for name in [*values.split(), "Endpoint", "Credentials", "Secret", "Inspection", "Progress"]:
        assert f"`{name}`" in page, name
