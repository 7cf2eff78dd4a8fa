"""Whole scenarios: their runs, selectors, and what is said of one that did not pass."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import halfopen
from halfopen import BrokenExpectationError, CallError

BROKEN = """\
scenario: broken
hosts: {client: {}, server: {}}
network: {latency: 20ms}
applications:
  server: [listen: 80, accept, receive: 5 B, close]
  client: [connect: server:80, send: 5 B, close]
faults:
  - {drop: {flags: FIN, from: client}, first: 1}
expect:
  - segments: {from: client, flags: FIN}
    count: 1
  - client: {ends: CLOSED}
"""


def test_a_bundled_scenario_passes() -> None:
    run = halfopen.run("dropped-fin")
    run.assert_passed()
    assert run.passed
    assert run.hosts == ("client", "server")
    assert [segment.retransmission for segment in run.segments("FIN", sender="client")] == [False, True]
    assert [segment.lost for segment in run.segments("FIN", sender="client")] == [True, False]
    assert run.client.states[:3] == ("CLOSED", "SYN-SENT", "ESTABLISHED")
    assert run.virtual_time > timedelta(minutes=1)
    assert len(run.expectations) == 8
    assert all(expectation.passed for expectation in run.expectations)


def test_keepalive_and_errors() -> None:
    run = halfopen.run("dead-client")
    assert [outcome.verdict for outcome in run.server.keepalive][-1] == "dead"
    assert run.server.keepalive[-1].probes == 10
    assert run.server.error == "ETIMEDOUT"
    assert run.segments(sender="server", purpose="keepalive probe")


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN)
    run = halfopen.run(path, seed=3)
    with pytest.raises(BrokenExpectationError) as caught:
        run.assert_passed()
    message = str(caught.value)
    assert "✗ segments: {from: client, flags: FIN}, count: 1\n    expected  1 segment\n    actual    2 segments" in message
    assert "FIN+ACK seq=6 ack=1 ─✗ fault 1: drop" in message
    assert f"repeat it with: halfopen run {path} --seed 3" in message
    assert "server acknowledged client's FIN: TIME-WAIT" in run.render("explanation")
    assert run.render("svg").startswith("<svg")


def test_a_text_in_one_line_has_no_file_to_repeat() -> None:
    steps = "applications: {server: [listen: 80, accept], client: [connect: server:80]}"
    run = halfopen.run(
        f"{{scenario: one, hosts: {{client: {{}}, server: {{}}}}, {steps}, expect: [{{segments: {{flags: SYN}}, count: 9}}]}}"
    )
    with pytest.raises(BrokenExpectationError) as caught:
        run.assert_passed()
    assert "repeat it with" not in str(caught.value)


def test_a_picture_has_the_rows_that_are_asked_for() -> None:
    run = halfopen.run("dead-client")
    whole = run.render()
    assert len(run.render(rows=5).splitlines()) < len(whole.splitlines())
    assert run.render() == whole


def test_what_is_not_there_is_named() -> None:
    run = halfopen.run("dropped-fin")
    with pytest.raises(AttributeError, match="no host 'proxy'; there are: client, server"):
        _ = run.proxy
    with pytest.raises(ValueError, match="no flag FYN; there are SYN, FIN, RST"):
        run.segments("FYN")
    with pytest.raises(LookupError, match="no connections called 'pool'"):
        run.client.connection("pool")
    with pytest.raises(CallError):
        halfopen.run("no-such-scenario")
