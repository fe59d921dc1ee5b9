from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import Any

import pytest

import pytest_images.model.request as package
from pytest_images.model.reference import Reference
from pytest_images.model.request import run
from pytest_images.model.request.build import BuildRequest
from pytest_images.model.request.pull import PullRequest

MODULES = [
    importlib.import_module(f"{package.__name__}.{found.name}")
    for found in pkgutil.iter_modules(package.__path__)
]
REQUESTS = [
    value
    for module in MODULES
    for value in vars(module).values()
    if dataclasses.is_dataclass(value) and value.__module__ == module.__name__
]


PARTS = (run.Ran, run.RunMount)  # the answer of the question, and a part of it


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__.rpartition(".")[2])
def test_each_module_has_one_request(module: Any) -> None:
    own = [r for r in REQUESTS if r.__module__ == module.__name__ and r not in PARTS]
    assert len(own) == 1


@pytest.mark.parametrize("request_type", REQUESTS, ids=lambda r: r.__name__)
def test_a_request_is_frozen_slotted_and_documented(request_type: Any) -> None:
    assert request_type.__dataclass_params__.frozen
    assert "__slots__" in vars(request_type)
    assert request_type.__doc__.strip()[:1].isupper()
    assert not request_type.__doc__.startswith(request_type.__name__ + "(")


@pytest.mark.parametrize("request_type", REQUESTS, ids=lambda r: r.__name__)
def test_no_option_of_a_request_has_a_default_that_can_be_changed(request_type: Any) -> None:
    for option in dataclasses.fields(request_type):
        default = option.default
        if option.default_factory is not dataclasses.MISSING:
            default = option.default_factory()
        if default is not dataclasses.MISSING:
            hash(default)


def test_a_wrapper_changes_an_option_by_making_a_new_request() -> None:
    request = PullRequest(Reference.parse("alpine"))
    assert dataclasses.replace(request, all_tags=True).all_tags
    assert not request.all_tags


def test_a_build_keeps_arguments_of_its_own() -> None:
    args = {"A": "1"}
    request = BuildRequest("context", args=args)
    args["A"] = "2"
    assert request.args == {"A": "1"}
    assert {**request.args, "B": "2"} == {"A": "1", "B": "2"}
