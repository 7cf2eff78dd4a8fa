"""The pytest plugin: fixtures, tests on the event loop, scenarios as tests, and reports of failures."""

from __future__ import annotations

import functools
import inspect
import shlex
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from . import aio
from .errors import BrokenExpectationError, CallError, HalfopenError
from .rendering import ROWS
from .runs import run
from .servers import Server, server
from .session import TWO_HOSTS, Session
from .v1 import scenario_pb2

#: Files whose names end like this are collected as tests.
SUFFIX = ".halfopen.yaml"
SESSIONS = pytest.StashKey[list[Session]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("halfopen")
    group.addoption(
        "--halfopen-report", metavar="FOLDER", type=Path, help="write a page and a scenario for each session of a failed test"
    )


def pytest_configure(config: pytest.Config) -> None:
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
        request.node.stash.setdefault(SESSIONS, []).append(session)
        yield session


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives each test with the marker a session, whether it asks for one or not."""
    if isinstance(item, pytest.Function) and item.get_closest_marker("halfopen") and "halfopen_session" not in item.fixturenames:
        item.fixturenames.append("halfopen_session")


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
        aio.run(function(**arguments), session)

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
        for session in item.stash.get(SESSIONS, []):
            try:
                happened = session.render(rows=ROWS)
                if folder := item.config.getoption("--halfopen-report"):
                    happened += _report(folder, item.nodeid, session)
            except HalfopenError as error:
                happened = str(error)
            report.sections.append((f"halfopen session at {session.clock}", happened))
    return report


def _report(folder: Path, name: str, session: Session) -> str:
    """Writes what happened in a session as a page, and as a scenario; returns what repeats it."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
    (folder / f"{stem}.html").write_text(session.render("html"), encoding="utf-8")
    try:
        exported = session.export()
    except CallError as error:
        return f"\nno scenario repeats it: {error}\n"
    path = folder / f"{stem}.yaml"
    path.write_text(exported.yaml, encoding="utf-8")
    return f"\nrepeat it with: halfopen run {shlex.quote(str(path))} --seed {exported.seed}\n"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects scenarios as tests."""
    return ScenarioFile.from_parent(parent, path=file_path) if file_path.name.endswith(SUFFIX) else None


class ScenarioFile(pytest.File):
    """A scenario, with one test for each variant."""

    def collect(self) -> Iterable[pytest.Item]:
        text = self.path.read_text(encoding="utf-8")
        request = scenario_pb2.ValidateScenarioRequest(yaml=text, file=self.path.name)
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
