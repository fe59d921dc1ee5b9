"""All cases, a module for each verb."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from pytest_images.cli.dispatch import module_of

if TYPE_CHECKING:
    from tests.differential.case import Case

VERBS = ("history", "import", "inspect", "load", "ls", "prune", "pull", "push", "rm", "save", "tag")
MODULES = (*VERBS, "template")
CASES: tuple[Case, ...] = tuple(
    case
    for verb in MODULES
    for case in importlib.import_module(f"tests.differential.cases.{module_of(verb)}").CASES
)
