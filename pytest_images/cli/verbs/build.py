"""`build`: make an image of a Dockerfile and a context."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.cli.building import FORMS, failed_step, steps_shown
from pytest_images.cli.ending import complain
from pytest_images.cli.interrupts import terminable
from pytest_images.cli.options import Command, Option, invalid_value
from pytest_images.cli.terminal import watched
from pytest_images.errors import BuildError, InvalidDockerfile, InvalidUsage, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.model.image import BuildResult
    from pytest_images.model.secret import Secret

ADD_HOST = Option(
    "add-host", 'Add a custom host-to-IP mapping (format: "host:ip")', kind="strings", repeats=True
)
BUILD_CONTEXT = Option(
    "build-context",
    "Additional build contexts (e.g., name=path)",
    kind="stringArray",
    repeats=True,
)
OUTPUT = Option(
    "output",
    'Output destination (format: "type=local,dest=path")',
    short="o",
    kind="stringArray",
    repeats=True,
)
PROGRESS = Option(
    "progress",
    'Set type of progress output ("auto", "plain", "quiet", "tty"). Use plain to show the '
    "output of commands",
    kind="string",
)
SECRET = Option(
    "secret",
    'Secret to expose to the build (format: "id=mysecret[,src=/local/secret|,env=VARIABLE]")',
    kind="stringArray",
    repeats=True,
)
TIMESTAMP = Option(
    "timestamp",
    'Time of what is made, in seconds since 1970, or "now" (default: $SOURCE_DATE_EPOCH, else '
    "the same for all builds)",
    kind="string",
)
COMMAND = Command(
    "build",
    "PATH | URL | -",
    (
        ADD_HOST,
        Option("build-arg", "Set build-time variables", kind="stringArray", repeats=True),
        BUILD_CONTEXT,
        Option(
            "file", 'Name of the Dockerfile (default: "PATH/Dockerfile")', short="f", kind="string"
        ),
        Option("force-rm", "Always remove intermediate containers: there are none"),
        Option("iidfile", "Write the image ID to a file", kind="string"),
        Option("label", "Set metadata for an image", kind="stringArray", repeats=True),
        Option("load", "Keep the image in the store, whichever other outputs there are"),
        Option("metadata-file", "Write build result metadata to a file", kind="string"),
        Option(
            "network",
            'Set the networking mode for the "RUN" instructions during build',
            kind="string",
        ),
        Option("no-cache", "Do not use cache when building the image"),
        OUTPUT,
        Option("platform", "Set target platform for build", kind="stringArray", repeats=True),
        PROGRESS,
        Option("provenance", 'Attest how it was built: only "false", nothing is', kind="string"),
        Option("pull", "Always attempt to pull all referenced images"),
        Option("quiet", "Suppress the build output and print image ID on success", short="q"),
        Option("rm", "Remove intermediate containers: there are none (default true)"),
        Option("sbom", 'Attest what is in it: only "false", nothing is', kind="string"),
        SECRET,
        Option(
            "tag",
            'Image identifier (format: "[registry/]repository[:tag]")',
            short="t",
            kind="stringArray",
            repeats=True,
        ),
        Option("target", "Set the target build stage to build", kind="string"),
        TIMESTAMP,
    ),
    least=1,
    most=1,
)
SECRET_LIMIT = 500 << 10  # bytes, as BuildKit takes


def run(parsed: Parsed, settings: Settings) -> int:
    """Build the image, and show how."""
    quiet = parsed.flag("quiet")
    _refuse_attestations(parsed)
    context = _context(parsed.arguments[0], parsed)
    options = _options(parsed, context)
    show = steps_shown("quiet" if quiet else _progress(parsed))
    with terminable(), settings.door(show) as images:
        try:
            with show:
                result = images.build(context, **options)
        except (BuildError, InvalidDockerfile) as error:
            _show_failure(error)
            raise
    if quiet:
        print(result.image.id if result.image is not None else "", end="\n" * bool(result.image))
    else:
        _show_warnings(result)
    return 0


def _refuse_attestations(parsed: Parsed) -> None:
    for name in ("provenance", "sbom"):
        if parsed.text(name, "false") != "false":
            raise Unsupported("build", f"an attestation, as --{name} asks for")


def _context(text: str, parsed: Parsed) -> Path | BinaryIO | str:
    """Return the folder, the address, or standard input."""
    if text == "-":
        if parsed.text("file") == "-":
            raise InvalidUsage("-", "can't use stdin for both build context and dockerfile")
        return _standard_input("a Dockerfile or a tar of the context")
    if not text:
        raise InvalidUsage(text, "the build context: it has no name")
    if not Path(text).is_dir():
        from pytest_images.builder.remote import remote_context

        address = remote_context(text)
        if address is not None:
            return address
    return Path(text)


def _standard_input(what: str) -> BinaryIO:
    if sys.stdin is None or watched(sys.stdin):
        error = InvalidUsage("STDIN", "requested build from stdin, but stdin is empty")
        error.add_note(f"redirect {what} to standard input")
        raise error
    return sys.stdin.buffer


def _options(parsed: Parsed, context: Path | BinaryIO | str) -> dict[str, Any]:
    args = dict(_arguments(parsed))
    timestamp = parsed.text("timestamp")
    if timestamp and timestamp != "now":
        if not (timestamp.isascii() and timestamp.isdigit()):
            raise invalid_value(COMMAND, TIMESTAMP, timestamp, "it is no number of seconds")
        args["SOURCE_DATE_EPOCH"] = timestamp
    return {
        **_dockerfile(parsed.text("file"), context),
        "tags": parsed.texts("tag"),
        "args": args,
        "contexts": dict(_contexts(parsed)),
        "labels": dict(_pair(text) for text in parsed.texts("label")),
        "target": parsed.text("target") or None,
        "no_cache": parsed.flag("no-cache"),
        "pull": parsed.flag("pull"),
        "platforms": ",".join(parsed.texts("platform"))
        or os.environ.get("DOCKER_DEFAULT_PLATFORM")
        or None,
        "secrets": dict(map(_secret, parsed.texts("secret"))),
        "add_hosts": [_host(text) for text in parsed.texts("add-host")],
        "network": parsed.text("network", "default"),
        "outputs": [*map(_output, parsed.texts("output")), *_loaded(parsed)],
        "metadata_file": _path(parsed.text("metadata-file")),
        "iid_file": _path(parsed.text("iidfile")),
        "wall_clock": timestamp == "now",
    }


def _dockerfile(name: str, context: Path | BinaryIO | str) -> dict[str, str]:
    """Return where the Dockerfile is: in the context, elsewhere on this machine, in hand."""
    if not name:
        return {}
    if name == "-":
        raw = _standard_input("a Dockerfile").read()
        return {"dockerfile_text": raw.decode("utf-8", "surrogateescape")}
    if not isinstance(context, Path):
        return {"dockerfile": name}
    path, root = Path(name).resolve(), context.resolve()
    if path.is_relative_to(root):
        return {"dockerfile": path.relative_to(root).as_posix()}
    return {"dockerfile": str(Path(name).absolute())}


def _arguments(parsed: Parsed) -> Iterator[tuple[str, str]]:
    """Yield build arguments; one without a value has that of the environment, or is not given."""
    for text in parsed.texts("build-arg"):
        name, value = _pair(text)
        if "=" in text:
            yield name, value
        elif name in os.environ:
            yield name, os.environ[name]


def _contexts(parsed: Parsed) -> Iterator[tuple[str, str]]:
    for text in parsed.texts("build-context"):
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise invalid_value(COMMAND, BUILD_CONTEXT, text, "expected name=value")
        yield name, value


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name:
        raise InvalidUsage(text, "invalid key-value pair: empty key")
    return name, value


def _fields(option: Option, text: str) -> dict[str, str]:
    """Read ``key=value,...``, quoted as in CSV."""
    import csv

    found: dict[str, str] = {}
    for field in next(csv.reader([text]), []):
        key, equals, value = field.partition("=")
        if not equals:
            raise invalid_value(COMMAND, option, text, f"invalid field '{field}'")
        found[key.lower()] = value
    return found


def _output(text: str) -> tuple[str, str]:
    """Read ``type=...,dest=...``, or a bare path: a folder to fill, ``-`` for a tar."""
    if text == "-":
        kind, to = "tar", "-"
    elif "=" not in text:
        kind, to = "local", text
    else:
        fields = _fields(OUTPUT, text)
        kind, to = fields.pop("type", ""), fields.pop("dest", "")
        if not kind:
            raise invalid_value(COMMAND, OUTPUT, text, "type is required for output")
        if fields:
            raise invalid_value(COMMAND, OUTPUT, text, f"unexpected key '{next(iter(fields))}'")
        if not to and kind in ("tar", "oci"):
            to = "-"
    if to == "-" and (sys.stdout is None or watched(sys.stdout)):
        reason = "dest file is required when the output is a terminal: refusing to write to it"
        raise InvalidUsage(kind, reason)
    return kind, to


def _loaded(parsed: Parsed) -> list[tuple[str, str]]:
    return [("image", "")] if parsed.flag("load") else []


def _secret(text: str) -> tuple[str, Secret]:
    """Read ``id=...`` with ``src=`` a file or ``env=`` a variable; neither: one called so."""
    from pytest_images.model.secret import Secret

    fields = _fields(SECRET, text)
    name, kind = fields.pop("id", ""), fields.pop("type", "")
    source = fields.pop("src", "") or fields.pop("source", "")
    variable = fields.pop("env", "")
    if fields:
        raise invalid_value(COMMAND, SECRET, text, f"unexpected key '{next(iter(fields))}'")
    if kind not in ("", "file", "env"):
        raise invalid_value(COMMAND, SECRET, text, f'unsupported secret type "{kind}"')
    name = name or source or variable
    if not name:
        raise invalid_value(COMMAND, SECRET, text, "it has no id")
    if kind == "env" and not variable:
        source, variable = "", source or name
    if not source and not variable:
        source, variable = ("", name) if name in os.environ else (name, "")
    if source:
        return name, Secret(_secret_file(Path(source)).decode("utf-8", "surrogateescape"))
    if variable not in os.environ:
        raise InvalidUsage(variable, "this variable of the secret is not set")
    return name, Secret(os.environ[variable])


def _secret_file(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise InvalidUsage(str(path), "a secret is a regular file")
    with path.open("rb") as stream:
        raw = stream.read(SECRET_LIMIT + 1)
    if len(raw) > SECRET_LIMIT:
        raise InvalidUsage(str(path), f"a secret has {SECRET_LIMIT} bytes at most")
    return raw


def _host(text: str) -> tuple[str, str]:
    import ipaddress

    separator = "=" if "=" in text else ":"
    name, found, address = text.partition(separator)
    if not (name and found and address):
        raise invalid_value(COMMAND, ADD_HOST, text, f'bad format for add-host: "{text}"')
    address = address.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(address)
    except ValueError:
        reason = f'invalid IP address in add-host: "{address}"'
        raise invalid_value(COMMAND, ADD_HOST, text, reason) from None
    return name, address


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _progress(parsed: Parsed) -> str:
    form = parsed.text("progress") or os.environ.get("BUILDKIT_PROGRESS") or "auto"
    if form not in FORMS:
        raise invalid_value(COMMAND, PROGRESS, form, f"it is none of {', '.join(FORMS)}")
    return form


def _show_failure(error: BuildError | InvalidDockerfile) -> None:
    """Print the lines of the failed step again, and those of the Dockerfile."""
    step = failed_step(error.log) if isinstance(error, BuildError) else ""
    complain("\n".join(filter(None, (step, error.excerpt))))


def _show_warnings(result: BuildResult) -> None:
    count = len(result.warnings)
    if count:
        complain(f"\n {count} warning{'s' * (count > 1)} found:")
        complain("\n".join(f" - {warning}" for warning in result.warnings))
