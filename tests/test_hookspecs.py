"""The live hooks against everything that must go with them: drift cannot be committed."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images import errors
from pytest_images.cli import dispatch
from pytest_images.engine.embedded import EmbeddedEngine
from pytest_images.errors import Unsupported
from pytest_images.hookspecs import PROJECT, Hooks
from pytest_images.host import Host
from pytest_images.images import Images
from pytest_images.testing import contract

if TYPE_CHECKING:
    from pytest_images.cli.options import Command

HOOKS = dict(inspect.getmembers(Hooks, inspect.isfunction))
VERBS = sorted(name for name in HOOKS if name.startswith("image_"))
QUESTIONS = {
    "registry_resolve": "resolve",
    "registry_endpoints": "endpoints",
    "registry_credentials": "credentials",
    "build_run": "run",
}
MOMENTS = {"images_engines", "images_configure", "images_progress", "images_unconfigure"}
DOCKER_VERBS = [
    "build",
    "history",
    "import",
    "inspect",
    "load",
    "ls",
    "prune",
    "pull",
    "push",
    "rm",
    "save",
    "tag",
]
# An option of a request that the door takes under a friendlier name.
FRIENDLY = {"platforms": "platform", "stream": "source"}
FRIENDLY_OF = {"save": {"stream": "to", "platforms": "platforms"}}
DONE = [verb for verb in VERBS if hasattr(EmbeddedEngine, verb)]
COMMANDS = (Path(__file__).parents[1] / "docs" / "commands.md").read_text()
SECTIONS = dict(re.findall(r"^## (\w+)\n\n((?:(?!## ).*\n)*)", COMMANDS, re.MULTILINE))


def docstring(name: str) -> str:
    return inspect.getdoc(HOOKS[name]) or ""


def kind_of(name: str) -> str:
    if name in VERBS:
        return "Verb"
    return "Question" if name in QUESTIONS else "Moment"


def method_of(verb: str) -> str:
    """The method of `Images` for the hook of a verb; ``import`` is a keyword."""
    short = verb.removeprefix("image_")
    return "import_" if short == "import" else short


def request_of(verb: str) -> Any:
    module = importlib.import_module(f"pytest_images.model.request.{method_of(verb)}")
    return getattr(module, f"{verb.removeprefix('image_').title()}Request")


def command_of(verb: str) -> Command:
    """The declaration of the command for the hook of a verb."""
    name = dispatch.module_of(verb.removeprefix("image_"))
    command: Command = importlib.import_module(f"pytest_images.cli.verbs.{name}").COMMAND
    return command


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)[1:]


def test_the_verbs_are_those_of_docker_image() -> None:
    assert [name.removeprefix("image_") for name in VERBS] == DOCKER_VERBS


def test_every_hook_is_a_verb_a_question_or_a_moment() -> None:
    assert set(HOOKS) == set(VERBS) | set(QUESTIONS) | MOMENTS


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_verbs_and_questions_stop_at_the_first_answer_and_moments_do_not(name: str) -> None:
    options = getattr(HOOKS[name], f"{PROJECT}_spec")
    assert options["firstresult"] is (kind_of(name) != "Moment")


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_spec_takes_plain_names_without_defaults_the_door_first(name: str) -> None:
    given = list(inspect.signature(HOOKS[name]).parameters.values())[1:]
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in given)
    if name != "images_engines":  # asked while the host is still being made
        assert given[0].name == "images"


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_spec_says_first_in_one_sentence_what_is_done(name: str) -> None:
    first, blank, rest = docstring(name).split("\n", 2)
    assert re.fullmatch(r"[A-Z].*\.", first)
    assert blank == ""
    assert rest.startswith(f"{kind_of(name)}: ")


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_the_parts_of_a_spec_come_in_one_order(name: str) -> None:
    parts = [f"{kind_of(name)}: ", ":returns:", ":raises", "In conftest.py:", ".. versionadded::"]
    places = [docstring(name).find(part) for part in parts]
    found = [place for place in places if place >= 0]
    assert found == sorted(found)
    assert docstring(name).rstrip().splitlines()[-1].startswith(".. versionadded:: 0.")


@pytest.mark.parametrize("name", sorted(set(HOOKS) - MOMENTS))
def test_a_spec_says_what_it_returns_and_what_none_means(name: str) -> None:
    returns = docstring(name).partition(":returns:")[2].partition(":raises")[0]
    assert "``None``" in returns
    assert "In conftest.py: " in docstring(name)


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_spec_raises_errors_that_exist(name: str) -> None:
    for raised in re.findall(r":raises (\w+):", docstring(name)):
        assert issubclass(getattr(errors, raised), errors.ImagesError)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_takes_its_request_and_the_door_alone(verb: str) -> None:
    assert parameters(HOOKS[verb]) == ["images", "request"]
    annotation = inspect.signature(HOOKS[verb]).parameters["request"].annotation
    assert annotation == request_of(verb).__name__
    assert f"docker image {verb.removeprefix('image_')}" in (
        importlib.import_module(request_of(verb).__module__).__doc__ or ""
    )


@pytest.mark.parametrize("verb", VERBS)
def test_the_door_has_each_verb_with_every_option_of_its_request(verb: str) -> None:
    method = method_of(verb)
    names = FRIENDLY | FRIENDLY_OF.get(method, {})
    taken = set(parameters(getattr(Images, method)))
    for option in dataclasses.fields(request_of(verb)):
        assert {option.name, names.get(option.name)} & taken, option.name
    assert len(taken) == len(dataclasses.fields(request_of(verb)))


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_the_door_has_each_question_with_the_same_arguments(name: str) -> None:
    assert parameters(getattr(Images, QUESTIONS[name])) == parameters(HOOKS[name])[1:]


@pytest.mark.parametrize("verb", VERBS)
def test_the_embedded_engine_does_a_verb_or_says_in_one_error_that_it_does_not(
    verb: str, tmp_path: Path
) -> None:
    implementation = getattr(EmbeddedEngine, verb, None)
    if implementation is not None:
        assert parameters(implementation) == ["images", "request"]
        return
    with Host(home=tmp_path, load_entry_points=False) as host:
        method = method_of(verb)
        arguments: dict[str, list[Any]] = {
            "build": [{}],
            "import_": [BytesIO()],
            "prune": [],
            "save": ["x", BytesIO()],
        }
        given = arguments.get(method, ["x"])
        with pytest.raises(Unsupported, match=method.strip("_")):
            getattr(host.images, method)(*given)


def test_the_contract_for_engines_knows_every_verb() -> None:
    assert {f"image_{verb}" for verb in contract.VERBS} == set(VERBS)


@pytest.mark.parametrize("verb", DONE)
def test_the_contract_for_engines_asks_something_of_every_verb(verb: str) -> None:
    text = inspect.getsource(contract.EngineContract)
    needed = [re.findall(r'"(\w+)"', call) for call in re.findall(r"_needs\((.*?)\)", text)]
    short = verb.removeprefix("image_")
    assert any(short in names for names in needed)
    assert f"images.{method_of(verb)}(" in text


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_command_as_soon_as_the_engine_does_it(verb: str) -> None:
    short = verb.removeprefix("image_")
    assert (short in dispatch.IMAGE_VERBS) == hasattr(EmbeddedEngine, verb)


@pytest.mark.parametrize("verb", DONE)
def test_a_command_has_a_section_with_its_arguments_and_every_option(verb: str) -> None:
    command, section = command_of(verb), SECTIONS[verb.removeprefix("image_")]
    assert section.startswith(f"`pytest-images {command.name} ")
    assert command.arguments in section
    told = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", section))
    for option in command.options:
        assert told & {f"--{option.name}", f"-{option.short}"}, option.name


@pytest.mark.parametrize("verb", DONE)
def test_a_command_is_shown_in_an_example_that_is_run(verb: str) -> None:
    examples = re.findall(r"^\$ pytest-images (\w+)", COMMANDS, re.MULTILINE)
    assert verb.removeprefix("image_") in examples
