from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    pass

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
    pytester.makeini("[pytest]\nimages_ahead = no")  # a fixture says where the registry is
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


def test_a_factory_that_fails_does_not_repeat_the_bytes_it_was_given(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        "from pytest_images import built\n"
        "app = built({'secret': b'content' * 1000}, dockerfile_text='FORM scratch')\n"
        "def test_it(app): pass\n"
    )
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["InvalidDockerfile: *FORM*", "wanted by built in *.py, line 2"])
    result.stdout.no_fnmatch_line("*content*")


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
    result.stdout.fnmatch_lines(
        ["app*session scope*test_fixtures_show*", "*The image alpine:3.20."]
    )


def test_a_marked_test_has_its_images_ready(project: pytest.Pytester) -> None:
    project.makepyfile(
        "import pytest\n"
        "@pytest.mark.image('registry.test/team/app:1')\n"
        "def test_unasked(images): assert images.exists('registry.test/team/app:1')\n"
        "@pytest.mark.image('registry.test/team/app:1', pull='never')\n"
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
        ("image('alpine', polcy='never')", "*polcy*it takes platform, pull*"),
        ("image('alpine', pull='often')", "*a pull policy is one of missing*"),
    ],
)
def test_a_marker_that_means_nothing_is_refused(
    pytester: pytest.Pytester, marker: str, words: str
) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.{marker}\ndef test_it(): pass\n")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"InvalidUsage: {words}"])


def test_a_policy_that_is_none_is_refused_though_the_image_is_here(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        """
        import pytest
        from pytest_images import InvalidUsage, pulled

        @pytest.mark.image("registry.test/team/app:1")
        def test_first(marked_images): pass

        @pytest.mark.image("registry.test/team/app:1", pull="often")
        def test_second(marked_images): pass

        def test_third():
            with pytest.raises(InvalidUsage, match="a pull policy is one of missing"):
                pulled("registry.test/team/app:1", policy="often")
        """
    )
    project.runpytest("-p", "no:randomly").assert_outcomes(passed=2, errors=1)


# Factories of factories. `archive` is a plain fixture of the suite's own.
SAMPLE = """
    import pytest
    from pytest_images import imported, loaded, tagged
    from pytest_images.testing import samples

    @pytest.fixture(scope="session")
    def archive(tmp_path_factory):
        path = tmp_path_factory.mktemp("archive") / "app.tar"
        path.write_bytes(samples.image("one").archive("app:1"))
        return path

    app = loaded(archive)
    release = tagged(app, "app:release")
"""


