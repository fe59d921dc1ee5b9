from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from pytest_images import errors
from pytest_images.errors import REASON, SHOWN, ImagesError, shown

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, ImagesError)
]
PUBLIC = [kind for kind in CLASSES if not kind.__name__.startswith("_")]
LEAVES = [kind for kind in PUBLIC if kind is not ImagesError]
LINE = re.compile(
    r"^(?P<branch>[│ ]*[├└]── )(?P<name>\w+)(?: +also (?P<builtin>\w+))?$", re.MULTILINE
)
HOSTILE = "a\x1b[31mb\nc\u202ed\ud800" + "x" * 5000


def drawn() -> dict[str, tuple[str, str | None]]:
    """The tree of the docstring: name to parent and builtin."""
    parents, tree = ["ImagesError"], {}
    for match in LINE.finditer(errors.__doc__ or ""):
        depth = len(match["branch"]) // 4
        del parents[depth:]
        tree[match["name"]] = (parents[-1], match["builtin"])
        parents.append(match["name"])
    return tree


def made(kind: type[ImagesError], text: str = "thing") -> ImagesError:
    """An error of *kind*, its arguments made by their annotations."""
    values: dict[str, Any] = {"str": text, "int": 7, "Sequence[str]": (text, "other")}
    parameters = inspect.signature(kind).parameters.values()
    return kind(*(values[p.annotation] for p in parameters if p.kind is not p.VAR_POSITIONAL))


def test_the_tree_in_the_docstring_is_the_classes() -> None:
    actual = {}
    for kind in LEAVES:
        parent = next(base for base in kind.__mro__[1:] if base in PUBLIC)
        actual[kind.__name__] = parent.__name__
    assert {name: parent for name, (parent, _) in drawn().items()} == actual


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_each_error_is_also_the_builtin_that_the_tree_says(kind: type[ImagesError]) -> None:
    parent, builtin = drawn()[kind.__name__]
    own = set(kind.__mro__) - set(getattr(errors, parent).__mro__)
    found = {base.__name__ for base in own if base.__module__ == "builtins"}
    assert (builtin in found) if builtin else not found
    assert issubclass(kind, (ValueError, LookupError, RuntimeError, OSError))


def test_each_code_is_unique_and_fit_for_a_shell() -> None:
    codes = [kind.code for kind in PUBLIC]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_each_error_travels_with_its_notes_and_attributes(kind: type[ImagesError]) -> None:
    error = made(kind)
    error.add_note("do this next")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert (other.args, str(other)) == (error.args, str(error))
        assert other.__notes__ == ["do this next"]
        assert vars(other) == vars(error)


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_an_error_without_notes_travels_without_them(kind: type[ImagesError]) -> None:
    assert not hasattr(pickle.loads(pickle.dumps(made(kind))), "__notes__")


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_each_argument_is_an_attribute_of_its_name(kind: type[ImagesError]) -> None:
    error = made(kind)
    names = list(inspect.signature(kind).parameters)
    assert [getattr(error, name) for name in names] == list(error.args)


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_each_message_names_the_thing_on_one_short_line(kind: type[ImagesError]) -> None:
    assert "thing" in str(made(kind))
    message = str(made(kind, HOSTILE))
    assert message.isprintable()
    assert len(message) < 3 * SHOWN + 2 * REASON
    message.encode("utf-8")


@pytest.mark.parametrize(
    "kind", [k for k in LEAVES if issubclass(k, OSError)], ids=lambda kind: kind.__name__
)
def test_the_arguments_of_an_error_are_not_taken_for_an_error_number(kind: type[Any]) -> None:
    error = made(kind)
    assert (error.errno, error.strerror, error.filename) == (None, None, None)  # type: ignore[attr-defined]  # OSError's


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_each_error_says_in_its_docstring_what_it_means(kind: type[ImagesError]) -> None:
    assert (kind.__doc__ or "").strip().endswith(".")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("grüße 漢", "grüße 漢"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\ud800", "\\ud800"),
        (b"bytes", "b'bytes'"),
        (None, "None"),
    ],
)
def test_foreign_text_is_escaped(text: object, expected: str) -> None:
    assert shown(text) == expected


def test_foreign_text_is_cut_before_it_is_escaped() -> None:
    assert shown("x" * (SHOWN + 1)) == "x" * SHOWN + "…"
    assert len(shown("\x00" * 10**7)) < 5 * SHOWN


def test_an_unreachable_place_says_what_happened_at_each() -> None:
    error = errors.Unreachable("app:1", ["mirror: refused", "upstream: timed out"])
    assert str(error) == "app:1: cannot be reached: mirror: refused; upstream: timed out"
    assert "no endpoint" in str(errors.Unreachable("app:1"))


def test_a_missing_platform_names_those_there_are() -> None:
    error = errors.PlatformNotFound("app:1", "linux/arm", ["linux/amd64", "linux/386"])
    assert "it has linux/amd64, linux/386" in str(error)
