"""What one process of tox prepares: a host, made for the first need, and a run of its own.

The run's names are seen by the commands of the environments (``PYTEST_IMAGES_RUN``) and by
nobody else, and go when tox ends. What was downloaded stays as cache.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_images import ImagesError, hookimpl
from tox_images.needs import Build
from tox_images.once import Once, result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images import Host, Image, Progress
    from tox_images.needs import Needs, Pull
    from tox_images.settings import Settings

_PATIENCE = 5.0  # seconds for what is under way when tox is stopped, to let go of what it holds


class Preparation:
    """The images of all environments of one process of tox."""

    def __init__(self, settings: Settings) -> None:
        """Make the host; nothing is opened before the first need. Raises ImagesError."""
        self.settings = settings
        self.run = f"tox-{os.urandom(6).hex()}"
        self._stopping = Stopping()
        self._host: Host = settings.make_host(self.run)
        self._host.register(self._stopping)
        self._once: Once[Pull | Build, Image] = Once(self._prepare)
        atexit.register(self._end)

    def meet(self, needs: Needs, stopped: threading.Event) -> dict[str, Image]:
        """Return the images that *needs* names, by variable; all pulls go at once.

        Raises ImagesError, OSError; SystemExit when it was *stopped*.
        """
        images: dict[str, Image] = {}
        pulls = {name: self._once.ask(pull) for name, pull in needs.pulls.items()}
        for name, future in pulls.items():
            images[name] = self._told(needs.pulls[name], future, stopped)
        for name, build in needs.builds.items():
            images[name] = self._told(build, self._once.ask(build), stopped)
        return images

    @property
    def home(self) -> str:
        """The folder of the store."""
        return str(self._host.embedded.store.root)

    def _told(self, need: Pull | Build, future: Any, stopped: threading.Event) -> Image:
        try:
            image: Image = result(future, stopped)
        except (ImagesError, OSError) as error:
            raise NotPrepared(need, error) from error
        except SystemExit:
            self._stopping.begin()
            raise
        return image

    def _prepare(self, need: Pull | Build) -> Image:
        images = self._host.images
        if isinstance(need, Build):
            built = images.build(
                need.folder,
                dockerfile=need.dockerfile,
                tags=need.reference,
                args=dict(need.args),
                target=need.target,
                platforms=need.platform,
            ).image
            assert built is not None  # noqa: S101 - no outputs are asked for
            return built
        return images.get(need.reference, need.policy, platform=need.platform)

    def _tell_locked(self) -> None:
        changes = self._host.lock.changes if self._host.lock is not None else {}
        for name, change in sorted(changes.items()):
            logging.warning("images.lock: %s: %s", name, change)

    def _end(self) -> None:
        """End the run. An error here must not hide how the environments ended."""
        self._stopping.begin()
        with suppress(KeyboardInterrupt):  # Ctrl-C again: what is left is swept by the next run
            self._once.wait(_PATIENCE)
        try:
            if self._host.is_open:
                self._tell_locked()
                self._host.end_run()
            self._host.close()
        except ImagesError as error:
            logging.warning("images: not cleaned: %s", error)


class NotPrepared(Exception):
    """An image that an environment needs is not to be had."""

    def __init__(self, need: Pull | Build, error: Exception) -> None:
        super().__init__(need, error)
        self.need, self.error = need, error

    def __str__(self) -> str:
        reason, name = str(self.error), str(self.need)
        return "\n  ".join((reason if name in reason else f"{name}: {reason}", *self._more()))

    def _more(self) -> Iterator[str]:
        """Give the lines of the Dockerfile, the log of the build, and what to do next."""
        for attribute in ("excerpt", "log"):
            yield from getattr(self.error, attribute, "").splitlines()
        yield from getattr(self.error, "__notes__", [])


class Stopping:
    """Ends what is under way, at its next sign of life, once tox is stopped."""

    def __init__(self) -> None:
        self._stopped = False

    def begin(self) -> None:
        """From now on nothing goes on."""
        self._stopped = True

    @hookimpl
    def images_progress(self, event: Progress) -> None:
        """Raise where the work is: it lets go of what it holds on its way out."""
        if self._stopped:
            raise KeyboardInterrupt(f"{event.verb} of {event.subject} was stopped")
