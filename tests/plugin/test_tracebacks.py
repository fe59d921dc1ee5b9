from __future__ import annotations

import sched
import signal
from pathlib import Path

import pytest

from pytest_images.plugin.tracebacks import interrupted

FAILS = """
    import pytest

    @pytest.fixture
    def needs(images):
        return images.inspect("missing:1")

    def test_in_a_fixture(needs):
        pass

    def test_in_a_test(images):
        images.inspect("missing:1")

    def test_of_its_own(images):
        raise ValueError("theirs")

    def test_caught(images):
        with pytest.raises(LookupError, match="missing"):
            images.inspect("missing:1")
"""


def test_an_error_of_ours_shows_the_users_lines_only(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILS)
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(failed=2, errors=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            '>       return images.inspect("missing:1")',
            "E*ImageNotFound: No such image: missing:1",
            '>       images.inspect("missing:1")',
            "E*ImageNotFound: No such image: missing:1",
            '>       raise ValueError("theirs")',
        ]
    )
    for noise in ("*pytest_images/images.py*", "*_verbs*", "*pluggy/*"):
        result.stdout.no_fnmatch_line(noise)


def test_a_build_that_fails_shows_no_line_of_ours(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from pytest_images import built

        RUN = "RUN --mount=type=secret,id=token,required ['make']"
        app = built({}, dockerfile_text=f"FROM scratch\\n{RUN}")

        def test_it(app): pass
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["InvalidDockerfile: Dockerfile:2: secret token: not found*"])
    result.stdout.no_fnmatch_line(">*")


def test_a_fixture_of_ours_that_a_test_asks_for_shows_the_tests_line_last(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        from pytest_images import built

        app = built("nowhere")

        def test_it(request):
            request.getfixturevalue("app")
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">*getfixturevalue*", "E*InvalidUsage: *nowhere*"])
    result.stdout.no_fnmatch_line("*fixtures.py*")


def test_a_name_that_is_none_shows_no_line_of_ours(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.image('Bad Name')\ndef test_it(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["InvalidReference: *Bad Name*"])
    result.stdout.no_fnmatch_line("*runner.py*")


def test_the_full_trace_shows_all(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILS)
    result = pytester.runpytest("--full-trace", "-p", "no:randomly")
    result.stdout.fnmatch_lines(["*pytest_images/images.py:*"])


def test_an_interrupt_of_what_we_wait_in_is_at_the_users_line() -> None:
    text = "def ours(alarm):\n    alarm.enter(0, 0, raise_signal, (SIGINT,))\n    alarm.run()"
    names = {"__name__": "pytest_images.waiting", "raise_signal": signal.raise_signal}
    exec(text, names | (namespace := {"SIGINT": signal.SIGINT}), namespace)
    with pytest.raises(KeyboardInterrupt) as caught:
        namespace["ours"](sched.scheduler())  # type: ignore[operator] # what was defined
    assert Path(str(caught.traceback[-1].path)).name == "sched.py"
    interrupted(caught)
    assert [Path(str(entry.path)).name for entry in caught.traceback] == [Path(__file__).name]


def test_a_conftest_that_misuses_a_hook_is_named(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "from pytest_images import hookimpl\n@hookimpl\ndef image_pul(images, request): pass\n"
    )
    pytester.makepyfile("def test_it(images): pass")
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(
        ["*hook image_pul: there is no such hook (plugins: *conftest.py)", "*image_pull?"]
    )
