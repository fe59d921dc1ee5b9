"""`build`: a Dockerfile and a context into an image of the store."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pytest_images.builder.build import Workbench, documents
from pytest_images.builder.clock import source_date_epoch
from pytest_images.builder.fingerprints import Fingerprints
from pytest_images.builder.hiding import Hiding
from pytest_images.builder.log import BuildLog
from pytest_images.builder.plan import make_plan
from pytest_images.builder.scratch import at_work
from pytest_images.builder.trees import ImageTree
from pytest_images.dockerfile.arguments import platform_arguments
from pytest_images.dockerfile.excerpt import excerpt
from pytest_images.dockerfile.stages import parse
from pytest_images.engine.choose import host_platform
from pytest_images.engine.contexts import open_context
from pytest_images.engine.given import check_given
from pytest_images.engine.outputs import (
    Built,
    check_folders,
    check_outputs,
    keeps_image,
    write_facts,
    write_outputs,
)
from pytest_images.engine.sources import Sources
from pytest_images.errors import (
    BlobNotFound,
    BuildError,
    ImageNotFound,
    ImagesError,
    InvalidDockerfile,
    InvalidUsage,
    Unsupported,
)
from pytest_images.model.image import BuildResult
from pytest_images.model.progress import Progress
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.builder.log import Line
    from pytest_images.builder.running import Runner
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.stages import Dockerfile
    from pytest_images.engine.contexts import Opened
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.manifest import Manifest
    from pytest_images.model.request.build import BuildRequest

# The time of everything a build makes, where nobody says another: 1980-01-01, the first that
# zip files can hold. One time, so that the same inputs give the same image.
EPOCH = 315_532_800
_EPOCH_ARGUMENT = "SOURCE_DATE_EPOCH"


def build(images: Images, store: Store, request: BuildRequest) -> BuildResult:
    """Build the image that *request* asks for; name it, and return it with the log.

    Raises InvalidDockerfile, BuildError, InvalidUsage, SandboxError, Unsupported, and what
    bringing a base image, or what is at an address, raises.
    """
    _check(request)
    if request.iid_file is not None:
        request.iid_file.unlink(missing_ok=True)  # an old one would be taken for this build's
    hiding = Hiding(secret.reveal() for secret in request.secrets.values())
    log = BuildLog(partial(_tell, images, request), hiding)
    try:
        image, warnings = _built(images, store, request, log)
    except ImagesError as error:
        hiding.hide(error)
        raise
    return BuildResult(image, str(log), tuple(map(hiding.told, warnings)))


def _check(request: BuildRequest) -> None:
    """Refuse at once what could only fail after everything was built."""
    if len(request.platforms) > 1:
        error = Unsupported("build", "an image for several platforms at once")
        error.add_note("build it once for each platform, under a name of its own")
        raise error
    for name in request.tags:
        check_given(name)
    check_outputs(request.outputs)
    check_folders(request.iid_file, request.metadata_file)


def _built(
    images: Images, store: Store, request: BuildRequest, log: BuildLog
) -> tuple[Image | None, Iterator[str]]:
    opening = open_context(store, request, offline=images.offline)
    with at_work(store), opening as opened, store.lease() as lease:
        dockerfile = _read(opened, log)
        with (
            _excerpts(opened, dockerfile),
            Sources(images, store, lease, request) as sources,
        ):
            bench = _workbench(sources, request, opened, dockerfile, log)
            state = bench.build()
            built = Built(
                *documents(state, request.labels),
                lambda: ImageTree(bench.files(state.layers)),
                request.tags,
            )
            image = _exported(store, lease, request, built, log)
    return image, map(str, dockerfile.warnings)


def _read(opened: Opened, log: BuildLog) -> Dockerfile:
    step = log.step(f"[internal] load build definition from {opened.name}")
    step.say(f"transferring dockerfile: {len(opened.text)}B done")
    try:
        with _excerpts(opened, None):
            dockerfile = parse(opened.text, opened.name)
    except InvalidDockerfile as error:
        step.failed(str(error))
        raise
    step.done()
    return dockerfile


def _workbench(
    sources: Sources, request: BuildRequest, opened: Opened, dockerfile: Dockerfile, log: BuildLog
) -> Workbench:
    store, lease = sources.store, sources.lease
    platform = request.platforms[0] if request.platforms else host_platform()
    automatic = platform_arguments(host_platform(), platform, request.target or "")
    plan = make_plan(dockerfile, request.target, request.args, automatic, request.contexts)
    latest = _latest(request)
    return Workbench(
        store=store,
        lease=lease,
        plan=plan,
        log=log,
        make_runner=partial(_runner, sources, request, latest),
        fingerprints=Fingerprints(store.workspace("fingerprints"), opened.root),
        context=opened.tree,
        platform=platform,
        given=request.args,
        base_of=sources.base,
        context_of=partial(sources.context, platform),
        fetch=sources.fetch,
        created=datetime.fromtimestamp(latest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        latest=latest,
        clock="wall" if request.wall_clock else str(latest),
        uses_cache=not request.no_cache,
        secrets=frozenset(request.secrets),
        network=request.network,
        add_hosts=request.add_hosts,
    )


def _runner(sources: Sources, request: BuildRequest, latest: int) -> Runner:
    from pytest_images.builder.running import Runner

    return Runner(sources.store, sources.lease, sources.images.run, request.secrets, latest)


def _exported(
    store: Store, lease: Lease, request: BuildRequest, built: Built, log: BuildLog
) -> Image | None:
    """Record the image, and write what else is asked for."""
    step = log.step("exporting to image")
    built = built._replace(manifest=_recorded(store, lease, built))
    config, manifest = built.config, built.manifest
    for raw, digest in ((config.raw, config.id), (manifest.raw, manifest.digest)):
        lease.hold(digest)
        store.put(raw, digest)
    image = None
    if keeps_image(request.outputs):
        store.add(manifest, config, request.tags)
        step.say(f"writing image {config.id} done")
        for name in request.tags:
            step.say(f"naming to {name} done")
        image = store.image(Selector.of(request.tags[0] if request.tags else config.id))
    write_outputs(store, request.outputs, built)
    write_facts(built, request.iid_file, request.metadata_file)
    step.done()
    return image


def _recorded(store: Store, lease: Lease, built: Built) -> Manifest:
    """Return the manifest that this image has here already: a push may have compressed it."""
    try:
        manifest = store.manifest_of(built.config.id)
    except (ImageNotFound, BlobNotFound):
        return built.manifest
    digests = [layer.digest for layer in manifest.layers]
    for digest in digests:
        lease.hold(digest)
    return manifest if all(map(store.has, digests)) else built.manifest


@contextmanager
def _excerpts(opened: Opened, dockerfile: Dockerfile | None) -> Iterator[None]:
    """Let errors of the block show the lines of the Dockerfile that they are about."""
    try:
        yield
    except (InvalidDockerfile, BuildError) as error:
        if error.source == opened.name and error.line:
            stages = dockerfile.stages if dockerfile else ()
            places = [each.place for s in stages for each in (s.start, *s.instructions)]
            last = next((p.last for p in places if p.first == error.line), error.line)
            error.excerpt = excerpt(opened.text, opened.name, error.line, last)
        raise


def _latest(request: BuildRequest) -> int:
    """Return the time of what is made, in seconds since 1970. Raises InvalidUsage."""
    given = request.args.get(_EPOCH_ARGUMENT)
    if given is not None:
        if not (given.isascii() and given.isdigit() and len(given) < 12):
            raise InvalidUsage(given, f"{_EPOCH_ARGUMENT} is a number of seconds since 1970")
        return int(given)
    if request.wall_clock:
        return int(datetime.now(UTC).timestamp())
    epoch = source_date_epoch()
    return EPOCH if epoch is None else epoch


def _tell(images: Images, request: BuildRequest, line: Line) -> None:
    subject = str(request.tags[0]) if request.tags else ""
    event = Progress("build", subject, f"#{line.step}", line.phase, text=line.text, kind="step")
    images.progress(event)
