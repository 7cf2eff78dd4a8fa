"""Finding and starting a server, and what is said if that fails."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest

import halfopen
from halfopen import CallError, Server, ServerNotFoundError, ServerUnavailableError, Session, VersionMismatchError, servers


def test_a_server_starts_and_ends() -> None:
    with Server.start() as server:
        assert server.version == halfopen.__version__
        server.check()
        with Session(server=server) as session:
            assert session.hosts == {"client": ("10.0.0.1",), "server": ("10.0.0.2",)}
    with pytest.raises(ServerUnavailableError, match="cannot reach the server at http://127"):
        Session(server=server)


def test_a_server_that_stops_is_an_error() -> None:
    server = Server.start()
    session = Session(server=server)
    server.close()
    with pytest.raises(ServerUnavailableError):
        session.advance(1)
    session.close()


def test_a_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ServerNotFoundError, match="'no-such-program' is not a program"):
        Server.start("no-such-program")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HALFOPEN_BINARY", raising=False)
    with pytest.raises(ServerNotFoundError, match="set HALFOPEN_BINARY to its path"):
        Server.start()


def test_a_program_that_is_not_a_server_is_refused(tmp_path: Path) -> None:
    program = tmp_path / "halfopend"
    program.write_text("#!/bin/sh\necho hello\nexit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(ServerUnavailableError, match="did not start: it ended with status 3"):
        Server.start(program)


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server.start() as server:
        monkeypatch.setattr("halfopen.servers.__version__", "0.0.9")
        with pytest.raises(VersionMismatchError, match=r"is halfopen .* this package is halfopen 0\.0\.9"):
            server.check()


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", b""])
def test_an_answer_that_is_not_grpc_web_is_refused(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(ServerUnavailableError, match="is gone: it "):
            server.check()
        thread.join()
        server.close()


def test_a_shared_server_and_its_token() -> None:
    with Server.start() as server, Server(server.url, token="not needed") as other, Session(server=other) as session:
        assert session.own_hosts == ("client", "server")
    for url in ("ftp://server", "nonsense://", "http://server:port"):
        with pytest.raises(ServerUnavailableError, match="is not the address of a server"):
            Server(url)


def test_mistakes_in_a_scenario_have_their_places() -> None:
    with pytest.raises(CallError) as caught:
        Session("scenario: wrong\nhosts: {client: {}, server: {tpc: {}}}\n")
    assert (caught.value.code, caught.value.reason) == ("INVALID_ARGUMENT", "SCENARIO_INVALID")
    assert "did you mean `tcp`?" in str(caught.value)
    assert [mistake.path for mistake in caught.value.mistakes] == ["hosts.server.tpc"]
    with pytest.raises(CallError, match="no-such-scenario"):
        Session("no-such-scenario")


def test_a_token_is_sent() -> None:
    command = [*servers._command(None), "--listen", "127.0.0.1:0", "--exit-with-stdin", "--token", "0123456789abcdef"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = f"http://{json.loads(process.stdout.readline())['listening']}"
        with Server(url, token="0123456789abcdef") as server:
            server.check()
        with Server(url, token="wrong") as server, pytest.raises(CallError) as caught:
            server.check()
        assert (caught.value.code, caught.value.reason) == ("UNAUTHENTICATED", "TOKEN_WRONG")
        process.communicate()
