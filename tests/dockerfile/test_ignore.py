"""`.dockerignore` as a table: each group names the document or test that it restates."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.dockerfile.ignore import IgnoreRules, read_pattern
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.errors import InvalidDockerfile

# moby/patternmatcher, patternmatcher_test.go (TestMatches): one pattern, a path, does it match
DEEP = [
    ("**", "file", True),
    ("**", "dir/file", True),
    ("**/", "dir/file", True),
    ("**/**", "dir/file", True),
    ("dir/**", "dir/a/b", True),
    ("dir/**", "dir", False),
    ("**/dir", "dir", True),
    ("**/dir", "a/dir/file", True),
    ("**/dir/*", "a/dir/file", True),
    ("**/dir/**", "a/dir/b/file", True),
    ("**file", "file", True),
    ("**file", "a/b/file", True),
    ("**file", "a/b/myfile", True),
    ("**/file", "a/b/myfile", False),
    ("**file*", "a/myfile", False),
    ("**/file*.txt", "a/b/file1.txt", True),
    ("**/**/*.txt", "file.txt", True),
    ("**/**/*.txt", "a/b/file.md", False),
    ("a**/*.txt", "a/file.txt", True),
    ("a**/*.txt", "a/b/c/file.txt", True),
    ("a**/*.txt", "ab/c/file.txt", True),
    ("a/*.txt", "a/b/file.txt", False),
    ("a/*.txt**", "a/file.txt.old/x", True),
    ("**/foo/bar", "a/b/foo/bar", True),
    ("**/.foo", "bar.foo", False),
]
# the same (TestMatch), Go's own table of filepath.Match: names, stars and classes
NAMES = [
    ("abc", "abc", True),
    ("*", "abc", True),
    ("*c", "abc", True),
    ("a*", "a", True),
    ("a*", "ab/c", True),  # its folder matches
    ("a*/b", "abc/b", True),
    ("a*/b", "a/c/b", False),
    ("a*b*c*d*e*/f", "axbxcxdxexxx/f", True),
    ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", False),
    ("a*b?c*x", "abxbbxdbxebxczzx", True),
    ("a*b?c*x", "abxbbxdbxebxczzy", False),
    ("ab[b-d]", "abc", True),
    ("ab[^b-d]", "abc", False),
    ("a[^a]b", "aéb", True),
    ("a?b", "aéb", True),
    ("a???b", "aéb", False),
    ("[a-ζ]*", "β", True),
    ("*[a-ζ]", "A", False),
    ("a?b", "a/b", False),
    ("a\\*b", "a*b", True),
    ("a\\*b", "axb", False),
    ("[\\]a]", "]", True),
    ("[\\-x]", "-", True),
    ("abc.def", "abcZdef", False),
    ("a(b)c/def", "a(b)c/def", True),
    ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
]
# the reference ("dockerignore file") and moby's ignorefile: how lines are cleaned
CLEANED = [
    ("/abs", "abs", True),
    ("dir/", "dir/file", True),
    ("./a/../b", "b", True),
    ("  spaced\t", "spaced", True),
    ("a//b", "a/b", True),
    ("../x", "x", False),
    ("#a", "#a", False),  # a comment
    (" #a", "#a", True),
    ("*/temp*", "a/temp1", True),
    ("*/*/temp*", "a/b/temp1", True),
    ("temp?", "tempa", True),
    ("a**b", "ab", True),
    ("a**b", "axb", False),
    ("a**b", "ax/y/b", True),
    ("x*b**c", "xbbc", True),
]


@pytest.mark.parametrize(("pattern", "path", "matches"), [*DEEP, *NAMES, *CLEANED])
def test_a_pattern_matches_as_docker_matches_it(pattern: str, path: str, matches: bool) -> None:
    assert IgnoreRules.parse(pattern).excludes(path) is matches


# moby/patternmatcher (multiPatternTests) and the reference: the last pattern that matches decides
@pytest.mark.parametrize(
    ("patterns", "path", "excluded"),
    [
        (["**", "!util/docker/web"], "util/docker/web/foo", False),
        (["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", True),
        (["docs", "!docs/README.md"], "docs/README.md", False),
        (["docs", "!docs/README.md"], "docs/other.md", True),
        (["docs/*", "!docs/README.md"], "docs/README.md", False),
        (["!a.go", "*.go"], "a.go", True),
        (["*.go", "!a.go"], "a.go", False),
        (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True),
        (["*.md", "README-secret.md", "!README*.md"], "README-secret.md", False),
        (["*", "! /src "], "src/main.c", False),
        (["*", "!src", "src/*.o"], "src/main.o", True),
        (["a", "!a/b", "a/b/c"], "a/b/d", False),
        (["a", "!a/b", "a/b/c"], "a/b/c/e", True),
        ([], "anything", False),
    ],
)
def test_the_last_pattern_that_matches_a_path_or_its_folders_decides(
    patterns: list[str], path: str, excluded: bool
) -> None:
    assert IgnoreRules.parse("\n".join(patterns)).excludes(path) is excluded


@pytest.mark.parametrize(
    "pattern", ["[", "a[", "[^", "[^bc", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "a\\", "!", "! ",
                "[z-a]"]
)  # fmt: skip
def test_a_broken_pattern_is_refused_with_its_line(pattern: str) -> None:
    with pytest.raises(InvalidDockerfile) as caught:
        IgnoreRules.parse(f"fine\n{pattern}\n", "app.dockerignore")
    assert (caught.value.source, caught.value.line) == ("app.dockerignore", 2)


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_a_pattern() -> None:
    rules = IgnoreRules.parse(b"\xef\xbb\xbfa\r\n# no\r\n\r\nb/\r\n")
    assert [pattern.text for pattern in rules.patterns] == ["a", "b"]


def test_names_that_are_not_utf_8_are_matched_by_their_bytes() -> None:
    rules = IgnoreRules.parse(b"caf\xe9*\n")
    assert rules.excludes(b"caf\xe9s".decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("patterns", "folder", "skipped"),
    [
        ("node_modules", "node_modules", True),
        ("node_modules\n!node_modules/keep", "node_modules", False),
        ("node_modules\n!src/keep", "node_modules", True),
        ("!a/b\na", "a", True),
        ("*\n!src", "docs", True),
        ("*\n!**/*.py", "docs", False),
        ("*\n!*/keep", "docs", False),
        ("*\n!d*/keep", "src", True),
        ("*\n!src/[a-z]", "src", False),
        ("other", "docs", False),
    ],
)
def test_a_folder_is_skipped_whole_when_nothing_below_can_return(
    patterns: str, folder: str, skipped: bool
) -> None:
    assert IgnoreRules.parse(patterns).top.can_skip(folder) is skipped


def test_exclude_flags_use_the_same_rules() -> None:
    rules = IgnoreRules.of(["*.md", "!keep.md"])
    assert rules.excludes("a.md")
    assert not rules.excludes("keep.md")


def test_a_hundred_thousand_patterns_are_read_and_asked_in_linear_time() -> None:
    started = time.process_time()
    rules = IgnoreRules.parse("".join(f"folder{n}/file\n" for n in range(100_000)))
    assert all(rules.excludes(f"folder{n}/file") for n in range(0, 100_000, 10))
    assert not rules.excludes("folder7/other")
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a*" * 30 + "b", "a" * 4000),
        ("**/" + "*a" * 30 + "b", "a/" * 2000),
        ("**/a/" * 20 + "b", "a/" * 2000 + "c"),
        ("?" * 2000 + "*" * 3, "a" * 4000),
        ("(a*)*b", "(" + "a" * 4000),
    ],
)
def test_no_pattern_takes_more_than_linear_time(pattern: str, path: str) -> None:
    started = time.process_time()
    assert IgnoreRules.of([pattern]).excludes(path) in (True, False)
    assert time.process_time() - started < 5


def test_a_pattern_that_means_very_many_alternatives_is_refused() -> None:
    with pytest.raises(Malformed, match="within a name at most"):
        read_pattern("a**b" * 8)


def as_moby(pattern: str) -> re.Pattern[str]:
    """The regular expression that moby makes of a pattern, for backtracking to match."""
    out, at = "", 0
    while at < len(pattern):
        if pattern.startswith("**", at):
            at += 3 if pattern.startswith("**/", at) else 2
            out += ".*" if at == len(pattern) else "(.*/)?"
            continue
        letter = pattern[at]
        out += {"*": "[^/]*", "?": "[^/]"}.get(letter, re.escape(letter))
        at += 1
    return re.compile(out)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", "?", "**/"]), min_size=1, max_size=7),
    st.lists(st.sampled_from(["a", "b", "ab", "ba", "aab"]), min_size=1, max_size=4),
)
def test_every_pattern_matches_what_backtracking_would_find(
    pieces: list[str], names: list[str]
) -> None:
    pattern = read_pattern("".join(pieces)).text
    if re.fullmatch(r"\*\*[^/*?]+", pattern):
        return  # moby's own rule for these: the path ends so
    paths = ["/".join(names[: end + 1]) for end in range(len(names))]
    expected = any(as_moby(pattern).fullmatch(path) for path in paths)
    assert IgnoreRules.of([pattern]).excludes(paths[-1]) is expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["*", "a", "a/b", "!a", "!a/b", "!**/c", "a/*", "!a/*/c", "b?"])),
    st.lists(st.sampled_from(["a", "b", "c", "bb"]), min_size=1, max_size=4),
)
def test_a_walk_that_skips_folders_finds_what_asking_for_each_path_finds(
    patterns: list[str], names: list[str]
) -> None:
    rules = IgnoreRules.of(patterns)
    folder = rules.top
    for depth, name in enumerate(names):
        path = "/".join(names[: depth + 1])
        assert folder.excludes(name) is rules.excludes(path)
        if folder.can_skip(name):
            assert all(rules.excludes("/".join(names[:end])) for end in range(depth + 1, 5))
        folder = folder.folder(name)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_rules_or_refused(raw: bytes) -> None:
    try:
        IgnoreRules.parse(raw).excludes("a/b")
    except InvalidDockerfile as error:
        assert error.line >= 1
