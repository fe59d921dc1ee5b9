"""Kill, full disk, bad disk and power cut at the operations of every scenario.

An ordinary run takes a seeded sample of the points, ``--survival`` takes them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import miss, peer
from tests.sandbox.conftest import require_sandbox
from tests.survival.harness import SEED, Victim, build_shim

SCENARIOS = (
    *("first_open", "put", "long", "load", "tag", "remove", "collect", "run", "sweep"),
    *("repair", "rebuild", "mend", "recover", "learn"),
)
BUILDS = ("build", "build_run", "push_built")
FAULTS = ("kill", "eio", "full", "eio-read")
SAMPLE = 3  # points of each scenario and fault in an ordinary run


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("victim")
    print(f"PYTEST_IMAGES_SEED={SEED}")
    with Victim(build_shim(folder), folder / "store") as victim:
        yield victim


@pytest.fixture(scope="module")
def powered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    peer("root")
    folder = tmp_path_factory.mktemp("powered")
    print(f"PYTEST_IMAGES_SEED={SEED}")
    with Victim(build_shim(folder), folder / "disk", private=True) as victim:
        probe = victim.point("first_open", "power", 1 << 30)
        if probe.problem:
            miss("root", f"no disk of our own can be mounted here: {probe.problem}")
        yield victim


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", [*SCENARIOS, "fast"])
def test_a_sample_of_points_is_survived(victim: Victim, scenario: str, fault: str) -> None:
    """S01, S04, S05, S06: kill, recovery killed, full disk, bad disk."""
    victim.survive(scenario, fault, sample=SAMPLE)


@pytest.mark.parametrize("scenario", [*SCENARIOS, "restart"])
def test_a_sample_of_power_cuts_is_survived(powered: Victim, scenario: str) -> None:
    """S02."""
    powered.survive(scenario, "power", sample=SAMPLE)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", BUILDS)
def test_a_sample_of_points_of_a_build_is_survived(
    victim: Victim, tmp_path: Path, scenario: str, fault: str
) -> None:
    """B21, S01, S06: nothing runs on, nothing stays mounted, no step is known by half a layer."""
    if scenario == "build_run":
        require_sandbox(tmp_path)
    victim.survive(scenario, fault, sample=SAMPLE)


@pytest.mark.survival
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", BUILDS)
def test_every_point_of_a_build_is_survived(
    victim: Victim, tmp_path: Path, scenario: str, fault: str
) -> None:
    """B21, S01, S06."""
    if scenario == "build_run":
        require_sandbox(tmp_path)
    victim.survive(scenario, fault, sample=None)


@pytest.mark.survival
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", [*SCENARIOS, "fast"])
def test_every_point_is_survived(victim: Victim, scenario: str, fault: str) -> None:
    """S01, S04, S05, S06."""
    victim.survive(scenario, fault, sample=None)


@pytest.mark.survival
@pytest.mark.parametrize("scenario", [*SCENARIOS, "restart"])
def test_every_power_cut_is_survived(powered: Victim, scenario: str) -> None:
    """S02."""
    powered.survive(scenario, "power", sample=None)


@pytest.mark.parametrize("fault", ["short", "interrupted"])
@pytest.mark.parametrize("scenario", [*SCENARIOS, "fast", "build", "push_built"])
def test_reads_and_writes_that_do_half_or_nothing_are_gone_on_with(
    victim: Victim, scenario: str, fault: str
) -> None:
    """S07: every call does half of its work, or every second one none."""
    life = victim.point(scenario, fault, 1 << 30)
    assert not life.problem
    assert not life.ended_by_fault
    assert life.points, "no call met the fault"


def test_the_harness_sees_what_is_not_survived(victim: Victim) -> None:
    life = victim.point("tests.survival.scenarios_lying.lost", "kill", 1 << 30)
    assert "acknowledged but lost" in life.problem


def test_the_power_cut_loses_what_was_not_flushed(powered: Victim) -> None:
    name = "tests.survival.scenarios_lying.unflushed"
    last = powered.point(name, "count", 1 << 30).points
    assert powered.point(name, "power", last).problem
