"""Every error this package raises, one tree.

ImagesError
├── InvalidReference        also ValueError
├── InvalidDigest           also ValueError
├── InvalidPlatform         also ValueError
├── InvalidAddress          also ValueError
├── InvalidDocument         also ValueError
│   └── NotAnImage
├── InvalidArchive          also ValueError
├── InvalidLayer            also ValueError
├── InvalidDockerfile       also ValueError
├── InvalidConfiguration    also ValueError
├── InvalidUsage            also ValueError
├── InvalidTemplate         also ValueError
├── LimitExceeded           also ValueError
├── DigestMismatch          also ValueError
├── SizeMismatch            also ValueError
├── NotFound                also LookupError
│   ├── ImageNotFound
│   ├── BlobNotFound
│   ├── PlatformNotFound
│   └── NotLocked
├── AmbiguousImage          also LookupError
├── Conflict                also RuntimeError
├── TagMoved                also RuntimeError
├── Unsupported             also NotImplementedError
├── SandboxError            also RuntimeError
├── BuildError              also RuntimeError
├── HookError               also RuntimeError
├── Unreachable             also ConnectionError
│   ├── TlsError
│   └── MissingOffline
├── InvalidResponse         also ConnectionError
├── RegistryError           also OSError
│   └── RateLimited
├── AuthError               also PermissionError
├── UnsafeAddress           also PermissionError
├── CredentialHelperError   also OSError
├── PathError               also OSError
│   ├── PathNotFound        also FileNotFoundError
│   ├── NotADirectory       also NotADirectoryError
│   └── IsADirectory        also IsADirectoryError
└── StoreError              also OSError
    ├── StoreFull
    ├── StoreReadOnly
    ├── StoreDamaged
    ├── StoreUnsafe
    ├── StoreTooNew
    └── LockTimeout         also TimeoutError

Each keeps its arguments in ``args``, so it pickles (xdist sends errors between
processes); carries typed attributes; says what failed, on which thing and why;
and says as a note (``add_note``) what to do next. ``code`` is stable and names
the rule that was broken. What came from outside is escaped before it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


SHOWN = 200  # characters of foreign text that a message repeats
REASON = 1000  # characters of a reason, which may repeat several such texts


def shown(text: object, limit: int = SHOWN) -> str:
    r"""Return foreign *text* fit for one line of a terminal: escaped, cut after *limit*.

    >>> print(shown("a\nb\x1b[31m"))
    a\nb\x1b[31m
    """
    plain = str(text)
    cut = plain[:limit] + ("…" if len(plain) > limit else "")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


class ImagesError(Exception):
    """Whatever this package raises on purpose."""

    code: ClassVar[str] = "images-error"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        if isinstance(self, OSError):  # which takes two or three arguments for errno and so on
            for name in ("errno", "strerror", "filename"):
                setattr(self, name, None)
            self.args = args

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {n: v for n, v in self.__dict__.items() if n in ("__notes__", "excerpt")}
        return type(self), self.args, kept or None


class _InvalidText(ImagesError, ValueError):
    """A text that does not follow its grammar, and why."""

    noun: ClassVar[str] = "text"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text, self.reason = text, reason

    def __str__(self) -> str:
        return f'invalid {self.noun} "{shown(self.text)}": {shown(self.reason, REASON)}'


class InvalidReference(_InvalidText):
    """A text is not an image reference."""

    code, noun = "invalid-reference", "reference"


class InvalidDigest(_InvalidText):
    """A text is not a digest of an algorithm known here."""

    code, noun = "invalid-digest", "digest"


class InvalidPlatform(_InvalidText):
    """A text is not a platform (``os/architecture[/variant]``)."""

    code, noun = "invalid-platform", "platform"


class InvalidAddress(_InvalidText):
    """A text is not an address that may be dialled or served."""

    code, noun = "invalid-address", "address"


class InvalidUsage(_InvalidText):
    """An option or argument has a value that cannot be used."""

    code, noun = "invalid-usage", "value"


class InvalidConfiguration(_InvalidText):
    """A configuration file or setting cannot be read; *text* names the file."""

    code, noun = "invalid-configuration", "configuration"


class _InvalidThing(ImagesError, ValueError):
    """Content from outside that breaks a rule of its format; *source* names it."""

    noun: ClassVar[str] = "content"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return f"{shown(self.source)}: invalid {self.noun}: {shown(self.reason, REASON)}"


class InvalidDocument(_InvalidThing):
    """A manifest, index, config or descriptor breaks a rule of its specification."""

    code, noun = "invalid-document", "document"


class NotAnImage(InvalidDocument):
    """A well-formed artifact that is not a container image (a signature, a chart)."""

    code, noun = "not-an-image", "image"


class InvalidArchive(_InvalidThing):
    """An archive or layout cannot be read as images."""

    code, noun = "invalid-archive", "archive"


class InvalidLayer(_InvalidThing):
    """A layer is not a tar stream that can be read safely."""

    code, noun = "invalid-layer", "layer"


class InvalidDockerfile(ImagesError, ValueError):
    """A Dockerfile (or ignore file) breaks a rule; *line* counts from 1, *text* is that line.

    ``excerpt`` shows the lines around it, where a build knows them.
    """

    code = "invalid-dockerfile"
    excerpt: str = ""

    def __init__(self, source: str, line: int, text: str, reason: str) -> None:
        super().__init__(source, line, text, reason)
        self.source, self.line, self.text, self.reason = source, line, text, reason

    def __str__(self) -> str:
        place = f"{shown(self.source)}:{self.line}"
        return f"{place}: {shown(self.reason, REASON)}: {shown(self.text)}"


class InvalidTemplate(ImagesError, ValueError):
    """A Go template cannot be read, or asks of a value what it has not; in Go's words."""

    code = "invalid-template"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"template parsing error: {shown(self.reason, REASON)}"


class LimitExceeded(ImagesError, ValueError):
    """Something from outside is larger, deeper or longer than its limit."""

    code = "limit-exceeded"

    def __init__(self, source: str, what: str, limit: int) -> None:
        super().__init__(source, what, limit)
        self.source, self.what, self.limit = source, what, limit

    def __str__(self) -> str:
        return f"{shown(self.source)}: {shown(self.what)} exceeds the limit of {self.limit}"


class DigestMismatch(ImagesError, ValueError):
    """What arrived is not what its digest names."""

    code = "digest-mismatch"

    def __init__(self, expected: str, actual: str, source: str) -> None:
        super().__init__(expected, actual, source)
        self.expected, self.actual, self.source = expected, actual, source

    def __str__(self) -> str:
        return f"{shown(self.source)}: content is {shown(self.actual)}, not {shown(self.expected)}"


class SizeMismatch(ImagesError, ValueError):
    """What arrived has not the size (bytes) that its descriptor states."""

    code = "size-mismatch"

    def __init__(self, expected: int, actual: int, source: str) -> None:
        super().__init__(expected, actual, source)
        self.expected, self.actual, self.source = expected, actual, source

    def __str__(self) -> str:
        return f"{shown(self.source)}: content has {self.actual} bytes, not {self.expected}"


class NotFound(ImagesError, LookupError):
    """A place that was asked says there is no such thing."""

    code = "not-found"

    def __init__(self, name: str, place: str = "") -> None:
        super().__init__(name, place)
        self.name, self.place = name, place

    def __str__(self) -> str:
        return f"{shown(self.name)}: not found" + (f" in {shown(self.place)}" if self.place else "")


class ImageNotFound(NotFound):
    """There is no such image in the place that was asked."""

    code = "image-not-found"

    def __str__(self) -> str:
        where = f" in {shown(self.place)}" if self.place else ""
        return f"No such image: {shown(self.name)}{where}"


class BlobNotFound(NotFound):
    """There is no such blob in the place that was asked."""

    code = "blob-not-found"


class PlatformNotFound(NotFound):
    """An index has no manifest for the platforms wanted; *available* names those it has."""

    code = "platform-not-found"

    def __init__(self, name: str, wanted: str, available: Sequence[str] = ()) -> None:
        super().__init__(name, wanted)
        self.args = (name, wanted, tuple(available))
        self.place = ""
        self.wanted, self.available = wanted, tuple(available)

    def __str__(self) -> str:
        has = f"; it has {', '.join(map(shown, self.available))}" if self.available else ""
        return f"{shown(self.name)}: no manifest for platform {shown(self.wanted)}{has}"


class NotLocked(NotFound):
    """A name is not in the lock file, and with the lock no registry is asked for it."""

    code = "not-locked"

    def __str__(self) -> str:
        return f"{shown(self.name)}: not in the lock file {shown(self.place)}".rstrip()


class AmbiguousImage(ImagesError, LookupError):
    """A short ID begins the ID of more than one image."""

    code = "ambiguous-image"

    def __init__(self, name: str, matches: Sequence[str] = ()) -> None:
        super().__init__(name, tuple(matches))
        self.name, self.matches = name, tuple(matches)

    def __str__(self) -> str:
        return f"{shown(self.name)}: ambiguous, it begins the ID of {len(self.matches)} images"


class Conflict(ImagesError, RuntimeError):
    """The operation would break something that is still in use."""

    code = "conflict"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        reason = shown(self.reason, REASON)
        names_it = self.name in self.reason  # as Docker's own sentences do
        return f"conflict: {reason}" if names_it else f"conflict: {shown(self.name)}: {reason}"


class TagMoved(ImagesError, RuntimeError):
    """A registry says another digest of a tag than the lock file; *since*: when it was locked."""

    code = "tag-moved"

    def __init__(self, name: str, locked: str, since: str, found: str) -> None:
        super().__init__(name, locked, since, found)
        self.name, self.locked, self.since, self.found = name, locked, since, found

    def __str__(self) -> str:
        before = f"{shown(self.locked)} (locked {shown(self.since)})"
        return f"{shown(self.name)} has moved: from {before} to {shown(self.found)}"


class Unsupported(ImagesError, NotImplementedError):
    """No plugin does this operation, or not in this form."""

    code = "unsupported"

    def __init__(self, operation: str, reason: str = "no plugin implements it") -> None:
        super().__init__(operation, reason)
        self.operation, self.reason = operation, reason

    def __str__(self) -> str:
        return f"{shown(self.operation)}: not supported: {shown(self.reason, REASON)}"


class SandboxError(ImagesError, RuntimeError):
    """A command could not be run confined, or not within its time."""

    code = "sandbox-error"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the sandbox: {shown(self.reason, REASON)}"


class BuildError(ImagesError, RuntimeError):
    """The command of a RUN step failed; ``log`` is the whole log of the build.

    ``excerpt`` shows the lines of the Dockerfile around it.
    """

    code = "build-error"
    excerpt: str = ""

    def __init__(self, source: str, line: int, text: str, status: int, log: str = "") -> None:
        super().__init__(source, line, text, status, log)
        self.source, self.line, self.text = source, line, text
        self.status, self.log = status, log

    def __str__(self) -> str:
        place = f"{shown(self.source)}:{self.line}"
        return f"{place}: the command ended with status {self.status}: {shown(self.text)}"


class HookError(ImagesError, RuntimeError):
    """A plugin breaks the contract of a hook; *plugins* names those involved."""

    code = "hook-error"

    def __init__(self, hook: str, reason: str, plugins: Sequence[str] = ()) -> None:
        super().__init__(hook, reason, tuple(plugins))
        self.hook, self.reason, self.plugins = hook, reason, tuple(plugins)

    def __str__(self) -> str:
        who = f" (plugins: {', '.join(map(shown, self.plugins))})" if self.plugins else ""
        return f"hook {shown(self.hook)}: {shown(self.reason, REASON)}{who}"


class Unreachable(ImagesError, ConnectionError):
    """No place was left to ask; *reasons* says what happened at each."""

    code = "unreachable"

    def __init__(self, name: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(name, tuple(reasons))
        self.name, self.reasons = name, tuple(reasons)

    def __str__(self) -> str:
        why = "; ".join(map(shown, self.reasons)) or "no endpoint answers for it"
        return f"{shown(self.name)}: cannot be reached: {why}"


class TlsError(Unreachable):
    """A server does not speak TLS, or shows a certificate that is not believed."""

    code = "tls-error"


class MissingOffline(Unreachable):
    """Something is not here, and this run may not fetch it."""

    code = "missing-offline"

    def __str__(self) -> str:
        why = "".join(f"; {shown(reason)}" for reason in self.reasons)
        return f"{shown(self.name)}: not here, and this run is offline{why}"


class InvalidResponse(ImagesError, ConnectionError):
    """A server's answer breaks the protocol."""

    code = "invalid-response"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return f"{shown(self.source)}: invalid response: {shown(self.reason, REASON)}"


class RegistryError(ImagesError, OSError):
    """A registry was reached and refused; *status* is HTTP's."""

    code = "registry-error"

    def __init__(self, source: str, status: int, message: str = "") -> None:
        super().__init__(source, status, message)
        self.source, self.status, self.message = source, status, message

    def __str__(self) -> str:
        return f"{shown(self.source)}: the registry answered {self.status} {shown(self.message)}"


class RateLimited(RegistryError):
    """A registry's pull limit is used up, and the wait it asks for is too long."""

    code = "rate-limited"


class AuthError(ImagesError, PermissionError):
    """A registry or token server did not accept who we are."""

    code = "auth-error"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return f"{shown(self.source)}: access denied: {shown(self.reason, REASON)}"


class UnsafeAddress(ImagesError, PermissionError):
    """A server sent us to an address where a request or credentials must not go."""

    code = "unsafe-address"

    def __init__(self, source: str, address: str, reason: str) -> None:
        super().__init__(source, address, reason)
        self.source, self.address, self.reason = source, address, reason

    def __str__(self) -> str:
        place = f"{shown(self.source)} points to {shown(self.address)}"
        return f"{place}: refused: {shown(self.reason, REASON)}"


class CredentialHelperError(ImagesError, OSError):
    """A credential helper cannot be run or does not answer."""

    code = "credential-helper"

    def __init__(self, helper: str, registry: str, reason: str) -> None:
        super().__init__(helper, registry, reason)
        self.helper, self.registry, self.reason = helper, registry, reason

    def __str__(self) -> str:
        name = shown(f"docker-credential-{self.helper}")
        return f"{name} for {shown(self.registry)}: {shown(self.reason, REASON)}"


class PathError(ImagesError, OSError):
    """A file inside an image cannot be looked at as asked; *path* starts at its root."""

    code = "path-error"

    def __init__(self, path: str, image: str, reason: str) -> None:
        super().__init__(path, image, reason)
        self.path, self.image, self.reason = path, image, reason

    def __str__(self) -> str:
        return f"{shown(self.image)}: {shown(self.path)}: {shown(self.reason, REASON)}"


class PathNotFound(PathError, FileNotFoundError):
    """There is no such file in the image."""

    code = "path-not-found"


class NotADirectory(PathError, NotADirectoryError):
    """Something inside an image is used as a directory and is none."""

    code = "not-a-directory"


class IsADirectory(PathError, IsADirectoryError):
    """Something inside an image is to be read as a file and is a directory."""

    code = "is-a-directory"


class StoreError(ImagesError, OSError):
    """The store cannot do what was asked; *path* is the file concerned."""

    code = "store-error"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"store {shown(self.path)}: {shown(self.reason, REASON)}"


class StoreFull(StoreError):
    """The disk, quota or file-size limit is used up; nothing was changed."""

    code = "store-full"


class StoreReadOnly(StoreError):
    """The store cannot be written here."""

    code = "store-read-only"


class StoreDamaged(StoreError):
    """A file of the store is not what it must be."""

    code = "store-damaged"


class StoreUnsafe(StoreError):
    """The store's folder or a lock file belongs to someone else or is a link."""

    code = "store-unsafe"


class StoreTooNew(StoreError):
    """A newer version wrote this store; it was left unchanged."""

    code = "store-too-new"


class LockTimeout(StoreError, TimeoutError):
    """A lock was not free in time; *reason* names its holder."""

    code = "lock-timeout"
