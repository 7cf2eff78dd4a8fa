"""Finding and starting a server, and what is said if that fails."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme

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


#: What answers, and what is said about it.
NO_SERVERS = {
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", "there is no halfopen server at .* does not speak HTTP/1.1"),
    "a web server": (
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        "there is no halfopen server at .* answered with HTTP status 404 and does not speak gRPC-Web",
    ),
    "TLS": (b"\x15\x03\x01\0\2\2\x46", "does not speak HTTP/1.1; if it speaks TLS, write https://"),
    "nothing": (b"", "is gone: it closed the connection"),
}


@pytest.mark.parametrize(("answer", "said"), NO_SERVERS.values(), ids=NO_SERVERS)
def test_an_answer_that_is_not_grpc_web_is_refused(answer: bytes, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(ServerUnavailableError, match=said):
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


WRONG = {"scenario": "wrong", "hosts": {"client": {}, "server": {"tpc": {}}}}


def test_mistakes_in_a_document_have_their_paths() -> None:
    for call in (Session, halfopen.run):
        with pytest.raises(CallError, match=r"`hosts\.server\.tpc`: unknown key `tpc`; did you mean `tcp`\?"):
            call(WRONG)
    with Session() as session:
        with pytest.raises(CallError, match=r"^`faults\[0\]\.drop\.from`: no host is called `clinet`; did you mean `client`\?"):
            session.inject(drop={"from": "clinet"})
        with pytest.raises(CallError, match=r"^line 1, column 2: unknown key `dorp`"):
            session.inject("{dorp: FIN}")


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


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halfopen._rpc.PATIENCE", 0.2)
    refused = pytest.raises(ServerUnavailableError, match="does not answer: it has been silent for 0")
    with socket.create_server(("127.0.0.1", 0)) as silent, Server(f"http://127.0.0.1:{silent.getsockname()[1]}") as server, refused:
        server.check()
    with Server.start() as server:
        session = Session(server=server)
        assert server._process is not None
        os.kill(server._process.pid, signal.SIGSTOP)
        os.waitpid(server._process.pid, os.WUNTRACED)
        try:
            with pytest.raises(ServerUnavailableError, match="does not answer"):
                session.advance(1)
        finally:
            os.kill(server._process.pid, signal.SIGCONT)


def test_a_call_that_takes_long_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halfopen._rpc.PATIENCE", 0.5)
    with Session(participants=2) as session, ThreadPoolExecutor(1) as pool:
        other = Session.join(session.id, 2)
        advancing = pool.submit(session.advance, 7)
        time.sleep(1.2)
        assert not advancing.done()
        other.close()
        assert advancing.result(10).total_seconds() == 7


def test_a_server_that_died_is_said_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HALFOPEN_SERVER", raising=False)
    monkeypatch.setattr(servers, "_shared", {})
    first = servers.server()
    session = Session()
    assert first._process is not None
    first._process.kill()
    with pytest.raises(ServerUnavailableError, match=r"the server that this package started has ended \(signal 9\)"):
        session.advance(1)
    with Session() as session:
        assert session.advance(1).total_seconds() == 1
    servers.server().close()


INTERRUPTED = """
import os, signal, halfopen
# Who starts the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
session = halfopen.Session()
try:
    os.killpg(0, signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print(session.advance(1))
"""


def test_ctrl_c_leaves_the_server_to_its_process() -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "0:00:01\n"), done.stderr


def test_the_certificates_to_trust_can_be_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HALFOPEN_CA", "absent.pem")
    with pytest.raises(ServerUnavailableError, match=r"HALFOPEN_CA: absent\.pem: No such file or directory"):
        Server("https://127.0.0.1:7950")
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("not a certificate")
    with pytest.raises(ServerUnavailableError, match=r"^/.*: it has no certificate in PEM format"):
        Server("https://127.0.0.1:7950", ca=wrong)
    trusted = tmp_path / "ca.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("HALFOPEN_CA", str(trusted))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def serve() -> None:
            with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")

        served = pool.submit(serve)
        refused = pytest.raises(ServerUnavailableError, match="answered with HTTP status 404")
        with Server(f"https://127.0.0.1:{listener.getsockname()[1]}") as server, refused:
            server.check()
        served.result(10)
