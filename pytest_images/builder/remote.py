"""Which sources are fetched: addresses of files, and of git repositories (BuildKit's ``gitutil``).

A repository is told by its address alone: ``git@host:path``, ``git://``, ``ssh://``, and
``http(s)://`` with a path that ends in ``.git``.
"""

from __future__ import annotations

from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

_HTTP = ("http://", "https://")
_GIT = ("git://", "ssh://", "git@")
_HOSTED = ("github.com/",)  # as a build's context, where no scheme is needed
_SCP = regex(r"[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:.*")


class GitAddress(NamedTuple):
    """A repository, and what of it is wanted: *ref* (a branch, tag or commit), a folder."""

    url: str
    ref: str = ""
    folder: str = ""


def git_address(text: str) -> GitAddress | None:
    """Read ``URL[#ref[:folder]]``; None where *text* is no repository's address.

    >>> git_address("https://example.test/app.git#v1:docker")
    GitAddress(url='https://example.test/app.git', ref='v1', folder='docker')
    """
    url, _, fragment = text.partition("#")
    is_git = url.startswith(_GIT) or bool(_SCP.fullmatch(url))
    is_git = is_git or (url.startswith(_HTTP) and url.partition("?")[0].endswith(".git"))
    if not is_git:
        return None
    ref, _, folder = fragment.partition(":")
    return GitAddress(url, ref, folder)


def is_remote(source: str) -> bool:
    """Say whether a source of ADD is fetched: a URL, or a git repository."""
    return source.startswith(_HTTP) or git_address(source) is not None


def remote_context(text: str) -> str | None:
    """Return the address that a build's context is, None where it is a folder's path."""
    if text.startswith(_HOSTED):
        text = f"https://{text}"
        url, mark, fragment = text.partition("#")
        return text if url.endswith(".git") else f"{url}.git{mark}{fragment}"
    return text if is_remote(text) else None
