"""What one pytest process keeps: its host, made at the first use, and the end of its run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_images.plugin.places import Places
from pytest_images.plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from pytest_images.host.host import Host
    from pytest_images.images import Images
    from pytest_images.plugin.workers import Workers
    from pytest_images.policies.report import Report

NAME = "images-session"
WIRE = "pytest_images"  # our key in what xdist sends to and from its workers


def register(config: pytest.Config) -> None:
    """Give *config* its session; conftest files that are there already are told to it."""
    places = Places(str(config.rootpath))
    config.pluginmanager.register(places, "images-places")
    config.pluginmanager.register(Session(config, places), NAME)


def session_of(config: pytest.Config) -> Session:
    """Return the session of *config*."""
    return cast("Session", config.pluginmanager.get_plugin(NAME))


class Session:
    """A pytest plugin, one a process. A worker of xdist has its controller's run id."""

    def __init__(self, config: pytest.Config, places: Places) -> None:
        self._config, self._places = config, places
        self._settings = Settings(config)
        self._is_worker = hasattr(config, "workerinput")
        # Random, so that no two runs share what they make; all processes of one share it.
        self.run: str = getattr(config, "workerinput", {}).get(WIRE) or os.urandom(6).hex()
        self._workers: Workers | None = None
        self._conftests: list[Any] = []
        self._host: Host | None = None
        self._report: Report | None = None
        self._trouble = ""
        self._locked: dict[str, str] = {}  # name -> what was written into the lock file

    # The host.

    def door(self) -> Images:
        """Return the door, made at the first call. Raises InvalidUsage, HookError.

        A method: older versions of pytest read every property of a plugin, looking for fixtures.
        """
        __tracebackhide__ = True
        if self._host is None:
            host = self._make_host()
            for module in sorted(self._conftests, key=lambda module: len(module.__file__)):
                _bridge(module, host)
            self._host = host
        return self._host.images

    def _make_host(self) -> Host:
        from pytest_images.plugin.hosting import make_host
        from pytest_images.policies.report import Report

        self._report = self._report or Report()
        root = self._config.rootpath
        return make_host(self._settings, root, self.run, self._places.current, self._report)

    # conftest.py files are plugins of ours, each for its own folder; the marker.

    @pytest.hookimpl
    def pytest_plugin_registered(self, plugin: object) -> None:
        """Remember a conftest module, or bridge it at once where the host is there."""
        file = getattr(plugin, "__file__", None)
        if isinstance(file, str) and os.path.basename(file) == "conftest.py":  # noqa: PTH119 - text
            self._conftests.append(plugin)
            if self._host is not None:
                _bridge(plugin, self._host)

    @pytest.hookimpl
    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Have a marked test use the fixture that prepares its images."""
        if item.get_closest_marker("image") is not None:
            from pytest_images.plugin.marker import ask_for_fixture

            ask_for_fixture(item)

    # xdist: the controller makes the run id, workers send back what they counted.

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a new worker the id of the run."""
        from pytest_images.plugin.workers import Workers

        node.workerinput[WIRE] = self.run
        self._workers = self._workers or Workers()
        self._workers.begun += 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker counted."""
        if self._workers is not None:
            self._workers.farewell(getattr(node, "workeroutput", None), WIRE)

    # The end.

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """End the run when fixtures are torn down and workers gone, before the summary."""
        try:
            return (yield)
        finally:
            self._end()

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        """End the run where the session could not."""
        self._end()

    def _end(self) -> None:
        """End this process's part, and with the last process the run. Safe when called twice."""
        host, self._host = self._host, None
        workers, self._workers = self._workers, None
        if host is None and (workers is None or not workers.may_have_used_images):
            return
        from pytest_images.plugin import ending

        if host is None:
            host = self._make_host()
        if self._is_worker:
            output = ending.end_worker(host, self._report)
            self._config.workeroutput[WIRE] = output  # type: ignore[attr-defined] # xdist's
        else:
            self._locked = ending.locked(host, workers)
            self._trouble = ending.end_run(host, self._report, workers)

    # What the user sees.

    @pytest.hookimpl
    def pytest_report_header(self) -> str | None:
        """Show the settings that were chosen."""
        return f"images: {self._settings}" if str(self._settings) else None

    @pytest.hookimpl
    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> str | None:
        """Show the run where a collected test uses images."""
        if self._config.get_verbosity() < 0 or not any(map(_uses, items)):
            return None
        return f"images: engine {self._settings.engine or 'embedded'}, run {self.run}"

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what the run did, and what could not be cleaned."""
        counts = "" if self._report is None else str(self._report.counts)
        if counts:
            terminalreporter.write_line(f"images: {counts}")
        for name, change in sorted(self._locked.items()):
            terminalreporter.write_line(f"images.lock: {name}: {change}")
        if self._trouble:
            terminalreporter.write_line(f"images: not cleaned: {self._trouble}", red=True)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show errors of ours without the lines of ours, unless ``--full-trace``; builds' logs."""
        text = None
        log = getattr(call.excinfo.value, "log", "") if call.excinfo is not None else ""
        if call.excinfo is not None and self._host is not None:
            from pytest_images.plugin.tracebacks import shorten

            text = None if self._config.getoption("fulltrace") else shorten(call)
        report = yield
        if text is not None:
            report.longrepr = text
        if log and self._host is not None and _is_ours(call):
            report.sections.append(("Log of the image's build", log))
        return report


def _is_ours(call: pytest.CallInfo[None]) -> bool:
    from pytest_images.errors import ImagesError

    return call.excinfo is not None and isinstance(call.excinfo.value, ImagesError)


def _uses(item: pytest.Item) -> bool:
    """Say whether a test asks for `images`, ours and not another fixture of that name."""
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    found: Sequence[pytest.FixtureDef[Any]] = definitions.get("images", ())
    return bool(found) and found[-1].func.__module__.startswith("pytest_images.")


def _bridge(module: Any, host: Host) -> None:
    """Register a conftest module under its file: module names collide."""
    __tracebackhide__ = True
    if any(host.manager.implementations(module)):
        file = os.path.realpath(module.__file__)
        host.register(module, file, below=os.path.dirname(file))  # noqa: PTH120 - text
