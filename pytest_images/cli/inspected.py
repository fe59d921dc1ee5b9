"""An inspection as Docker's client holds it: the same JSON twice, with types and without.

A template is tried on the typed values first (``.ID``, empty fields, Go's way to print a
struct); what it does not find there it may find by the names of the JSON (``.Id``).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_images.errors import InvalidTemplate
from pytest_images.template.values import Duration, Int64, Map, Nil, Number, Slice, Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_images.template.template import Template

    Maker = Callable[[Any], object]


class Mistyped(ValueError):
    """The JSON has something else than the type of its field."""


class Record(Struct):
    """A struct whose fields were read from JSON."""

    __slots__ = ("values",)
    makers: ClassVar[Mapping[str, tuple[str, Maker]]]

    def __init__(self, found: Any) -> None:
        if found is not None and not isinstance(found, dict):
            raise Mistyped(self.go_type)
        document: dict[str, Any] = found or {}
        self.values = {
            name: make(document if name in self.go_embedded else document.get(key))
            for name, (key, make) in self.makers.items()
        }


def filled(template: Template, document: dict[str, Any]) -> str:
    """Return *template* filled in from the JSON of an inspection.

    Raises InvalidTemplate (of the names in the JSON) and LimitExceeded.
    """
    values = typed(document)
    if values is not None:
        with suppress(InvalidTemplate):
            return template.render(values)
    return template.render(untyped(document), strict=True)


def typed(document: dict[str, Any]) -> Struct | None:
    """Return *document* with Docker's types, None where it does not fit them."""
    try:
        return InspectResponse(document)
    except Mistyped:
        return None


def untyped(found: Any) -> Any:
    """Return JSON with its numbers as they are written, as Go's decoder is told to keep them."""
    if isinstance(found, dict):
        return {key: untyped(value) for key, value in found.items()}
    if isinstance(found, list):
        return [untyped(value) for value in found]
    if isinstance(found, int | float) and not isinstance(found, bool):
        return Number(found)
    return found


def record(
    go_type: str,
    fields: Mapping[str, tuple[str, Maker]],
    *,
    pointer: bool = False,
    embedded: tuple[str, ...] = (),
) -> type[Record]:
    """Return the type *go_type*: its *fields* by name, each with its key in JSON and its maker.

    A key that ends in ``?`` is left out of JSON where the field is empty.
    """

    class Made(Record):
        __slots__ = ()

    Made.go_type, Made.go_pointer, Made.go_embedded = go_type, pointer, embedded
    Made.go_json = {name: key for name, (key, _) in fields.items()}
    Made.makers = {name: (key.rstrip("?"), make) for name, (key, make) in fields.items()}
    Made.go_fields = {name: _getter(name) for name in fields}
    return Made


def _getter(name: str) -> Callable[[Record], object]:
    return lambda record: record.values[name]


def _of(kind: type, made: Callable[[Any], object], empty: object) -> Maker:
    """Return what makes a value out of JSON of one *kind*; *empty* stands for nothing."""

    def make(found: Any) -> object:
        if found is None:
            return empty
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise Mistyped(kind.__name__)
        return made(found)

    return make


_text = _of(str, str, "")
_number = _of(int, Int64, Int64(0))
_duration = _of(int, Duration, Duration(0))
_flag = _of(bool, bool, False)


def _texts(found: Any) -> object:
    if found is not None and not isinstance(found, list):
        raise Mistyped("list")
    return Slice(None if found is None else [_text(item) for item in found], "string")


def _labels(found: Any) -> object:
    return _map(found, "string", _text)


def _set(found: Any) -> object:
    return _map(found, "struct {}", Empty)


def _map(found: Any, element: str, make: Maker) -> object:
    if found is not None and not isinstance(found, dict):
        raise Mistyped("dict")
    made = None if found is None else {key: make(value) for key, value in found.items()}
    return Map(made, element)


def _pointer(kind: type[Record]) -> Maker:
    return lambda found: Nil(f"*{kind.go_type}") if found is None else kind(found)


