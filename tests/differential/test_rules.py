"""The cases against the rules: none is without a case, and no case is about none."""

from __future__ import annotations

from pytest_images.cli.dispatch import ALIASES, IMAGE_VERBS
from tests.differential.cases import CASES, VERBS
from tests.differential.differences import RULES, explained
from tests.differential.rules import covered, wanted


def test_every_rule_has_a_case() -> None:
    assert sorted(wanted() - covered(CASES)) == []


def test_every_operation_that_the_engine_has_is_compared() -> None:
    assert set(VERBS) == set(IMAGE_VERBS) - {"build"}


def test_each_case_is_of_its_own_verb() -> None:
    for case in CASES:
        verbs = [ALIASES.get(step.split()[0], step.split()[0]) for step in case.steps]
        assert case.verb == "template" or case.verb in verbs, case.name


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def test_the_differences_that_cases_name_are_explained_and_met() -> None:
    named = {difference for case in CASES for difference in case.differs}
    assert named == set(RULES) == set(explained())
