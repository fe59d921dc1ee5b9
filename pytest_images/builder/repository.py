"""Git repositories, fetched by the program ``git`` at arm's length (row B15).

It sees no configuration of this machine, runs no hook, asks nobody, speaks the network's
protocols only, and is given names in places where they cannot be options. Passwords go to it
in its environment, never on a command line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_images.dockerfile.place import without_passwords
from pytest_images.errors import DigestMismatch, InvalidUsage, NotFound, Unreachable, Unsupported
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pytest_images.builder.remote import GitAddress
    from pytest_images.model.secret import Secret

PROTOCOLS = "git:http:https:ssh"
TOKEN = "GIT_AUTH_TOKEN"  # noqa: S105 - the name of a secret, as BuildKit has it
_ASKING, _FETCHING = 60.0, 1800.0  # seconds that git may take
_LOOK = 0.1  # seconds between looks at whether it is over
_COMMIT = regex("[0-9a-f]{40}|[0-9a-f]{64}")
_NO_REF = regex(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^-|^/|/$|\.lock$")
_USER = regex(r"^(https?://)([^/@]*)@")
_KEPT = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "core.symlinks": "true",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "100",
    "http.lowSpeedTime": "30",
}


def check_out(
    address: GitAddress,
    folder: Path,
    *,
    keeps_git_folder: bool = False,
    checksum: str = "",
    secrets: Mapping[str, Secret],
    is_over: Callable[[], bool],
) -> Path:
    """Check a commit out into the new *folder*; return the folder in it that *address* names.

    *checksum* is how the commit has to begin. *secrets* may hold a token. *is_over* is asked
    whether nobody waits any more. Raises InvalidUsage (a ref or folder that cannot be),
    NotFound, DigestMismatch, Unreachable, Unsupported (there is no git).
    """
    if _NO_REF.search(address.ref):
        raise InvalidUsage(address.ref, "it cannot be the name of a branch, tag or commit")
    git = _Git(address.url, folder, secrets, is_over)
    commit, name = git.resolve(address.ref)
    if checksum and not commit.startswith(checksum.removeprefix("sha1:")):
        raise DigestMismatch(checksum, commit, git.shown)
    folder.mkdir()
    git.run("init", "--quiet", "--template=", limit=_ASKING)
    git.fetch(commit, name)
    git.run("checkout", "--quiet", "--detach", commit)
    if (folder / ".gitmodules").is_file():
        words = ("--init", "--recursive", "--depth=1", "--quiet")
        git.run("submodule", "update", *words)
    if not keeps_git_folder:
        _drop_git_folders(folder)
    return _inside(folder, address.folder)


class _Git:
    """The program, for one repository."""

    def __init__(
        self, url: str, folder: Path, secrets: Mapping[str, Secret], is_over: Callable[[], bool]
    ) -> None:
        program = shutil.which("git")
        if program is None:
            error = Unsupported("build", "git is not on this machine")
            error.add_note("install git, or build from a folder or a tar")
            raise error
        self.shown = without_passwords(url)
        self._program, self._folder, self._is_over = program, folder, is_over
        self._url = _USER.sub(r"\1", url)
        self._environment = _environment(self._url, _authorization(url, secrets))

    def resolve(self, ref: str) -> tuple[str, str]:
        """Return the commit that *ref* stands for, and what to ask for to get it."""
        if _COMMIT.fullmatch(ref):
            return ref, ref
        wanted = (ref, f"{ref}^{{}}") if ref else ("HEAD",)
        text = self.run("ls-remote", "--quiet", "--", self._url, *wanted, limit=_ASKING)
        found = {name: commit for commit, _, name in (row.partition("\t") for row in _rows(text))}
        for name in (ref or "HEAD", f"refs/{ref}", f"refs/tags/{ref}", f"refs/heads/{ref}"):
            commit = found.get(f"{name}^{{}}") or found.get(name)
            if commit is not None and _COMMIT.fullmatch(commit):
                return commit, name
        raise NotFound(ref or "HEAD", self.shown)

    def fetch(self, commit: str, name: str) -> None:
        """Fetch one commit; all of the repository, where the server does not give one alone."""
        words = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules")
        try:
            self.run(*words, "--depth=1", "--", self._url, f"{name}:refs/build/wanted")
        except Unreachable:
            everything = ("+refs/heads/*:refs/build/heads/*", "+refs/tags/*:refs/build/tags/*")
            self.run(*words, "--", self._url, *everything)
        try:
            self.run("cat-file", "-e", f"{commit}^{{commit}}", limit=_ASKING)
        except Unreachable:
            raise NotFound(commit, self.shown) from None

    def run(self, *words: str, limit: float = _FETCHING) -> str:
        """Run a command and return what it prints. Raises Unreachable with what it says."""
        where = self._folder if self._folder.is_dir() else self._folder.parent
        deadline = time.monotonic() + limit
        with subprocess.Popen(  # noqa: S603 - the words are ours, or stand after --
            [self._program, *words],
            cwd=where,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            umask=0o022,
            process_group=0,
        ) as process:
            try:
                while True:
                    with suppress(subprocess.TimeoutExpired):
                        out, err = process.communicate(timeout=_LOOK)
                        break
                    if self._is_over():
                        raise Unreachable(self.shown, ["the build was ended"])
                    if time.monotonic() > deadline:
                        raise Unreachable(self.shown, [f"git took longer than {limit:.0f} s"])
            finally:
                _end(process)
        if process.returncode:
            reasons = [without_passwords(line) for line in err.splitlines() if line][-3:]
            raise Unreachable(self.shown, reasons or [f"git ended with {process.returncode}"])
        return out


def _end(process: subprocess.Popen[str]) -> None:
    """End git and those it started, where they still run."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)


def _rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if "\t" in line]


def _authorization(url: str, secrets: Mapping[str, Secret]) -> str:
    """Return the header that shows a server who we are, "" for nobody."""
    user = _USER.match(url)
    if user is not None:
        return b64encode(unquote(user[2]).encode()).decode()
    host = url.partition("://")[2].partition("/")[0]
    token = secrets.get(f"{TOKEN}.{host}") or secrets.get(TOKEN)
    if token is None or not url.startswith("https://"):
        return ""
    return b64encode(f"x-access-token:{token.reveal().strip()}".encode()).decode()


def _environment(url: str, authorization: str) -> dict[str, str]:
    settings = dict(_SETTINGS)
    if authorization:
        settings[f"http.{url}.extraHeader"] = f"Authorization: Basic {authorization}"
    kept = {*_KEPT, *_PROXIES, *map(str.upper, _PROXIES)}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    environment |= {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=30",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings.items()):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def _drop_git_folders(folder: Path) -> None:
    """Take ``.git`` away, of submodules too: no tree of git's can hold that name."""
    for above, folders, files in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
            shutil.rmtree(os.path.join(above, ".git"))  # noqa: PTH118 - as walk gives it
        if ".git" in files:
            os.unlink(os.path.join(above, ".git"))  # noqa: PTH108, PTH118 - as walk gives it


def _inside(folder: Path, wanted: str) -> Path:
    """Return the folder *wanted* of a checkout; a link that leads out of it is refused."""
    root = folder.resolve()
    found = (root / wanted.lstrip("/")).resolve()
    if not found.is_relative_to(root):
        raise InvalidUsage(wanted, "this folder is not inside the repository")
    if not found.is_dir():
        raise NotFound(wanted, "the repository")
    return found