class Time(Struct):
    """A moment, from RFC 3339."""

    __slots__ = ("_text",)
    go_type = "time.Time"
    go_fields: ClassVar[Mapping[str, Maker]] = {}

    def __init__(self, found: Any) -> None:
        self._text = str(found or "0001-01-01T00:00:00Z")

    def go_text(self) -> str:
        """Return the moment as Go prints it: ``2024-05-01 10:00:00.5 +0000 UTC``."""
        day, _, rest = self._text.partition("T")
        if rest.endswith("Z"):
            return f"{day} {rest[:-1]} +0000 UTC"
        clock, offset = rest[:-6], rest[-6:].replace(":", "")
        return f"{day} {clock} {offset} {offset}"

    def go_json_text(self) -> str:
        """Return the moment as it was written."""
        return f'"{self._text}"'


Empty = record("struct {}", {})
Platform = record(
    "v1.Platform",
    {
        "Architecture": ("architecture", _text),
        "OS": ("os", _text),
        "OSVersion": ("os.version?", _text),
        "OSFeatures": ("os.features?", _texts),
        "Variant": ("variant?", _text),
    },
    pointer=True,
)
Descriptor = record(
    "v1.Descriptor",
    {
        "MediaType": ("mediaType", _text),
        "Digest": ("digest", _text),
        "Size": ("size", _number),
        "URLs": ("urls?", _texts),
        "Annotations": ("annotations?", _labels),
        "Data": ("data?", _text),
        "Platform": ("platform?", _pointer(Platform)),
        "ArtifactType": ("artifactType?", _text),
    },
    pointer=True,
)
Healthcheck = record(
    "v1.HealthcheckConfig",
    {
        "Test": ("Test?", _texts),
        "Interval": ("Interval?", _duration),
        "Timeout": ("Timeout?", _duration),
        "StartPeriod": ("StartPeriod?", _duration),
        "StartInterval": ("StartInterval?", _duration),
        "Retries": ("Retries?", _of(int, int, 0)),
    },
    pointer=True,
)
_ImageConfig = record(
    "v1.ImageConfig",
    {
        "User": ("User?", _text),
        "ExposedPorts": ("ExposedPorts?", _set),
        "Env": ("Env?", _texts),
        "Entrypoint": ("Entrypoint?", _texts),
        "Cmd": ("Cmd?", _texts),
        "Volumes": ("Volumes?", _set),
        "WorkingDir": ("WorkingDir?", _text),
        "Labels": ("Labels?", _labels),
        "StopSignal": ("StopSignal?", _text),
        "ArgsEscaped": ("ArgsEscaped?", _flag),
    },
)
_ConfigExtension = record(
    "v1.DockerOCIImageConfigExt",
    {
        "Healthcheck": ("Healthcheck?", _pointer(Healthcheck)),
        "OnBuild": ("OnBuild?", _texts),
        "Shell": ("Shell?", _texts),
    },
)
ImageConfig = record(
    "v1.DockerOCIImageConfig",
    {
        "ImageConfig": ("", _ImageConfig),
        "DockerOCIImageConfigExt": ("", _ConfigExtension),
    },
    pointer=True,
    embedded=("ImageConfig", "DockerOCIImageConfigExt"),
)
RootFS = record("image.RootFS", {"Type": ("Type?", _text), "Layers": ("Layers?", _texts)})
Metadata = record("image.Metadata", {"LastTagTime": ("LastTagTime?", Time)})
GraphDriver = record("storage.DriverData", {"Data": ("Data", _labels), "Name": ("Name", _text)})
InspectResponse = record(
    "image.InspectResponse",
    {
        "ID": ("Id", _text),
        "RepoTags": ("RepoTags", _texts),
        "RepoDigests": ("RepoDigests", _texts),
        "Parent": ("Parent", _text),
        "Comment": ("Comment", _text),
        "Created": ("Created?", _text),
        "Container": ("Container?", _text),
        "ContainerConfig": ("ContainerConfig?", lambda _: Nil("*container.Config")),
        "DockerVersion": ("DockerVersion", _text),
        "Author": ("Author", _text),
        "Config": ("Config", _pointer(ImageConfig)),
        "Architecture": ("Architecture", _text),
        "Variant": ("Variant?", _text),
        "Os": ("Os", _text),
        "OsVersion": ("OsVersion?", _text),
        "Size": ("Size", _number),
        "VirtualSize": ("VirtualSize?", _number),
        "GraphDriver": ("GraphDriver", GraphDriver),
        "RootFS": ("RootFS", RootFS),
        "Metadata": ("Metadata", Metadata),
        "Descriptor": ("Descriptor?", _pointer(Descriptor)),
        "Manifests": ("Manifests?", lambda _: Slice(None, "image.ManifestSummary")),
    },
)
