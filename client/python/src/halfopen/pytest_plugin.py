"""The pytest plugin: fixtures, tests on the event loop, scenarios as tests, and reports of failures."""

from __future__ import annotations

import asyncio
import functools
import inspect
import shlex
from collections.abc import Coroutine, Generator, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from . import aio
from . import session as sessions
from ._time import text
from .errors import BrokenExpectationError, CallError, HalfopenError
from .rendering import ROWS
from .runs import run
from .servers import Server, server
from .session import TWO_HOSTS, Export, Session
from .v1 import scenario_pb2

#: Files whose names end like this are collected as tests.
SUFFIX = ".halfopen.yaml"
#: The sessions of a test, by id.
SESSIONS = pytest.StashKey[dict[str, "_Watched"]]()
#: The names of the files in the report.
STEMS = pytest.StashKey[set[str]]()
#: The most characters of the name of a file in the report. File systems allow 255 bytes.
STEM = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("halfopen")
    group.addoption(
        "--halfopen-report", metavar="FOLDER", type=Path, help="write a page and a scenario for each session of a failed test"
    )


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--halfopen-report")
    if folder and folder.exists() and not folder.is_dir():
        raise pytest.UsageError(f"--halfopen-report: {folder} is not a folder")
    config.stash[STEMS] = set()
    config.addinivalue_line(
        "markers",
        "halfopen(scenario=..., seed=..., variant=..., profile=...): sets the scenario of `halfopen_session`, "
        "and runs an async test on the event loop of that session",
    )


@pytest.fixture(scope="session")
def halfopen_server() -> Server:
    """The server of this process: the one at HALFOPEN_SERVER, or one that is started."""
    return server()


@pytest.fixture
def halfopen_session(request: pytest.FixtureRequest, halfopen_server: Server) -> Iterator[Session]:
    """A session of the scenario in the marker `halfopen`; by default with two hosts, `client` and `server`."""
    marker = request.node.get_closest_marker("halfopen")
    options: dict[str, Any] = dict(marker.kwargs) if marker else {}
    scenario = marker.args[0] if marker and marker.args else options.pop("scenario", TWO_HOSTS)
    running = server() if halfopen_server.has_ended else halfopen_server
    with Session(scenario, server=running, **options) as session:
        yield session


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives each test with the marker a session, whether it asks for one or not."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("halfopen") and "halfopen_session" not in item.fixturenames:
        item.fixturenames.append("halfopen_session")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Notes the sessions that a test creates."""
    watched = item.stash.setdefault(SESSIONS, {})

    def note(session: Session) -> None:
        # Several participants in one process see the same.
        known = watched.setdefault(session.id, _Watched(session, bool(item.config.getoption("--halfopen-report"))))
        session._on_error = known.look

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "on_create", note)
        try:
            return (yield)
        finally:
            # The reports are written, and a test that is repeated begins anew.
            watched.clear()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Runs an async test with the marker on the event loop of its session.

    To other plugins it is no longer async: they would run it on a loop of their own, as pytest-asyncio does in its mode `auto`.
    """
    if (
        not isinstance(item, pytest.Function)
        or not item.get_closest_marker("halfopen")
        or not inspect.iscoroutinefunction(item.obj)
    ):
        return (yield)
    function = item.obj
    session = cast(Session, item.funcargs["halfopen_session"])

    @functools.wraps(function)
    def on_the_loop(**arguments: Any) -> None:
        __tracebackhide__ = True
        aio.run(watched(function(**arguments)), session)

    async def watched(test: Coroutine[Any, Any, None]) -> None:
        __tracebackhide__ = True
        try:
            await test
        except (Exception, asyncio.CancelledError, pytest.fail.Exception):
            # The end of the loop closes its connections, which the test did not do.
            item.stash[SESSIONS][session.id].look()
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item, "obj", on_the_loop)
        # Their items have a method of their own.
        patch.setattr(item, "runtest", functools.partial(pytest.Function.runtest, item), raising=False)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds what happened in the sessions of a failed test."""
    report = yield
    if call.when == "call" and report.failed:
        for watched in item.stash.get(SESSIONS, {}).values():
            watched.look()
            happened = watched.happened
            if folder := item.config.getoption("--halfopen-report"):
                happened += watched.report(folder, _stem(item))
            report.sections.append((f"halfopen session at {watched.time}", happened))
    return report


class _Watched:
    """A session of a test, as it was when the test failed."""

    def __init__(self, session: Session, is_reported: bool) -> None:
        self._session = session
        self._is_reported = is_reported
        self._has_looked = False
        self.time = ""
        #: The picture, or why there is none.
        self.happened = ""
        self._page: str | None = None
        self._exported: Export | CallError | None = None

    def look(self) -> None:
        """Takes the picture, if that was not done before."""
        if self._has_looked:
            return
        self._has_looked, self.time = True, text(self._session._now)
        try:
            self.happened = self._session.render(rows=ROWS)
            if self._is_reported:
                self._page = self._session.render("html")
                self._exported = self._export()
        except HalfopenError as error:
            self.happened = f"{error}\n"

    def _export(self) -> Export | CallError:
        try:
            return self._session.export()
        except CallError as error:
            return error

    def report(self, folder: Path, stem: str) -> str:
        """Writes what happened as a page, and as a scenario; returns what repeats it."""
        if self._page is None:
            return ""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{stem}.html").write_text(self._page, encoding="utf-8")
            if not isinstance(self._exported, Export):
                return f"\nno scenario repeats it: {self._exported}\n"
            path = folder / f"{stem}.yaml"
            path.write_text(self._exported.yaml, encoding="utf-8")
        except OSError as error:
            return f"\nno report: {error}\n"
        return f"\nrepeat it with: halfopen run {shlex.quote(str(path))} --seed {self._exported.seed}\n"


def _stem(item: pytest.Item) -> str:
    """The name of the files of a session of a test, without a suffix. Each name is used once."""
    used = item.config.stash[STEMS]
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in item.nodeid)[:STEM]
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    stem = next(name for name in names if name not in used)
    used.add(stem)
    return stem


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects scenarios as tests."""
    return ScenarioFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


class ScenarioFile(pytest.File):
    """A scenario, with one test for each variant."""

    def collect(self) -> Iterable[pytest.Item]:
        request = scenario_pb2.ValidateScenarioRequest(yaml=self.path.read_text(encoding="utf-8"), file=self.path.name)
        response = server().call("ScenarioService/ValidateScenario", request, scenario_pb2.ValidateScenarioResponse)
        if response.diagnostics:
            raise self.CollectError("\n".join(mistake.rendered for mistake in response.diagnostics))
        for variant in response.variants or [""]:
            yield ScenarioItem.from_parent(self, name=variant or self.path.name.removesuffix(SUFFIX), variant=variant)


class ScenarioItem(pytest.Item):
    """A variant of a scenario."""

    def __init__(self, *, variant: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.variant = variant

    def runtest(self) -> None:
        run(self.path, variant=self.variant).assert_passed()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, BrokenExpectationError | HalfopenError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
