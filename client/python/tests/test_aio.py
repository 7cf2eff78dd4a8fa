"""The event loop: its time, its connections, and what it cannot do."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import types
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from halfopen import IdleError, Session, SessionOverError, aio
from halfopen.aio import EventLoop


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def connected() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with aio.host("server"):
        await asyncio.start_server(echo, port=7)
    with aio.host("client"):
        return await asyncio.open_connection("server", 7)


def test_sleeping_takes_no_time(session: Session) -> None:
    async def sleep() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(asyncio.sleep(7200), asyncio.sleep(0.3), asyncio.sleep(1.1))
        assert loop.time() == 7200
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 60)

    began = time.monotonic()
    aio.run(sleep(), session)
    assert session.clock == timedelta(seconds=7260)
    assert time.monotonic() - began < 30


def test_clocks_show_the_time_of_the_session(session: Session) -> None:
    pool: dict[str, Any] = {"__name__": "pool"}
    exec("from time import monotonic, time\nimport time as module\n", pool)
    sys.modules["pool"] = types.ModuleType("pool")
    vars(sys.modules["pool"]).update(pool)

    async def sleep() -> None:
        before = time.time_ns(), time.monotonic_ns()
        await asyncio.sleep(7200)
        assert time.monotonic() == asyncio.get_running_loop().time() == 7200
        assert (time.time_ns() - before[0], time.monotonic_ns() - before[1]) == (7200 * 10**9, 7200 * 10**9)
        assert sys.modules["pool"].monotonic is time.monotonic
        assert threading.Event().wait(0.01) is False, "threads wait in wall-clock time"

    real = time.monotonic, time.time
    began = time.time()
    try:
        aio.run(sleep(), session)
        assert (sys.modules["pool"].monotonic, sys.modules["pool"].time) == real == (time.monotonic, time.time)
    finally:
        del sys.modules["pool"]
    assert time.time() - began < 30


def test_the_loops_of_two_threads_have_their_own_clocks() -> None:
    real = time.monotonic
    both_run, first_is_over = threading.Barrier(2), threading.Event()

    async def sleep(seconds: float, is_first: bool) -> None:
        both_run.wait(10)
        await asyncio.sleep(seconds)
        if not is_first:
            assert first_is_over.wait(10)
        assert time.monotonic() == await asyncio.to_thread(lambda: time.monotonic()) == seconds

    def run(seconds: float, is_first: bool) -> None:
        with Session() as session:
            aio.run(sleep(seconds, is_first), session)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(run, 7200, True), pool.submit(run, 60, False)
        first.result(20)
        assert time.monotonic is not real, "the other loop runs"
        first_is_over.set()
        second.result(20)
    assert time.monotonic is real


def test_timers_fire_in_order_and_never_early(session: Session) -> None:
    fired: list[tuple[float, float]] = []

    async def wait() -> None:
        loop = asyncio.get_running_loop()

        def note(when: float) -> None:
            fired.append((when, loop.time()))

        for when in (0.3, 0.1 + 0.2, 0.1, 1e-9, 86_399.999, 0.7):
            loop.call_at(when, note, when)
        await asyncio.sleep(86_399.9999)

    aio.run(wait(), session)
    assert [when for when, _ in fired] == sorted(when for when, _ in fired)
    assert all(-1e-12 < at - when < 2e-9 for when, at in fired), fired


def test_a_conversation_takes_the_time_of_the_network(session: Session) -> None:
    async def talk() -> None:
        reader, writer = await connected()
        loop = asyncio.get_running_loop()
        assert loop.time() == pytest.approx(0.04)
        assert writer.get_extra_info("peername") == ("10.0.0.2", 7)
        began = loop.time()
        writer.write(b"x" * 300_000)
        assert await reader.readexactly(300_000) == b"x" * 300_000
        assert loop.time() > began + 0.04
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    aio.run(talk(), session)


def test_a_lost_connection_has_its_error(session: Session) -> None:
    async def talk() -> None:
        reader, writer = await connected()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        session.inject(power_loss="server")
        writer.write(b"is anybody there?")
        with pytest.raises(TimeoutError):
            await reader.read(1)
        assert asyncio.get_running_loop().time() > 900, "tcp_retries2"
        writer.close()

    aio.run(talk(), session)


def test_a_refused_connection_is_refused(session: Session) -> None:
    async def connect() -> None:
        with aio.host("client"):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("server", 9)
            with pytest.raises(socket.gaierror, match="'elsewhere'"):
                await asyncio.open_connection("elsewhere", 9)

    aio.run(connect(), session)


def test_code_that_would_wait_forever_fails_and_says_what_it_waits_for(session: Session) -> None:
    async def wait_for_an_answer() -> None:
        reader, writer = await connected()
        writer.write(b"")
        await reader.readexactly(1)

    with pytest.raises(IdleError) as caught:
        aio.run(wait_for_an_answer(), session)
    message = str(caught.value)
    assert "nothing can happen any more at 60ms, but 2 tasks still wait" in message
    assert "wait_for_an_answer(): await reader.readexactly(1)" in message
    assert "client 10.0.0.1:32768 -> 10.0.0.2:7 (ESTABLISHED)" in message


def test_a_task_that_would_wait_forever_is_cancelled_and_can_clean_up(session: Session) -> None:
    cleaned_up = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            cleaned_up.append(asyncio.get_running_loop().time())

    with pytest.raises(IdleError):
        aio.run(wait(), session)
    assert cleaned_up == [1.0]


def test_a_task_that_ignores_its_cancellation_fails(session: Session) -> None:
    async def wait() -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    with pytest.raises(IdleError):
        EventLoop(session).run_until_complete(wait())


@pytest.mark.parametrize("outcome", [None, ZeroDivisionError()], ids=["a result", "another error"])
def test_a_task_that_hides_its_cancellation_fails_too(session: Session, outcome: Exception | None) -> None:
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if outcome:
                raise outcome from None

    with pytest.raises(IdleError, match="nothing can happen") as caught:
        aio.run(wait(), session)
    assert caught.value.__cause__ is outcome


def test_code_must_be_on_a_host(session: Session) -> None:
    async def connect() -> None:
        with pytest.raises(LookupError, match="this code runs on no host"):
            await asyncio.open_connection("server", 9)
        with aio.host("sever"), pytest.raises(LookupError, match="has sockets on: client, server"):
            await asyncio.open_connection("server", 9)

    aio.run(connect(), session)


def test_a_loop_that_only_yields_has_time_too(session: Session) -> None:
    async def spin() -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < 0.005:
            await asyncio.sleep(0)

    aio.run(spin(), session)


def test_time_stands_still_while_threads_work(session: Session) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        slow = loop.run_in_executor(None, time.sleep, 0.05)
        threads = await asyncio.gather(slow, asyncio.to_thread(threading.current_thread))
        assert threads[1] is not threading.main_thread()
        assert loop.time() == 0
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)

        def call_back() -> str:
            return asyncio.run_coroutine_threadsafe(asyncio.sleep(5, "slept"), loop).result(10)

        assert await asyncio.to_thread(call_back) == "slept"
        assert loop.time() == 5

    aio.run(work(), session)


def test_callbacks_that_are_ready_run_while_threads_work(session: Session) -> None:
    async def work() -> None:
        loop = asyncio.get_running_loop()
        released = threading.Event()
        waiting = loop.run_in_executor(None, released.wait, 10)
        loop.call_soon(released.set)
        assert await waiting

    aio.run(work(), session)


def test_other_executors_work_too(session: Session) -> None:
    class Threads(Executor):
        """Starts a thread for each function."""

        def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
            outcome: Future[Any] = Future()
            threading.Thread(target=lambda: outcome.set_result(function(*arguments, **named))).start()
            return outcome

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            assert await loop.run_in_executor(pool, divmod, 7, 2) == (3, 1)
            with pytest.raises(ZeroDivisionError):
                await loop.run_in_executor(pool, divmod, 1, 0)
        assert loop.time() == 0

        def call_back() -> str:
            return asyncio.run_coroutine_threadsafe(asyncio.sleep(5, "slept"), loop).result(10)

        assert await loop.run_in_executor(Threads(), call_back) == "slept"
        assert loop.time() == 5

    aio.run(work(), session)


def test_the_end_of_the_scenario_is_said() -> None:
    scenario = {"scenario": "short", "hosts": {"client": {}, "server": {}}, "limits": {"virtual-time": "10s"}}
    with Session(scenario) as session, pytest.raises(SessionOverError, match="`virtual-time` at 10s") as caught:
        aio.run(asyncio.sleep(60), session)
    assert "1 task still waits:\n  Task-" in str(caught.value)


def test_code_on_a_dead_host_ends_quietly(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(is_lost: bool) -> None:
        async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.readexactly(5)
            if not is_lost:
                raise ZeroDivisionError

        with aio.host("server"):
            server = await asyncio.start_server(serve, port=7)
        with aio.host("client"):
            _, writer = await asyncio.open_connection("server", 7)
        if is_lost:
            session.inject(power_loss="server")
        writer.write(b"hello")
        await asyncio.sleep(1)
        server.close()
        writer.close()

    aio.run(talk(False), session)
    assert "Unhandled exception in client_connected_cb" in caplog.text
    caplog.clear()
    aio.run(talk(True), session)
    assert not caplog.text


MISSING: list[tuple[str, Callable[[Any], Any]]] = [
    ("create_datagram_endpoint", lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol)),
    ("create_unix_connection", lambda loop: loop.create_unix_connection(asyncio.Protocol, "/tmp/socket")),
    ("create_unix_server", lambda loop: loop.create_unix_server(asyncio.Protocol, "/tmp/socket")),
    ("connect_read_pipe", lambda loop: loop.connect_read_pipe(asyncio.Protocol, None)),
    ("connect_write_pipe", lambda loop: loop.connect_write_pipe(asyncio.Protocol, None)),
    ("subprocess_exec", lambda _: asyncio.create_subprocess_exec("true")),
    ("subprocess_shell", lambda _: asyncio.create_subprocess_shell("true")),
    ("add_signal_handler", lambda loop: loop.add_signal_handler(2, print)),
    ("remove_signal_handler", lambda loop: loop.remove_signal_handler(2)),
    ("sock_recvfrom", lambda loop: loop.sock_recvfrom(None, 1)),
    ("sock_sendto", lambda loop: loop.sock_sendto(None, b"", None)),
    ("add_reader", lambda loop: loop.add_reader(0, print)),
    ("add_writer", lambda loop: loop.add_writer(0, print)),
]


@pytest.mark.parametrize(("name", "call"), MISSING, ids=[name for name, _ in MISSING])
def test_what_a_session_does_not_have_is_named(session: Session, name: str, call: Callable[[Any], Any]) -> None:
    async def attempt() -> None:
        with pytest.raises(NotImplementedError, match=name):
            outcome = call(asyncio.get_running_loop())
            if isinstance(outcome, Coroutine):
                await outcome

    aio.run(attempt(), session)


def test_sockets_of_the_loop(session: Session) -> None:
    async def talk() -> None:
        loop = asyncio.get_running_loop()
        listener = session.listen("server", 7)
        listener.setblocking(False)
        # As clients do that make their sockets themselves.
        with socket.socket() as sock:
            sock.setblocking(False)
            with aio.host("client"):
                accepting = asyncio.ensure_future(loop.sock_accept(listener))  # type: ignore[arg-type]
                await loop.sock_connect(sock, ("server", 7))
            accepted, address = await accepting
            assert address == ("10.0.0.1", 32768)
            accepted.setblocking(False)
            await loop.sock_sendall(sock, b"hello")
            assert await loop.sock_recv(accepted, 100) == b"hello"
            await loop.sock_sendall(accepted, b"world")
            buffer = bytearray(10)
            assert await loop.sock_recv_into(sock, buffer) == 5
            assert buffer[:5] == b"world"

    aio.run(talk(), session)


@pytest.mark.parametrize("end", ["closed", "forgotten"])
def test_a_connection_ends_with_the_socket_of_the_operating_system_that_it_stands_for(session: Session, end: str) -> None:
    async def talk() -> None:
        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ended.set_result(await reader.read())
            writer.close()

        with aio.host("server"):
            await asyncio.start_server(serve, port=7)
        sock = socket.socket()
        sock.setblocking(False)
        with aio.host("client"):
            await loop.sock_connect(sock, ("server", 7))
        if end == "closed":
            sock.close()
        else:
            del sock
        assert await ended == b""

    aio.run(talk(), session)


def test_a_connection_has_the_options_of_the_socket_that_it_stands_for(session: Session) -> None:
    async def talk() -> None:
        loop = asyncio.get_running_loop()
        with aio.host("server"):
            await asyncio.start_server(echo, port=7)
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 1)
            with aio.host("client"):
                await loop.sock_connect(sock, ("server", 7))
            session.inject(power_loss="server")
            with pytest.raises(TimeoutError):
                await loop.sock_recv(sock, 1)
            assert 135 <= loop.time() < 136, "the host's own interval is 75 s"

    aio.run(talk(), session)


def test_a_socket_object_has_a_reader_and_a_writer(session: Session) -> None:
    async def talk() -> None:
        loop = asyncio.get_running_loop()
        with aio.host("server"):
            await asyncio.start_server(echo, port=7)
        client = session.socket("client")
        client.setblocking(False)
        await loop.sock_connect(client, ("server", 7))  # type: ignore[arg-type]
        received = loop.create_future()

        def read() -> None:
            received.set_result(client.recv(100))

        def write() -> None:
            client.send(b"hello")
            loop.remove_writer(client)

        loop.add_reader(client, read)
        loop.add_writer(client, write)
        assert await received == b"hello"
        assert not loop.remove_writer(client)
        client.close()
        assert loop.remove_reader(client), "it is known, although it is closed"
        assert not loop.remove_reader(client)

    aio.run(talk(), session)


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_server_may_keep_its_connections_alive(session: Session, keep_alive: bool) -> None:
    async def talk() -> None:
        noticed = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with pytest.raises(TimeoutError):
                await reader.read()
            writer.close()
            noticed.set_result(None)

        with aio.host("server"):
            await asyncio.start_server(serve, port=7, keep_alive=keep_alive)
        with aio.host("client"):
            await asyncio.open_connection("server", 7)
        session.inject(power_loss="client")
        await noticed

    with contextlib.nullcontext() if keep_alive else pytest.raises(IdleError):
        aio.run(talk(), session)
    assert (session.clock > timedelta(hours=2)) == keep_alive


@pytest.mark.parametrize("reuse_address", [None, True, False])
def test_a_server_may_use_a_port_again(session: Session, reuse_address: bool | None) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def talk() -> None:
        with aio.host("server"):
            server = await asyncio.start_server(serve, port=7)
        with aio.host("client"):
            reader, writer = await asyncio.open_connection("server", 7)
        assert await reader.read() == b""
        writer.close()
        server.close()
        await asyncio.sleep(1)
        in_use = pytest.raises(OSError, match="Address already in use")
        with aio.host("server"), in_use if reuse_address is False else contextlib.nullcontext():
            await asyncio.start_server(serve, port=7, reuse_address=reuse_address)

    aio.run(talk(), session)


def test_the_same_happens_each_time() -> None:
    def play() -> list[bytes]:
        scenario = {"scenario": "t", "hosts": {"client": {}, "server": {}}, "network": {"latency": "5ms", "loss": "5%"}}

        async def talk() -> None:
            pairs = [await connected()]
            with aio.host("client"):
                pairs += await asyncio.gather(*(asyncio.open_connection("server", 7) for _ in range(4)))

            async def ping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                for size in range(1, 20):
                    writer.write(b"x" * size * 100)
                    await reader.readexactly(size * 100)
                    await asyncio.to_thread(len, b"x" * size)
                writer.close()

            await asyncio.gather(*(ping(*pair) for pair in pairs))

        with Session(scenario, seed=7) as session:
            aio.run(talk(), session)
            return [event.SerializeToString(deterministic=True) for event in session.events()]

    first = play()
    assert len(first) > 500
    assert play() == first


def test_a_round_trip_of_an_echo_takes_six_calls(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    call = session._call

    def counted(method: str, request: Any, response: Any) -> Any:
        calls.append(method)
        return call(method, request, response)

    async def talk() -> None:
        reader, writer = await connected()
        writer.write(b"x")
        await reader.readexactly(1)
        monkeypatch.setattr(session, "_call", counted)
        for _ in range(10):
            writer.write(b"x")
            await reader.readexactly(1)
        writer.close()
        monkeypatch.undo()

    aio.run(talk(), session)
    assert calls[:60] == ["Send", "Advance", "Receive"] * 20


def test_a_frozen_host_goes_on_where_it_was(session: Session) -> None:
    async def talk() -> None:
        reader, writer = await connected()
        loop = asyncio.get_running_loop()
        session.inject({"freeze": "client", "at": "1s", "resumes-after": "10s"})
        await asyncio.sleep(2)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert 11 < loop.time() < 12
        writer.close()

    aio.run(talk(), session)


@pytest.mark.parametrize("end", ["close", "abort", "write_eof"])
def test_a_connection_of_a_frozen_host_is_closed_when_it_resumes(session: Session, end: str) -> None:
    async def talk() -> None:
        ended = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ended.set_result(await reader.read())
            writer.close()

        with aio.host("server"):
            await asyncio.start_server(serve, port=7)
        with aio.host("client"):
            _, writer = await asyncio.open_connection("server", 7)
        loop = asyncio.get_running_loop()
        began = loop.time()
        session.inject({"freeze": "client", "resumes-after": "10s"})
        getattr(writer.transport, end)()
        assert loop.time() == began
        await asyncio.sleep(0)
        assert await ended == b""
        assert 10 < loop.time() < 11
        writer.close()

    aio.run(talk(), session)


def test_a_frozen_host_connects_and_listens_later(session: Session) -> None:
    async def talk() -> None:
        loop = asyncio.get_running_loop()
        with aio.host("server"):
            await asyncio.start_server(echo, port=7)
            session.inject({"freeze": "server", "resumes-after": "10s"})
            server = await asyncio.start_server(echo)
            assert server.sockets[0].getsockname()[1] > 0
        assert loop.time() == 10
        session.inject({"freeze": "client", "resumes-after": "10s"})
        with aio.host("client"):
            begun = asyncio.ensure_future(asyncio.open_connection("server", 7))
            failed = asyncio.ensure_future(asyncio.open_connection("10.0.0.2", 7, local_addr=("10.0.0.9", 0)))
            given_up = asyncio.ensure_future(asyncio.wait_for(asyncio.open_connection("server", 7), 5))
            await asyncio.wait([begun, failed, given_up])
        assert 20 < loop.time() < 21
        reader, writer = await begun
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert writer.get_extra_info("peername") == ("10.0.0.2", 7)
        assert isinstance(given_up.exception(), asyncio.TimeoutError)
        assert isinstance(failed.exception(), OSError)
        writer.close()

    aio.run(talk(), session)
    assert len(session.finish(until=30).client.connections) == 1


def test_a_connection_of_a_frozen_host_is_closed_even_if_the_loop_has_ended(session: Session) -> None:
    async def leave() -> None:
        with aio.host("server"):
            server = await asyncio.start_server(lambda _, writer: writer.close(), port=7)
        with aio.host("client"):
            _, writer = await asyncio.open_connection("server", 7)
        session.inject({"freeze": "client", "resumes-after": "10s"})
        writer.close()
        await asyncio.sleep(1)
        server.close()

    aio.run(leave(), session)
    session.advance(20)
    (sent,) = session.finish().segments("FIN", sender="client")
    assert timedelta(seconds=10) < sent.time < timedelta(seconds=11)


def test_a_file_is_sent(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 300_000)

    async def talk() -> None:
        reader, writer = await connected()
        loop = asyncio.get_running_loop()
        with path.open("rb") as file:
            sending = asyncio.ensure_future(loop.sendfile(writer.transport, file))
            assert await reader.readexactly(300_000) == path.read_bytes()
            assert await sending == 300_000
        writer.close()

    aio.run(talk(), session)


def test_an_interrupt_leaves_the_session_usable(session: Session) -> None:
    async def talk() -> None:
        reader, writer = await connected()
        while True:
            writer.write(b"x")
            await reader.readexactly(1)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            aio.run(talk(), session)
    finally:
        signal.signal(signal.SIGINT, before)
    now = session.clock
    assert session.advance(1) == now + timedelta(seconds=1)
