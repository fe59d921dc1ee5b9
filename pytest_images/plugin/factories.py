"""Factories of fixtures: assign the result to a name in a conftest.py or test module."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.arguments import policy_of
from pytest_images.errors import HookError, InvalidUsage
from pytest_images.plugin.factory import Factory, Site, fixture_of
from pytest_images.plugin.needs import Need
from pytest_images.plugin.requested import LEFT_OUT, is_fixture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from pytest_images.arguments import Name, Platforms, Policy, Thing
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.secret import Secret
    from pytest_images.plugin.factory import Ids, Use


def pulled(
    reference: Name | Any = LEFT_OUT,
    *,
    policy: Policy | None = None,
    platform: str | Platform | None = None,
    scope: Any = "session",
    params: Iterable[object] | None = None,
    ids: Ids = None,
    name: str | None = None,
) -> Any:
    """Make a fixture of an image, pulled once a run, whatever the number of workers.

    >>> alpine = pulled("alpine:3.20")  # in a conftest.py: a fixture named alpine

    *reference*: a name, or a fixture that gives one. *policy*: when the registry is asked, as
    of `Images.get`; None: as ``images_pull`` says. *platform*: the one wanted. *scope*,
    *params*, *ids*, *name*: as of `pytest.fixture`; a param stands for the reference. Nothing
    is pulled before a test uses the fixture. Raises InvalidReference, InvalidUsage at once.
    """
    site = Site("pulled", sys._getframe(1))
    if reference is not LEFT_OUT and not is_fixture(reference):
        reference = _reference(reference)
    given = {"reference": reference, "policy": policy_of(policy), "platform": platform}
    factory = Factory("pulled", _pull, given, "reference", site, needs=_needed)
    doc = f"The image {_shown(reference, params)}."
    return fixture_of(factory, doc, scope=scope, params=params, ids=ids, name=name)


def tagged(
    image: Thing | Any,
    target: Name | Any = LEFT_OUT,
    *,
    scope: Any = "session",
    params: Iterable[object] | None = None,
    ids: Ids = None,
    name: str | None = None,
) -> Any:
    """Make a fixture of an image under a further name.

    >>> app = pulled("registry.example/app:1")
    >>> release = tagged(app, "app:release")

    *image*: a fixture, or what names an image that is here. *target*: the further name; a
    param stands for it. The name is the run's: it is gone when that is over. The rest is as
    of `pytest.fixture`. Raises InvalidReference at once.
    """
    site = Site("tagged", sys._getframe(1))
    if target is not LEFT_OUT and not is_fixture(target):
        target = _reference(target)
    factory = Factory("tagged", _tag, {"image": image, "target": target}, "target", site)
    doc = f"An image, tagged {_shown(target, params)}."
    return fixture_of(factory, doc, scope=scope, params=params, ids=ids, name=name)


def loaded(
    source: Path | str | BinaryIO | Any = LEFT_OUT,
    *,
    image: Name | None = None,
    platform: Platforms = None,
    scope: Any = "session",
    params: Iterable[object] | None = None,
    ids: Ids = None,
    name: str | None = None,
) -> Any:
    """Make a fixture of an image in an archive, or in an OCI layout folder.

    >>> app = loaded("dist/app.tar")

    *source*: a path, relative to the file this stands in; or a fixture that gives a path or a
    binary stream. *image*: which one, where the archive holds several. *platform*: those
    wanted of an index. The rest is as of `pytest.fixture`; a param stands for the source.
    """
    site = Site("loaded", sys._getframe(1))
    wanted = None if image is None else _reference(image)
    given = {"source": source, "image": wanted, "platform": platform}
    factory = Factory("loaded", _load, given, "source", site)
    doc = f"The image in {_shown(source, params)}."
    return fixture_of(factory, doc, scope=scope, params=params, ids=ids, name=name)


def built(
    context: Path | str | Mapping[str, bytes] | Any = LEFT_OUT,
    *,
    dockerfile: str | None = None,
    dockerfile_text: str | None = None,
    tags: Name | Iterable[Name] | Any = (),
    args: Mapping[str, str | Any] | None = None,
    contexts: Mapping[str, str | Path | Image | Any] | None = None,
    labels: Mapping[str, str] | None = None,
    target: str | None = None,
    no_cache: bool = False,
    pull: bool = False,
    platform: str | Platform | None = None,
    secrets: Mapping[str, str | Secret | Any] | None = None,
    add_hosts: Iterable[tuple[str, str]] = (),
    network: str = "default",
    scope: Any = "session",
    params: Iterable[object] | None = None,
    ids: Ids = None,
    name: str | None = None,
) -> Any:
    """Make a fixture of an image, built once a run, whatever the number of workers.

    >>> web = built("web", target="runtime")  # in a conftest.py: a fixture named web

    *context*: a folder, relative to the file this stands in, an address, or names and bytes; a
    param stands for it. *contexts*: further ones; an image (of a fixture) does too. The other
    arguments are those of `Images.build`, the rest is as of `pytest.fixture`. A build that
    fails does so once a run: all tests that need it have its error, and its log in their
    reports.
    """
    site = Site("built", sys._getframe(1))
    given = {
        "context": context,
        "dockerfile": dockerfile,
        "dockerfile_text": dockerfile_text,
        "tags": tags,
        "args": dict(args or {}),
        "contexts": dict(contexts or {}),
        "labels": dict(labels or {}),
        "target": target,
        "no_cache": no_cache,
        "pull": pull,
        "platforms": platform,
        "secrets": dict(secrets or {}),
        "add_hosts": tuple(add_hosts),
        "network": network,
    }
    factory = Factory("built", _build, given, "context", site, needs=_bases)
    shown = "names and bytes" if isinstance(context, Mapping) else _shown(context, params)
    return fixture_of(
        factory, f"The image built of {shown}.", scope=scope, params=params, ids=ids, name=name
    )


def imported(
    source: Path | str | BinaryIO | Any = LEFT_OUT,
    reference: Name | Any | None = None,
    *,
    changes: Iterable[str] = (),
    message: str = "",
    platform: str | Platform | None = None,
    scope: Any = "session",
    params: Iterable[object] | None = None,
    ids: Ids = None,
    name: str | None = None,
) -> Any:
    """Make a fixture of an image whose one layer is the tar of a root file system.

    >>> rootfs = imported("rootfs.tar", "rootfs:1", changes=["CMD /bin/sh"])

    *source*: a path, relative to the file this stands in, an address, or a fixture that gives
    a path or a binary stream. *changes*, *message*, *platform*: as of `Images.import_`. The
    rest is as of `pytest.fixture`; a param stands for the source.
    """
    site = Site("imported", sys._getframe(1))
    if reference is not None and not is_fixture(reference):
        reference = _reference(reference)
    given = {
        "source": source,
        "reference": reference,
        "changes": tuple(changes),
        "message": message,
        "platform": platform,
    }
    factory = Factory("imported", _import, given, "source", site)
    doc = f"The image of the root file system in {_shown(source, params)}."
    return fixture_of(factory, doc, scope=scope, params=params, ids=ids, name=name)


def _needed(
    file: str, reference: Name, policy: Policy | None, platform: Platforms
) -> Iterator[Need]:
    if reference is not LEFT_OUT:
        yield Need.of(reference, policy, platform, file)


def _pull(use: Use, reference: Name, policy: Policy | None, platform: Platforms) -> Image:
    __tracebackhide__ = True
    return use.session.prepare(Need.of(reference, policy, platform, use.file))


def _tag(use: Use, image: Thing, target: Name) -> Image:
    return use.session.door().tag(image, target)


def _bases(file: str, **given: Any) -> Iterator[Need]:
    from pytest_images.plugin.bases import bases

    return bases(file, **given)


def _build(
    use: Use,
    context: Path | str | Mapping[str, bytes],
    contexts: Mapping[str, str | Path | Image],
    secrets: Mapping[str, str | Secret],
    **options: Any,
) -> Image:
    folder = Path(use.file).parent
    source: Path | str | dict[str, bytes]
    source = dict(context) if isinstance(context, Mapping) else _placed_context(context, folder)
    further = {name: _further(value, folder) for name, value in contexts.items()}

    def make() -> Image:
        made = use.session.door().build(source, contexts=further, secrets=secrets, **options)
        if made.image is None:
            raise HookError("image_build", "the answer has no image")
        return made.image

    key = repr((use.within, source, further, sorted(secrets), options))
    return use.session.once(key, make)


def _placed_context(context: Path | str, folder: Path) -> Path | str:
    from pytest_images.builder.remote import remote_context

    return remote_context(str(context)) or folder / context


def _further(value: str | Path | Image, folder: Path) -> str:
    from pytest_images.model.image import Image

    if isinstance(value, Image):
        return f"docker-image://{value.id}"
    return str(value) if "://" in str(value) else str(_placed_context(value, folder))


def _load(
    use: Use,
    source: Path | str | BinaryIO,
    image: Name | None,
    platform: Platforms,
) -> Image:
    found = use.session.door().load(_placed(source, use.file), platforms=platform)
    chosen = [one.image for one in found if image is None or one.reference == image]
    if len({one.id for one in chosen}) == 1:
        return chosen[0]
    names = ", ".join(str(one.reference or one.image.id) for one in found)
    error = InvalidUsage(f"loaded({str(source)!r})", f"which of its images? it holds {names}")
    error.add_note("say loaded(..., image=...)")
    raise error


def _import(
    use: Use,
    source: Path | str | BinaryIO,
    reference: Name | None,
    **options: Any,
) -> Image:
    return use.session.door().import_(_placed(source, use.file), reference, **options)


def _placed(source: Path | str | BinaryIO, file: str) -> Path | str | BinaryIO:
    """Return a source that can be opened: a path is relative to *file*, an address is none."""
    from pytest_images.http.address import is_url

    if isinstance(source, Path) or (isinstance(source, str) and not is_url(source)):
        return Path(file).parent / source
    return source


def _reference(name: Name) -> Name:
    from pytest_images.arguments import reference_of

    return reference_of(name)


def _shown(value: object, params: object) -> str:
    """Return an argument for a docstring."""
    if value is LEFT_OUT:
        return "that each param names" if params is not None else "that its param names"
    return "of a fixture" if is_fixture(value) else str(getattr(value, "familiar", value))
