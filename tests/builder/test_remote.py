from __future__ import annotations

import pytest

from pytest_images.builder.remote import GitAddress, git_address, is_remote, remote_context


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://a.test/b.git", GitAddress("https://a.test/b.git")),
        ("http://a.test/b.git#v1", GitAddress("http://a.test/b.git", "v1")),
        ("https://a.test/b.git#v1:c/d", GitAddress("https://a.test/b.git", "v1", "c/d")),
        ("https://a.test/b.git#:c", GitAddress("https://a.test/b.git", "", "c")),
        ("git://a.test/b", GitAddress("git://a.test/b")),
        ("ssh://git@a.test:22/b", GitAddress("ssh://git@a.test:22/b")),
        ("git@a.test:b/c#main", GitAddress("git@a.test:b/c", "main")),
        ("me@a.test:b", GitAddress("me@a.test:b")),
        ("https://a.test/b.tar", None),
        ("https://a.test/b?x=.git", None),
        ("file:///b.git", None),
        ("ext::sh -c true", None),
        ("-oProxyCommand=x@a:b", None),
        ("a/b.git", None),
        ("C:b", None),
    ],
)
def test_a_repository_is_told_by_its_address(text: str, address: GitAddress | None) -> None:
    assert git_address(text) == address


@pytest.mark.parametrize("source", ["https://a.test/b", "http://a.test/b.git", "git@a.test:b"])
def test_what_add_fetches(source: str) -> None:
    assert is_remote(source)


@pytest.mark.parametrize("source", ["a", "./https:", "github.com/a/b", "/git@a", "file:///a"])
def test_what_add_finds_in_the_context(source: str) -> None:
    assert not is_remote(source)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("github.com/a/b", "https://github.com/a/b.git"),
        ("github.com/a/b.git#v1", "https://github.com/a/b.git#v1"),
        ("github.com/a/b#v1:c", "https://github.com/a/b.git#v1:c"),
        ("https://a.test/c.tar", "https://a.test/c.tar"),
        ("folder", None),
        ("../folder", None),
    ],
)
def test_a_context_is_an_address_or_a_folder(text: str, address: str | None) -> None:
    assert remote_context(text) == address
