"""A suite's conftest.py holds for what is written below it, whoever asks first."""

from __future__ import annotations

import pytest

# Who answers shows: the user name is the folder of the conftest.py that did.
ROOT = """
    import pytest
    from pytest_images import Credentials, hookimpl

    @hookimpl
    def registry_credentials():
        return Credentials("root")

    @pytest.fixture(scope="session")
    def root_session(images):
        return images.credentials("x").username

    @pytest.fixture
    def root_function(images):
        return images.credentials("x").username

    @pytest.fixture
    def who(images):
        return lambda: images.credentials("x").username
"""
SUITE = """
    import pytest
    from pytest_images import Credentials, hookimpl

    @hookimpl
    def registry_credentials(images):
        before = images.without(__file__).credentials("x").username
        return Credentials(before + "/a")

    @pytest.fixture(scope="session")
    def suite_session(images, request):
        request.addfinalizer(lambda: print("finalizer", images.credentials("x").username))
        yield images.credentials("x").username
        print("teardown", images.credentials("x").username)
"""
INNER = SUITE.replace('"/a"', '"/inner"').replace("suite_session", "inner_session")
TEST = """
    import threading

    def test_a_test_sees_its_own_suite(images):
        assert images.credentials("x").username == {here!r}

    def test_a_root_fixture_sees_the_root(root_session, root_function):
        assert (root_session, root_function) == ("root", "root")

    def test_a_function_of_the_root_runs_where_it_is_called(who):
        assert who() == {here!r}

    def test_threads_inherit(images):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(images.credentials("x").username))
        thread.start()
        thread.join()
        assert seen == [{here!r}]

    def test_elsewhere_can_be_said_aloud(images, request):
        assert images.at(request.config.rootpath / "t.py").credentials("x").username == "root"

    class TestXunit:
        @classmethod
        def setup_class(cls):
            cls.was_set_up = True

        def test_is_where_its_file_is(self, images):
            assert self.was_set_up and images.credentials("x").username == {here!r}
"""
SUITE_TEST = """
    def test_a_fixture_of_the_suite_sees_the_suite(suite_session):
        assert suite_session == "root/a"
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A root and two nested suites; tests of all three share the root's fixtures."""
    files = {
        "conftest": ROOT,
        "test_root": TEST.format(here="root"),
        "a/conftest": SUITE,
        "a/test_a": TEST.format(here="root/a") + SUITE_TEST,
        "a/inner/conftest": INNER,
        "a/inner/test_inner": TEST.format(here="root/a/inner") + SUITE_TEST,
        "b/test_b": TEST.format(here="root"),
    }
    for name, text in files.items():
        path = pytester.path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(line[4:] for line in text.splitlines()))
    return pytester


@pytest.mark.parametrize("mode", ["prepend", "importlib"])
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_each_test_and_fixture_sees_the_suites_above_its_file(
    project: pytest.Pytester, mode: str, workers: tuple[str, ...]
) -> None:
    result = project.runpytest_subprocess(f"--import-mode={mode}", "-p", "no:randomly", *workers)
    result.assert_outcomes(passed=26)


@pytest.mark.parametrize("first", ["a/inner", "a", "test_root.py"])
def test_it_does_not_matter_who_asks_first(project: pytest.Pytester, first: str) -> None:
    result = project.runpytest_subprocess("-p", "no:randomly", first, "a", ".", "-q")
    assert result.ret == 0


def test_finalizers_and_teardown_are_where_the_fixture_is(project: pytest.Pytester) -> None:
    result = project.runpytest_subprocess("-s", "-p", "no:randomly", "a/inner", "test_root.py")
    result.stdout.fnmatch_lines(["*teardown root/a", "*finalizer root/a"])
    result.stdout.no_fnmatch_line("*teardown root/a/inner*")


def test_a_fixture_torn_down_for_its_next_parameter_is_where_it_is(
    project: pytest.Pytester,
) -> None:
    (project.path / "a" / "test_params.py").write_text(
        "import pytest\n"
        "from conftest_free import made\n"
        "@pytest.mark.parametrize('made', [1, 2], indirect=True)\n"
        "def test_it(made): pass\n"
    )
    (project.path / "conftest_free.py").write_text(
        "import pytest\n"
        "@pytest.fixture(scope='session')\n"
        "def made(images, request):\n"
        "    yield\n"
        "    print('torn down at', images.credentials('x').username)\n"
    )
    result = project.runpytest_subprocess("-s", "-q", "-p", "no:randomly", "a/test_params.py")
    assert result.stdout.str().count("torn down at root\n") == 2


def test_where_we_are_survives_an_interrupt_in_a_fixture(project: pytest.Pytester) -> None:
    (project.path / "a" / "test_params.py").write_text(
        "import pytest\n"
        "@pytest.fixture\n"
        "def interrupted(): raise KeyboardInterrupt\n"
        "def test_it(interrupted): pass\n"
    )
    result = project.runpytest_subprocess("-q", "a/test_params.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.no_fnmatch_line("*pytest_images*")
