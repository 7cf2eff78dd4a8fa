"""Runs dead-client against halfopend as a program in another language does: with stubs generated from proto/.

usage: dead_client.py HALFOPEND PROTO_DIRECTORY
"""

import importlib.resources
import json
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import grpc
from grpc_tools import protoc


def generate(proto: str, out: str) -> None:
    """Generates the stubs for every file of the package into a directory that can be imported from."""
    names = sorted(str(file.relative_to(proto)) for file in Path(proto).glob("halfopen/v1/*.proto"))
    well_known = str(importlib.resources.files("grpc_tools") / "_proto")
    code = protoc.main(["", f"-I{proto}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", *names])
    assert code == 0, f"protoc failed: {code}"
    sys.path.insert(0, out)


def spelled(state: int) -> str:
    """A state as RFC 9293 spells it."""
    from halfopen.v1 import tcp_pb2

    return tcp_pb2.TcpState.Name(state).removeprefix("TCP_STATE_").replace("_", "-")


def path(events: list, host: str) -> list[str]:
    """The states the host's end of the first connection went through. Listeners have connection 0."""
    of_host = [event for event in events if event.host == host and event.connection == 1]
    transitions = [event.state_transition for event in of_host if event.WhichOneof("kind") == "state_transition"]
    assert transitions, f"{host} has no transitions"
    for before, after in zip(transitions, transitions[1:]):
        assert before.after == after.before, "each transition begins where the one before ended"
    return [spelled(transitions[0].before), *(spelled(transition.after) for transition in transitions)]


def check(channel: grpc.Channel) -> None:
    """Runs dead-client and holds the outcome to what RFC 9293 section 3.8.4 and the scenario's numbers say."""
    from halfopen.v1 import network_pb2, run_pb2, run_pb2_grpc, scenario_pb2, scenario_pb2_grpc, verdict_pb2

    scenarios = scenario_pb2_grpc.ScenarioServiceStub(channel)
    names = [s.name for s in scenarios.ListScenarios(scenario_pb2.ListScenariosRequest()).scenarios]
    assert "dead-client" in names, names

    runs = run_pb2_grpc.RunServiceStub(channel)
    stream = runs.ExecuteRun(run_pb2.ExecuteRunRequest(name="dead-client"), timeout=60)
    events = [event for message in stream for event in message.events]

    assert [event.sequence for event in events] == list(range(1, len(events) + 1)), "sequence numbers are dense"
    times = [event.time.ToTimedelta() for event in events]
    assert times == sorted(times), "time does not go back"

    assert path(events, "server") == ["LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSED"]
    assert path(events, "client") == ["CLOSED", "SYN-SENT", "ESTABLISHED"], "it never knew that it died"

    outcomes = [e for e in events if e.host == "server" and e.WhichOneof("kind") == "keepalive_outcome"]
    probing, (dead,) = outcomes[:-1], outcomes[-1:]
    assert [e.keepalive_outcome.verdict for e in probing] == [verdict_pb2.KEEPALIVE_VERDICT_PROBING] * 10
    assert [e.keepalive_outcome.probes for e in probing] == list(range(1, 11))
    gaps = {b.time.ToTimedelta() - a.time.ToTimedelta() for a, b in zip(probing, probing[1:])}
    assert gaps == {timedelta(seconds=75)}, gaps
    assert dead.keepalive_outcome.verdict == verdict_pb2.KEEPALIVE_VERDICT_DEAD
    assert dead.keepalive_outcome.probes == 10
    assert dead.keepalive_outcome.silence.ToTimedelta() == timedelta(hours=2, minutes=12, seconds=30)

    errors = [e.connection_error.errno for e in events if e.WhichOneof("kind") == "connection_error"]
    assert errors == ["ETIMEDOUT"], errors
    faults = [e.fault_applied for e in events if e.WhichOneof("kind") == "fault_applied"]
    assert [fault.kind for fault in faults] == [network_pb2.FAULT_KIND_POWER_LOSS], faults
    assert [fault.fault.path for fault in faults] == ["faults[0]"], faults

    finished = events[-1].run_finished
    assert finished.verdict == verdict_pb2.VERDICT_PASSED, finished
    assert finished.totals.events == len(events)
    assert finished.totals.expectations_failed == 0
    assert finished.totals.expectations_passed > 0

    again = [e for message in runs.ExecuteRun(run_pb2.ExecuteRunRequest(name="dead-client")) for e in message.events]
    assert again == events, "the same scenario and seed: the same events"

    try:
        list(runs.ExecuteRun(run_pb2.ExecuteRunRequest(yaml="scenario: [")))
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        assert any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata()), error
    else:
        raise AssertionError("a broken text is refused")

    print(f"{len(events)} events, {finished.totals.virtual_time.ToTimedelta()} of virtual time: passed")


def main() -> None:
    halfopend, proto = sys.argv[1:]
    with tempfile.TemporaryDirectory() as out:
        generate(proto, out)
        command = [halfopend, "--listen", "127.0.0.1:0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                address = json.loads(server.stdout.readline())["listening"]
                with grpc.insecure_channel(address) as channel:
                    check(channel)
            finally:
                server.terminate()
        assert server.returncode == 0, server.returncode


if __name__ == "__main__":
    main()
