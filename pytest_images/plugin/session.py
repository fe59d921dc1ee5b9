"""What one pytest process keeps: its host, made at the first use, and the end of its run."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_images.plugin.ahead import Ahead, uses
from pytest_images.plugin.interrupts import Interrupts, delayed
from pytest_images.plugin.owners import Owners
from pytest_images.plugin.places import Places
from pytest_images.plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pytest_images.host.host import Host
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.plugin.ending import Ended
    from pytest_images.plugin.live import Live
    from pytest_images.plugin.needs import Need
    from pytest_images.plugin.workers import Workers
    from pytest_images.policies.journal import Deed
    from pytest_images.policies.report import Report

NAME = "images-session"
WIRE = "pytest_images"  # our key in what xdist sends to and from its workers
USED = "uses_images"  # of the report of a test: its process uses them
LIVE = "pytest_images_live"  # the key of the channel that live progress takes


def register(config: pytest.Config) -> None:
    """Give *config* its session; conftest files that are there already are told to it."""
    places, owners = Places(str(config.rootpath)), Owners()
    session = Session(config, places, owners)
    config.pluginmanager.register(places, "images-places")
    config.pluginmanager.register(owners, "images-owners")
    config.pluginmanager.register(session, NAME)
    config.pluginmanager.register(session.ahead, "images-ahead")


def session_of(config: pytest.Config) -> Session:
    """Return the session of *config*."""
    return cast("Session", config.pluginmanager.get_plugin(NAME))


class Session:
    """A pytest plugin, one a process. A worker of xdist has its controller's run id."""

    def __init__(self, config: pytest.Config, places: Places, owners: Owners) -> None:
        self._config, self._places, self._owners = config, places, owners
        self._settings = Settings(config)
        self.ahead = Ahead(config, self._settings, self.host)
        self._is_worker = hasattr(config, "workerinput")
        # Random, so that no two runs share what they make; all processes of one share it.
        self.run: str = getattr(config, "workerinput", {}).get(WIRE) or os.urandom(6).hex()
        self._workers: Workers | None = None
        self._conftests: list[Any] = []
        self._host: Host | None = None
        self._report: Report | None = None
        self._live: Live | None = None
        self._interrupts = Interrupts()
        self._failed: set[str] = set()  # names of images that failed tests used
        self._ended: Ended | None = None

    # The host.

    def door(self) -> Images:
        """Return the door. Raises what `host` raises."""
        __tracebackhide__ = True
        return self.host().images

    def host(self) -> Host:
        """Return the host, made at the first call. Raises InvalidUsage, HookError.

        A method: older versions of pytest read every property of a plugin, looking for fixtures.
        """
        __tracebackhide__ = True
        if self._host is None:
            with delayed():
                host = self._make_host()
                for module in sorted(self._conftests, key=lambda module: len(module.__file__)):
                    _bridge(module, host)
                self._host = host
        return self._host

    def _make_host(self) -> Host:
        from pytest_images.plugin.hosting import make_host
        from pytest_images.policies.report import Report

        self._report = self._report or Report(self._whose)
        watchers = [] if self._settings.plan else [self._report, *self._watchers()]
        root = self._config.rootpath
        return make_host(self._settings, root, self.run, self._places.current, watchers)

    def _watchers(self) -> Iterator[object]:
        """Give what shows live progress, where somebody watches this process or its controller."""
        from pytest_images.plugin import live
        from pytest_images.policies.watch import Watch

        channel = getattr(self._config, "workerinput", {}).get(LIVE)
        if channel is not None:
            yield Watch(lambda key, text: live.send(channel, key, text))
        elif not self._is_worker and self._live is None:
            shown = self._live = live.live_of(self._config, is_begun=self._owners.is_somebody())
            if shown is not None:
                yield Watch(lambda key, text: shown.show("", key, text))

    def _whose(self) -> str:
        """Say for whom this thread does something; what is fetched ahead is everybody's."""
        return "" if self.ahead.is_this_thread() else self._owners.current()

    def prepare(self, need: Need) -> Image:
        """Return the image of a need, brought here once a run; see `needs.prepared`."""
        __tracebackhide__ = True
        from pytest_images.plugin.needs import prepared

        host, need = self.host(), need.under(self._settings.policy)
        self.ahead.make_way(need.key)
        return prepared(host, host.images.at(need.place), need)

    def once(self, key: str, make: Callable[[], Image]) -> Image:
        """Return what *make* gives in the first process of the run that wants *key*.

        A failure is told to every process of the run once.
        """
        __tracebackhide__ = True
        from pytest_images.plugin.needs import made_once

        host = self.host()
        return made_once(host, host.images, key, make)

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
        self._show_live(node)
        self._workers = self._workers or Workers()
        self._workers.begun += 1

    def _show_live(self, node: Any) -> None:
        """Give a worker a channel for what it is at, where somebody watches."""
        from pytest_images.plugin import live

        if self._workers is None:
            self._live = live.live_of(self._config, is_begun=False)
        if self._live is not None:
            node.workerinput[LIVE] = live.listen(self._live, node.gateway)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker counted."""
        if self._workers is not None:
            self._workers.farewell(getattr(node, "workeroutput", None), WIRE)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take part in the run with the first worker that does: it lives when they have gone."""
        workers = self._workers
        if workers is not None and workers.presence is None and getattr(report, USED, False):
            from pytest_images.errors import ImagesError
            from pytest_images.plugin.hosting import take_part

            with delayed(), suppress(ImagesError):  # the end tries again, and tells
                workers.presence = take_part(self._settings, self.run)

    # The end.

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """End the run when fixtures are torn down and workers gone, before the summary.

        An interrupt of either ends with the summary too.
        """
        try:
            return (yield)
        except KeyboardInterrupt:
            if not self._is_used:
                raise
            session.exitstatus = pytest.ExitCode.INTERRUPTED
            return None
        finally:
            if self._end_held():
                session.exitstatus = pytest.ExitCode.INTERRUPTED

    @pytest.hookimpl
    def pytest_unconfigure(self) -> None:
        """End the run where the session could not."""
        self._end_held()

    @property
    def _is_used(self) -> bool:
        workers = self._workers
        return self._host is not None or (workers is not None and workers.may_have_used_images)

    def _end_held(self) -> bool:
        """End the run; say whether that was interrupted."""
        try:
            self._interrupts.hold()
            self._end()
        except KeyboardInterrupt:
            self._interrupts.release()
            return True
        return self._interrupts.release()

    def _end(self) -> None:
        """End this process's part, and with the last process the run. Safe when called twice."""
        if self._live is not None:
            self._live.close()
        self.ahead.stop()
        host, self._host = self._host, None
        workers, self._workers = self._workers, None
        if host is None and (workers is None or not workers.may_have_used_images):
            return
        from pytest_images.plugin import ending

        if host is None:
            host = self._make_host()
        if self._is_worker:
            output = ending.end_worker(host, self._report, self._failed)
            self._config.workeroutput[WIRE] = output  # type: ignore[attr-defined] # xdist's
        else:
            keep = self._settings.keep
            self._ended = ending.end_run(host, self._report, workers, keep, self._failed)
            if workers is not None:
                workers.leave()
                self._add_logs_of_others(self._ended.deeds)

    def _add_logs_of_others(self, deeds: list[Deed]) -> None:
        from pytest_images.plugin.failures import add_logs_of_others

        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            stats = reporter.stats
            add_logs_of_others([*stats.get("failed", ()), *stats.get("error", ())], deeds)

    # What the user sees.

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Name the user's line that was interrupted, not one of ours; the end comes whole."""
        if not self._is_used:
            return
        self._interrupts.hold()
        if not self._config.getoption("fulltrace"):
            from pytest_images.plugin.tracebacks import interrupted

            interrupted(excinfo)

    @pytest.hookimpl
    def pytest_report_header(self) -> str | None:
        """Show the settings that were chosen."""
        return f"images: {self._settings}" if str(self._settings) else None

    @pytest.hookimpl
    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> str | None:
        """Show the run where a collected test uses images."""
        if self._config.get_verbosity() < 0 or not any(map(uses, items)):
            return None
        return f"images: engine {self._settings.engine or 'embedded'}, run {self.run}"

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what the run did, and what could not be cleaned."""
        if self._ended is not None:
            from pytest_images.plugin.telling import tell

            tell(terminalreporter, self._ended, self._settings, self.run)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show errors of ours without the lines of ours, and with the logs behind them."""
        if self._report is None and not _is_ours(call):
            return (yield)
        from pytest_images.plugin import failures

        deeds = failures.deeds(item, call, self._report)
        text = failures.show(call, self._settings, whole=self._config.getoption("fulltrace"))
        report = yield
        setattr(report, USED, True)
        if text is not None:
            report.longrepr = text
        if report.failed:
            report.sections += failures.sections(deeds, call, text)
            self._failed |= failures.names(deeds)
        return report


def _is_ours(call: pytest.CallInfo[None]) -> bool:
    """Say whether a test failed by an error of ours, which a marker can have without a host."""
    if call.excinfo is None or "pytest_images.errors" not in sys.modules:
        return False
    from pytest_images.errors import ImagesError

    return isinstance(call.excinfo.value, ImagesError)


def _bridge(module: Any, host: Host) -> None:
    """Register a conftest module under its file: module names collide."""
    __tracebackhide__ = True
    if any(host.manager.implementations(module)):
        file = os.path.realpath(module.__file__)
        host.register(module, file, below=os.path.dirname(file))  # noqa: PTH120 - text
