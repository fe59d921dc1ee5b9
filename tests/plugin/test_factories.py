from __future__ import annotations

import pytest

PUBLISHES = """
    from io import BytesIO
    import pytest
    from pytest_images.testing import samples
    from pytest_images import pulled, hookimpl, Reference

    @pytest.fixture(scope="session", autouse=True)
    def published(images, image_registry_session):
        images.load(BytesIO(samples.image("one").archive("app:1")))
        name = image_registry_session.namespace("team").reference("app:1")
        images.tag("app:1", name)
        images.push(name)
        images.rm("app:1", force=True)
        images.rm(name)
        return name

    class Mirror:
        # `registry.test` is what this session's own registry serves.
        def __init__(self, address): self.address = address
        @hookimpl
        def registry_endpoints(self, reference):
            from pytest_images import Endpoint
            if reference.registry == "registry.test":
                return (Endpoint(self.address, "http"),)

    @pytest.fixture(scope="session", autouse=True)
    def mirror(images, published):
        with images.answering(Mirror(published.registry)):
            yield
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite in which `registry.test/team/app:1` can be pulled."""
    pytester.makeconftest(PUBLISHES)
    return pytester


def test_a_factory_makes_a_fixture_of_an_image(project: pytest.Pytester) -> None:
    project.makepyfile(
        "from pytest_images import pulled\n"
        "app = pulled('registry.test/team/app:1')\n"
        "def test_it(app, images):\n"
        "    assert app.reference.familiar == 'registry.test/team/app:1'\n"
        "    assert images.exists('registry.test/team/app:1')\n"
        "def test_again(app): pass\n"
    )
    result = project.runpytest("-p", "no:randomly")
    result.assert_outcomes(passed=2)


def test_a_factory_sees_the_suite_it_is_written_in(project: pytest.Pytester) -> None:
    suite = project.mkdir("suite")
    (suite / "conftest.py").write_text(
        "from pytest_images import Reference, hookimpl, pulled\n"
        "app = pulled('registry.test/team/app:1')\n"
        "@hookimpl\n"
        "def registry_resolve(images, reference):\n"
        "    print('asked the suite')\n"
    )
    (project.path / "suite" / "test_it.py").write_text("def test_it(app): pass")
    (project.path / "test_root.py").write_text(
        "from pytest_images import pulled\n"
        "root_app = pulled('registry.test/team/app:1', policy='always')\n"
        "def test_it(root_app): print('root is done')\n"
    )
    result = project.runpytest("-s", "-p", "no:randomly", "test_root.py", "suite")
    result.assert_outcomes(passed=2)
    out = result.stdout.str()
    assert "asked the suite" not in out  # found here: no registry is asked
    result = project.runpytest("-s", "-p", "no:randomly", "suite", "test_root.py")
    out = result.stdout.str()
    assert out.index("asked the suite") < out.index("root is done")
    assert out.count("asked the suite") == 1


def test_a_factory_that_fails_says_what_and_where(project: pytest.Pytester) -> None:
    project.makepyfile(
        "from pytest_images import pulled\n\n"
        "missing = pulled('registry.test/team/missing:1')\n"
        "def test_it(missing): pass\n"
    )
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "ImageNotFound: *registry.test/team/missing:1*",
            "wanted by pulled('registry.test/team/missing:1') in *.py, line 3",
        ]
    )
    for noise in ("*images.get(*", "*site-packages*", "*hookimpl*", "*During handling*"):
        result.stdout.no_fnmatch_line(noise)


def test_a_factory_refuses_a_name_where_it_is_written(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("from pytest_images import pulled\nbad = pulled('Not A Name')\n")
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["*bad = pulled('Not A Name')", "E*InvalidReference*"])


def test_the_policy_never_pulls_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        "from pytest_images import pulled\n"
        "app = pulled('registry.test/team/app:1', policy='never')\n"
        "def test_it(app): pass\n"
    )
    result = project.runpytest()
    result.stdout.fnmatch_lines(["ImageNotFound: *", "the pull policy is never*"])


def test_fixtures_show_what_they_are(project: pytest.Pytester) -> None:
    project.makepyfile(
        "from pytest_images import pulled\napp = pulled('alpine:3.20')\ndef test_it(app): pass"
    )
    result = project.runpytest("--fixtures", "-q")
    result.stdout.fnmatch_lines(["app*session scope*", "*The image alpine:3.20."])


def test_a_marked_test_has_its_images_ready(project: pytest.Pytester) -> None:
    project.makepyfile(
        "import pytest\n"
        "@pytest.mark.image('registry.test/team/app:1')\n"
        "def test_unasked(images): assert images.exists('registry.test/team/app:1')\n"
        "@pytest.mark.image('registry.test/team/app:1', policy='never')\n"
        "class TestMarked:\n"
        "    def test_asked(self, marked_images):\n"
        "        [(name, image)] = marked_images.items()\n"
        "        assert str(image) == name == 'registry.test/team/app:1'\n"
    )
    result = project.runpytest("-p", "no:randomly", "--strict-markers")
    result.assert_outcomes(passed=2)


def test_a_marked_test_whose_image_is_nowhere_does_not_run(project: pytest.Pytester) -> None:
    project.makepyfile(
        "import pytest\n"
        "@pytest.mark.image('registry.test/team/missing:1')\n"
        "def test_it(): assert False, 'ran'\n"
    )
    result = project.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["ImageNotFound: *registry.test/team/missing:1*"])


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("image()", "*it names no image*"),
        ("image('alpine', polcy='never')", "*polcy*it takes platform, policy*"),
        ("image('alpine', policy='often')", "*a pull policy is one of missing*"),
    ],
)
def test_a_marker_that_means_nothing_is_refused(
    pytester: pytest.Pytester, marker: str, words: str
) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.{marker}\ndef test_it(): pass\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"InvalidUsage: {words}"])