def test_a_factory_takes_what_another_makes(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(SAMPLE)
    pytester.makepyfile(
        "def test_it(release, app, images):\n"
        "    assert release.id == app.id and release.reference.familiar == 'app:release'\n"
        "    assert [str(tag.familiar) for tag in release.tags] == ['app:1', 'app:release']\n"
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_paths_are_relative_to_the_file_of_the_factory(pytester: pytest.Pytester) -> None:
    from pytest_images.testing import samples

    suite = pytester.mkdir("suite")
    (suite / "app.tar").write_bytes(samples.image("one").archive("app:1"))
    (suite / "conftest.py").write_text(
        "from pytest_images import loaded\napp = loaded('app.tar', image='app:1')\n"
    )
    (suite / "test_it.py").write_text(
        "def test_it(app): assert str(app.tags[0].familiar) == 'app:1'"
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_an_archive_of_several_images_wants_a_choice(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest
        from pytest_images import loaded, tagged
        from pytest_images.testing import samples

        @pytest.fixture(scope="session")
        def archive(tmp_path_factory, images):
            for name in ("one:1", "two:1"):
                stream = __import__("io").BytesIO(samples.image(name).archive(name))
                images.load(stream)
            path = tmp_path_factory.mktemp("archive") / "both.tar"
            images.save(["one:1", "two:1"], path)
            return path

        one = loaded(archive, image="one:1")
        either = loaded(archive)
        """
    )
    pytester.makepyfile("def test_one(one): pass\ndef test_either(either): pass")
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["InvalidUsage: *which of its images*one:1*two:1*"])


def test_a_root_file_system_is_imported(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import io, tarfile, pytest
        from pytest_images import imported

        @pytest.fixture(scope="session")
        def rootfs(tmp_path_factory):
            path = tmp_path_factory.mktemp("rootfs") / "rootfs.tar"
            with tarfile.open(path, "w") as tar:
                tar.addfile(tarfile.TarInfo("hello"), io.BytesIO())
            return path

        hello = imported(rootfs, "hello:1", changes=["CMD /hello"])
        """
    )
    pytester.makepyfile(
        "def test_it(hello, images):\n"
        "    assert images.config('hello:1').settings.command == ('/bin/sh', '-c', '/hello')\n"
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_params_are_in_the_names_of_tests_and_order_them(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        SAMPLE
        + """
    each = tagged(app, params=["app:a", "app:b"])
    """
    )
    pytester.makepyfile(
        "def test_one(each): pass\n"
        "def test_two(each, images):\n"
        "    assert images.inspect(each.reference).image.id == each.id\n"
    )
    result = pytester.runpytest("-v", "-p", "no:randomly")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(  # a session's fixture: made once for each param
        ["*test_one?app:a?*", "*test_two?app:a?*", "*test_one?app:b?*", "*test_two?app:b?*"]
    )


def test_a_test_is_parametrized_by_what_its_factory_takes(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(SAMPLE + "\n    again = tagged(app, 'app:again')\n    ")
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.mark.parametrize('again', ['app:x', {'target': 'app:y'}], indirect=True)\n"
        "def test_it(again): assert again.reference.familiar in ('app:x', 'app:y')\n"
    )
    pytester.runpytest("-v").assert_outcomes(passed=2)


def test_params_of_one_factory_reach_those_that_take_it(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        SAMPLE
        + """
    each = tagged(app, params=["app:a", "app:b"], ids=["first", "second"])
    again = tagged(each, "app:again")
    """
    )
    pytester.makepyfile("def test_it(again, each): assert again.id == each.id")
    result = pytester.runpytest("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines_random(["*test_it?first?*", "*test_it?second?*"])


def test_a_suite_overrides_a_factory_for_those_that_take_it(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        SAMPLE.replace('tagged(app, "app:release")', 'tagged(app, "app:release", scope="function")')
    )
    suite = pytester.mkdir("suite")
    (suite / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef app(app, images): return images.tag(app, 'suite:1')\n"
    )
    test = "def test_it(release, app): assert app.reference.familiar == {!r}\n"
    (suite / "test_suite.py").write_text(test.format("suite:1"))
    pytester.makepyfile(test_root="def test_it(release, app): assert app.tags")
    pytester.runpytest("-p", "no:randomly").assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["'module'", "lambda fixture_name, config: 'module'"])
def test_the_scope_is_pytests(pytester: pytest.Pytester, scope: str) -> None:
    pytester.makeconftest(SAMPLE + f"\n    short = tagged(app, 'app:short', scope={scope})\n    ")
    pytester.makepyfile("def test_it(short): pass")
    result = pytester.runpytest("--setup-show")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*SETUP    M short*(fixtures used: app*)*"])


def test_a_scope_that_is_too_wide_is_refused_by_pytest(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        SAMPLE
        + """
    narrow = tagged(app, "app:narrow", scope="function")
    wide = tagged(narrow, "app:wide")
    """
    )
    pytester.makepyfile("def test_it(wide): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["ScopeMismatch: *narrow*"])


def test_an_argument_without_a_name_is_refused_when_it_is_collected(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        "from pytest_images import pulled, tagged\n"
        "app = tagged(pulled('alpine:3.20'), 'app:1')\n"
        "def test_it(app): pass\n"
    )
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*tagged in *.py, line 2*a fixture without a name*"])


def test_a_factory_in_a_class_is_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "from pytest_images import pulled\n"
        "class TestIt:\n"
        "    app = pulled('alpine:3.20')\n"
        "    def test_it(self, app): pass\n"
    )
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(["*InvalidUsage: *pulled*assign it to a name of the module*"])


def test_a_function_of_the_suite_can_make_factories(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        SAMPLE
        + """
    def named(name): return tagged(app, name)
    one = named("one:1")
    two = tagged(one, "two:1", name="second")
    three = tagged(two, "three:1")
    """
    )
    pytester.makepyfile("def test_it(three, second, one): assert three.id == one.id")
    pytester.runpytest().assert_outcomes(passed=1)


def test_a_factory_works_where_images_is_another_fixture(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(SAMPLE + "\n    @pytest.fixture\n    def images(): return ['a.png']\n")
    pytester.makepyfile("def test_it(release, images): assert images == ['a.png']")
    pytester.runpytest().assert_outcomes(passed=1)
