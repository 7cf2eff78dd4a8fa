"""The plugin, in a pytest of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

import halfopen

pytest_plugins = ["pytester"]

VARIANTS = """\
scenario: variants
hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, receive: 5 B, close]
  client: [connect: server:80, send: 5 B, close]
expect:
  - client: {ends: CLOSED}
variants:
  near: {network: {latency: 1ms}}
  far:
    network: {latency: 100ms}
    expect: [{client: {ends: FIN-WAIT-1}}]
"""


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """Runs pytest, with as little as possible of what the plugins of others remember and warn of."""
    quiet = ["-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function"]
    return pytester.runpytest_inprocess(*quiet, *options)


def test_async_tests_run_on_the_loop(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import asyncio
        import pytest

        @pytest.fixture
        def hour():
            return 3600

        @pytest.mark.halfopen
        async def test_sleep(hour, halfopen_session):
            await asyncio.sleep(hour)
            assert halfopen_session.clock.total_seconds() == 3600

        @pytest.mark.halfopen({"scenario": "s", "hosts": {"one": {}}}, seed=3)
        async def test_scenario():
            assert asyncio.get_running_loop().session.own_hosts == ("one",)

        def test_sockets(halfopen_session):
            halfopen_session.advance(5)
    """)
    run(pytester).assert_outcomes(passed=3)


@pytest.mark.parametrize("plugin", ["asyncio", "anyio"])
def test_other_plugins_leave_async_tests_with_the_marker_alone(pytester: pytest.Pytester, plugin: str) -> None:
    pytester.makepyfile("""
        import asyncio
        import pytest
        from halfopen.aio import EventLoop

        @pytest.mark.halfopen
        async def test_function(halfopen_session):
            assert isinstance(asyncio.get_running_loop(), EventLoop)
            await asyncio.sleep(3600)
            assert halfopen_session.clock.total_seconds() == 3600

        @pytest.mark.halfopen
        class TestClass:
            async def test_method(self):
                assert isinstance(asyncio.get_running_loop(), EventLoop)

        async def test_other():
            assert not isinstance(asyncio.get_running_loop(), EventLoop)
    """)
    run(pytester, "-o", f"{plugin}_mode=auto").assert_outcomes(passed=3)


def test_a_failed_test_shows_what_happened(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_hangs(halfopen_session):
            listener = halfopen_session.listen("server", 80)
            client = halfopen_session.connect("client", "server:80")
            client.recv(1)
    """)
    result = run(pytester, "--halfopen-report", "reports")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*IdleError: nothing can happen any more at *, but code still waits: recv() on client *",
            "*- halfopen session at 3ms -*",
            "*ESTABLISHED ┃◀─ * SYN+ACK seq=0 ack=1 *",
        ]
    )
    page, scenario = sorted((pytester.path / "reports").iterdir())
    assert (page.suffix, scenario.suffix) == (".html", ".yaml")
    assert "ESTABLISHED" in page.read_text(encoding="utf-8")
    result.stdout.fnmatch_lines([f"repeat it with: halfopen run reports/{scenario.name} --seed 1"])
    assert halfopen.run(scenario).client.states == ("CLOSED", "SYN-SENT", "ESTABLISHED")


def test_what_a_test_creates_is_shown_as_it_was_when_it_failed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import asyncio
        import halfopen
        import pytest
        from halfopen import aio

        def test_own_session():
            with halfopen.Session() as session:
                session.listen("server", 81)
                raise ZeroDivisionError

        def test_open_session():
            halfopen.Session().listen("server", 82)
            raise ZeroDivisionError

        @pytest.mark.halfopen
        async def test_loop():
            with aio.host("server"):
                await asyncio.start_server(lambda *_: None, port=83)
            with aio.host("client"):
                connection = await asyncio.open_connection("server", 83)
            await asyncio.sleep(5)
            raise ZeroDivisionError

        def test_passes():
            with pytest.raises(ZeroDivisionError), halfopen.Session() as session:
                session.listen("server", 84)
                raise ZeroDivisionError
    """)
    result = run(pytester, "--halfopen-report", "reports")
    result.assert_outcomes(failed=3, passed=1)
    output = result.stdout.str()
    assert output.count("halfopen session at 0s") == 2
    assert output.count("halfopen session at 5.002s") == 1
    assert output.count("LISTEN") == 3
    assert "FIN" not in output, "the test closed nothing"
    pages = [path.name.partition("__")[2] for path in sorted((pytester.path / "reports").iterdir())]
    assert pages == [f"test_{test}.{kind}" for test in ("loop", "open_session", "own_session") for kind in ("html", "yaml")]


def test_each_session_has_a_report_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import halfopen
        import pytest

        @pytest.mark.parametrize("name", ["a/b", "a_b", "y" * 300, "y" * 299])
        def test_same(name, halfopen_session):
            halfopen.Session().advance(1)
            assert False
    """)
    result = run(pytester, "--halfopen-report", "reports")
    result.assert_outcomes(failed=4)
    assert len(list((pytester.path / "reports").glob("*.html"))) == 8


def test_a_report_needs_a_folder(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("file").touch()
    pytester.makepyfile("def test_fails(halfopen_session): assert False")
    result = run(pytester, "--halfopen-report", "file")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --halfopen-report: file is not a folder"])
    result = run(pytester, "--halfopen-report", "file/folder")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["no report: *Not a directory*"])


def readme_example() -> str:
    text = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    return text.split("```python\n")[1].split("```")[0]


def test_the_example_of_the_readme_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(readme_example())
    run(pytester).assert_outcomes(passed=1)


def test_the_example_of_the_readme_fails_if_the_server_lives(pytester: pytest.Pytester) -> None:
    lines = [line for line in readme_example().splitlines() if "inject" not in line]
    pytester.makepyfile("\n".join(lines))
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*DID NOT RAISE*TimeoutError*"])


def test_scenarios_are_tests(pytester: pytest.Pytester) -> None:
    Path(pytester.path, "test.halfopen.yaml").write_text(VARIANTS)
    result = run(pytester, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "test.halfopen.yaml::near PASSED*",
            "test.halfopen.yaml::far FAILED*",
            "✗ client: {ends: FIN-WAIT-1}*",
            "repeat it with: halfopen run *test.halfopen.yaml/far --seed 1*",
        ]
    )


def test_mistakes_in_a_scenario_are_shown_in_its_text(pytester: pytest.Pytester) -> None:
    Path(pytester.path, "test.halfopen.yaml").write_text("scenario: wrong\nhosts: {client: {tpc: {}}}\n")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test.halfopen.yaml:2:*", "*did you mean `tcp`?*"])
