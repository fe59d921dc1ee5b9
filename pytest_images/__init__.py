"""Container images for test suites: values, hooks, an engine, fixtures and a command.

Names are imported at their first use, so that importing this package costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, without importing that
if TYPE_CHECKING:
    from pytest_images.errors import AmbiguousImage as AmbiguousImage
    from pytest_images.errors import AuthError as AuthError
    from pytest_images.errors import BlobNotFound as BlobNotFound
    from pytest_images.errors import BuildError as BuildError
    from pytest_images.errors import Conflict as Conflict
    from pytest_images.errors import CredentialHelperError as CredentialHelperError
    from pytest_images.errors import DigestMismatch as DigestMismatch
    from pytest_images.errors import HookError as HookError
    from pytest_images.errors import ImageNotFound as ImageNotFound
    from pytest_images.errors import ImagesError as ImagesError
    from pytest_images.errors import InvalidAddress as InvalidAddress
    from pytest_images.errors import InvalidArchive as InvalidArchive
    from pytest_images.errors import InvalidConfiguration as InvalidConfiguration
    from pytest_images.errors import InvalidDigest as InvalidDigest
    from pytest_images.errors import InvalidDockerfile as InvalidDockerfile
    from pytest_images.errors import InvalidDocument as InvalidDocument
    from pytest_images.errors import InvalidLayer as InvalidLayer
    from pytest_images.errors import InvalidPlatform as InvalidPlatform
    from pytest_images.errors import InvalidReference as InvalidReference
    from pytest_images.errors import InvalidResponse as InvalidResponse
    from pytest_images.errors import InvalidUsage as InvalidUsage
    from pytest_images.errors import IsADirectory as IsADirectory
    from pytest_images.errors import LimitExceeded as LimitExceeded
    from pytest_images.errors import LockTimeout as LockTimeout
    from pytest_images.errors import NotADirectory as NotADirectory
    from pytest_images.errors import NotAnImage as NotAnImage
    from pytest_images.errors import NotFound as NotFound
    from pytest_images.errors import PathError as PathError
    from pytest_images.errors import PathNotFound as PathNotFound
    from pytest_images.errors import PlatformNotFound as PlatformNotFound
    from pytest_images.errors import RateLimited as RateLimited
    from pytest_images.errors import RegistryError as RegistryError
    from pytest_images.errors import SandboxError as SandboxError
    from pytest_images.errors import SizeMismatch as SizeMismatch
    from pytest_images.errors import StoreDamaged as StoreDamaged
    from pytest_images.errors import StoreError as StoreError
    from pytest_images.errors import StoreFull as StoreFull
    from pytest_images.errors import StoreReadOnly as StoreReadOnly
    from pytest_images.errors import StoreTooNew as StoreTooNew
    from pytest_images.errors import StoreUnsafe as StoreUnsafe
    from pytest_images.errors import TlsError as TlsError
    from pytest_images.errors import Unreachable as Unreachable
    from pytest_images.errors import UnsafeAddress as UnsafeAddress
    from pytest_images.errors import Unsupported as Unsupported
    from pytest_images.hookspecs import Hooks as Hooks
    from pytest_images.hookspecs import hookimpl as hookimpl
    from pytest_images.host import Host as Host
    from pytest_images.http.limits import Limits as Limits
    from pytest_images.images import Images as Images
    from pytest_images.layer.files import Files as Files
    from pytest_images.layer.files import ImagePath as ImagePath
    from pytest_images.layer.files import InLayer as InLayer
    from pytest_images.layer.files import LayerFiles as LayerFiles
    from pytest_images.layer.scope import FileStat as FileStat
    from pytest_images.model.config import Config as Config
    from pytest_images.model.descriptor import Descriptor as Descriptor
    from pytest_images.model.digest import Digest as Digest
    from pytest_images.model.endpoint import Access as Access
    from pytest_images.model.endpoint import Credentials as Credentials
    from pytest_images.model.endpoint import Endpoint as Endpoint
    from pytest_images.model.image import BuildResult as BuildResult
    from pytest_images.model.image import HistoryLine as HistoryLine
    from pytest_images.model.image import Image as Image
    from pytest_images.model.image import Loaded as Loaded
    from pytest_images.model.image import Pushed as Pushed
    from pytest_images.model.image import Removal as Removal
    from pytest_images.model.inspection import Inspection as Inspection
    from pytest_images.model.manifest import Index as Index
    from pytest_images.model.manifest import Manifest as Manifest
    from pytest_images.model.platform import Platform as Platform
    from pytest_images.model.progress import Phase as Phase
    from pytest_images.model.progress import Progress as Progress
    from pytest_images.model.reference import Reference as Reference
    from pytest_images.model.request.build import BuildRequest as BuildRequest
    from pytest_images.model.request.history import HistoryRequest as HistoryRequest
    from pytest_images.model.request.import_ import ImportRequest as ImportRequest
    from pytest_images.model.request.inspect import InspectRequest as InspectRequest
    from pytest_images.model.request.load import LoadRequest as LoadRequest
    from pytest_images.model.request.ls import LsRequest as LsRequest
    from pytest_images.model.request.prune import PruneRequest as PruneRequest
    from pytest_images.model.request.pull import PullRequest as PullRequest
    from pytest_images.model.request.push import PushRequest as PushRequest
    from pytest_images.model.request.rm import RmRequest as RmRequest
    from pytest_images.model.request.run import MountKind as MountKind
    from pytest_images.model.request.run import Ran as Ran
    from pytest_images.model.request.run import RunMount as RunMount
    from pytest_images.model.request.run import RunStep as RunStep
    from pytest_images.model.request.save import SaveRequest as SaveRequest
    from pytest_images.model.request.tag import TagRequest as TagRequest
    from pytest_images.model.secret import Secret as Secret
    from pytest_images.model.selector import Selector as Selector
    from pytest_images.plugin.factories import built as built
    from pytest_images.plugin.factories import imported as imported
    from pytest_images.plugin.factories import loaded as loaded
    from pytest_images.plugin.factories import pulled as pulled
    from pytest_images.plugin.factories import tagged as tagged
    from pytest_images.server.namespace import Namespace as Namespace
    from pytest_images.server.registry import Registry as Registry

# Where each public name lives.
_HOMES = {
    "errors": (
        "AmbiguousImage",
        "AuthError",
        "BlobNotFound",
        "BuildError",
        "Conflict",
        "CredentialHelperError",
        "DigestMismatch",
        "HookError",
        "ImageNotFound",
        "ImagesError",
        "InvalidAddress",
        "InvalidArchive",
        "InvalidConfiguration",
        "InvalidDigest",
        "InvalidDockerfile",
        "InvalidDocument",
        "InvalidLayer",
        "InvalidPlatform",
        "InvalidReference",
        "InvalidResponse",
        "InvalidUsage",
        "IsADirectory",
        "LimitExceeded",
        "LockTimeout",
        "NotADirectory",
        "NotAnImage",
        "NotFound",
        "PathError",
        "PathNotFound",
        "PlatformNotFound",
        "RateLimited",
        "RegistryError",
        "SandboxError",
        "SizeMismatch",
        "StoreDamaged",
        "StoreError",
        "StoreFull",
        "StoreReadOnly",
        "StoreTooNew",
        "StoreUnsafe",
        "TlsError",
        "Unreachable",
        "UnsafeAddress",
        "Unsupported",
    ),
    "hookspecs": (
        "Hooks",
        "hookimpl",
    ),
    "host": ("Host",),
    "http.limits": ("Limits",),
    "images": ("Images",),
    "layer.files": (
        "Files",
        "ImagePath",
        "InLayer",
        "LayerFiles",
    ),
    "layer.scope": ("FileStat",),
    "model.config": ("Config",),
    "model.descriptor": ("Descriptor",),
    "model.digest": ("Digest",),
    "model.endpoint": (
        "Access",
        "Credentials",
        "Endpoint",
    ),
    "model.image": (
        "BuildResult",
        "HistoryLine",
        "Image",
        "Loaded",
        "Pushed",
        "Removal",
    ),
    "model.inspection": ("Inspection",),
    "model.manifest": (
        "Index",
        "Manifest",
    ),
    "model.platform": ("Platform",),
    "model.progress": (
        "Phase",
        "Progress",
    ),
    "model.reference": ("Reference",),
    "model.request.build": ("BuildRequest",),
    "model.request.history": ("HistoryRequest",),
    "model.request.import_": ("ImportRequest",),
    "model.request.inspect": ("InspectRequest",),
    "model.request.load": ("LoadRequest",),
    "model.request.ls": ("LsRequest",),
    "model.request.prune": ("PruneRequest",),
    "model.request.pull": ("PullRequest",),
    "model.request.push": ("PushRequest",),
    "model.request.rm": ("RmRequest",),
    "model.request.run": (
        "MountKind",
        "Ran",
        "RunMount",
        "RunStep",
    ),
    "model.request.save": ("SaveRequest",),
    "model.request.tag": ("TagRequest",),
    "model.secret": ("Secret",),
    "model.selector": ("Selector",),
    "plugin.factories": ("built", "imported", "loaded", "pulled", "tagged"),
    "server.namespace": ("Namespace",),
    "server.registry": ("Registry",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME_OF)]  # noqa: PLE0604, RUF100 - names, from the table


def __getattr__(name: str) -> object:
    import importlib

    if name == "__version__":
        from importlib.metadata import version

        return version("pytest-images")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return __all__
