"""Real clients and servers, unmodified, on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import Callable

import aiohttp
import aiohttp.web
import asyncpg
import httpx
import pytest
import redis.asyncio
import redis.asyncio.retry
import redis.backoff
import redis.exceptions
import trustme
import websockets.asyncio.client
import websockets.asyncio.server
import websockets.exceptions

from halfopen import Session, aio

from .postgres import Postgres


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("server").configure_cert(context)
    return context


@pytest.fixture
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(params=["plain", "tls"])
def tls(
    request: pytest.FixtureRequest, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    return (server_tls, client_tls) if request.param == "tls" else (None, None)


Tls = tuple[ssl.SSLContext | None, ssl.SSLContext | None]


async def web(tls: ssl.SSLContext | None = None, keepalive_timeout: float = 3600) -> aiohttp.web.AppRunner:
    """An aiohttp server on the host `server`."""

    async def hello(request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.Response(text=f"hello {request.remote}")

    async def slow(request: aiohttp.web.Request) -> aiohttp.web.Response:
        await asyncio.sleep(float(request.query["seconds"]))
        return aiohttp.web.Response(text="at last")

    app = aiohttp.web.Application()
    app.add_routes([aiohttp.web.route("*", "/", hello), aiohttp.web.get("/slow", slow)])
    with aio.host("server"):
        runner = aiohttp.web.AppRunner(app, keepalive_timeout=keepalive_timeout)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, port=80, ssl_context=tls).start()
    return runner


def connections(session: Session) -> int:
    """How many connections the client has opened."""
    return len(session.finish(until=session.clock).client.connections)


def test_aiohttp(session: Session, tls: Tls) -> None:
    server, client = tls

    async def talk() -> None:
        runner = await web(server)
        url = f"{'https' if server else 'http'}://server:80"
        with aio.host("client"):
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=client or True)) as http:
                async with http.get(url) as response:
                    assert await response.text() == "hello 10.0.0.1"
                began = asyncio.get_running_loop().time()
                async with http.get(f"{url}/slow?seconds=200") as response:
                    assert await response.text() == "at last"
                assert 200 < asyncio.get_running_loop().time() - began < 201
                with pytest.raises(asyncio.TimeoutError):
                    await http.get(f"{url}/slow?seconds=3600")
        await runner.cleanup()

    aio.run(talk(), session)
    assert 500 < session.clock.total_seconds() < 600, "the default timeout of aiohttp is 5 minutes"
    assert connections(session) == 1


def test_an_aiohttp_client_whose_server_lost_power_has_a_timeout_alone(session: Session) -> None:
    async def talk() -> None:
        await web()
        with aio.host("client"):
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as http:
                await (await http.get("http://server/")).read()
                session.inject({"power-loss": "server"})
                with pytest.raises(aiohttp.ClientError) as caught:
                    await http.get("http://server/")
                assert isinstance(caught.value, aiohttp.ClientOSError)

    aio.run(talk(), session)
    assert session.clock.total_seconds() > 900, "the kernel gives up after tcp_retries2"


def test_httpx(session: Session, tls: Tls) -> None:
    server, client = tls

    async def talk() -> None:
        runner = await web(server)
        url = f"{'https' if server else 'http'}://server:80"
        with aio.host("client"):
            async with httpx.AsyncClient(verify=client or True, trust_env=False) as http:
                assert (await http.get(url)).text == "hello 10.0.0.1"
                with pytest.raises(httpx.ReadTimeout):
                    await http.get(f"{url}/slow?seconds=3600")
                with pytest.raises(httpx.ConnectError):
                    await http.get("http://server:81")
                with pytest.raises(httpx.ConnectTimeout):
                    await http.get("http://10.9.9.9")
        await runner.cleanup()

    aio.run(talk(), session)


@pytest.mark.parametrize("pause", [0, 10, 40])
def test_a_pool_of_httpx_keeps_its_connection_until_the_server_closes_it(session: Session, tls: Tls, pause: float) -> None:
    server, client = tls

    async def talk() -> None:
        runner = await web(server, keepalive_timeout=30)
        url = f"{'https' if server else 'http'}://server:80"
        with aio.host("client"):
            limits = httpx.Limits(keepalive_expiry=None)
            async with httpx.AsyncClient(verify=client or True, trust_env=False, limits=limits) as http:
                for _ in range(3):
                    assert (await http.get(url)).text == "hello 10.0.0.1"
                    await asyncio.sleep(pause)
        await runner.cleanup()

    aio.run(talk(), session)
    assert connections(session) == (3 if pause > 30 else 1)


def test_a_pool_of_httpx_does_not_notice_that_its_server_lost_power(session: Session) -> None:
    async def talk() -> None:
        await web()
        with aio.host("client"):
            async with httpx.AsyncClient(trust_env=False) as http:
                await http.get("http://server")
                session.inject(power_loss="server")
                with pytest.raises(httpx.ReadTimeout):
                    await http.get("http://server")

    aio.run(talk(), session)
    assert connections(session) == 1


def test_websockets(session: Session, tls: Tls) -> None:
    server, client = tls

    async def echo(connection: websockets.asyncio.server.ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async def talk() -> None:
        with aio.host("server"):
            listening = await websockets.asyncio.server.serve(echo, port=80, ssl=server)
        uri = f"{'wss' if client else 'ws'}://server:80"
        with aio.host("client"):
            async with websockets.asyncio.client.connect(uri, ssl=client, proxy=None) as connection:
                await connection.send("hello")
                assert await connection.recv() == "hello"
                await asyncio.sleep(3600)
                await connection.send("still there?")
                assert await connection.recv() == "still there?"
                session.inject({"power-loss": "server"})
                began = asyncio.get_running_loop().time()
                with pytest.raises(websockets.exceptions.ConnectionClosedError):
                    await connection.recv()
                assert asyncio.get_running_loop().time() - began <= 50, "ping_interval and ping_timeout are 20 s"
        listening.close()

    aio.run(talk(), session)


class Redis:
    """A server that speaks enough of RESP."""

    def __init__(self) -> None:
        self.data: dict[bytes, bytes] = {}
        self.commands: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                words = []
                for _ in range(int(line[1:])):
                    size = int((await reader.readline())[1:])
                    words.append((await reader.readexactly(size + 2))[:-2])
                self.commands.append(words[0])
                writer.write(self.answer(words[0].upper(), words[1:]))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def answer(self, command: bytes, words: list[bytes]) -> bytes:
        if command == b"SET":
            self.data[words[0]] = words[1]
        answers: dict[bytes, Callable[[], bytes]] = {
            b"PING": lambda: b"+PONG\r\n",
            b"SET": lambda: b"+OK\r\n",
            b"CLIENT": lambda: b"+OK\r\n",
            b"GET": lambda: b"$%d\r\n%b\r\n" % (len(self.data[words[0]]), self.data[words[0]]),
        }
        return answers[command]() if command in answers else b"-ERR unknown command\r\n"


def test_redis(session: Session, tls: Tls) -> None:
    server, client = tls
    speaks = Redis()

    async def talk() -> None:
        with aio.host("server"):
            await asyncio.start_server(speaks.serve, port=6379, ssl=server)
        with aio.host("client"):
            url = "rediss://server?ssl_cert_reqs=none&ssl_check_hostname=false" if client else "redis://server"
            store = redis.asyncio.Redis.from_url(url, protocol=2, health_check_interval=30)
            await store.set("key", "value")
            assert await store.get("key") == b"value"
            await asyncio.sleep(60)
            assert await store.get("key") == b"value"
            assert b"PING" in speaks.commands, "health_check_interval is over"
            await store.aclose()

    aio.run(talk(), session)
    assert connections(session) == 1


NO_RETRIES = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0)


def test_redis_notices_by_its_timeout_that_a_peer_is_gone(session: Session) -> None:
    async def talk() -> None:
        with aio.host("server"):
            await asyncio.start_server(Redis().serve, port=6379)
        with aio.host("client"):
            store = redis.asyncio.Redis(host="server", protocol=2, socket_timeout=5, retry=NO_RETRIES)
            await store.set("key", "value")
            session.inject({"power-loss": "server"})
            with pytest.raises(redis.exceptions.TimeoutError):
                await store.get("key")
            assert 5 <= session.clock.total_seconds() < 6
            await store.aclose()

    aio.run(talk(), session)


def test_asyncpg(session: Session, tls: Tls) -> None:
    server, client = tls
    if server and sys.version_info < (3, 11):
        pytest.skip("a stream of Python 3.10 cannot start TLS")
    answers = Postgres(server)

    async def talk() -> None:
        with aio.host("server"):
            await asyncio.start_server(answers.serve, port=5432)
        with aio.host("client"):
            connection = await asyncpg.connect("postgres://user@server/test", ssl=client or "disable")
            assert await connection.fetchval("SELECT 42") == 42
            await connection.close()

    aio.run(talk(), session)


def test_a_pool_of_asyncpg_replaces_a_dead_connection(session: Session) -> None:
    answers = Postgres()

    async def talk() -> None:
        with aio.host("server"):
            await asyncio.start_server(answers.serve, port=5432)
        with aio.host("client"):
            url = "postgres://user@server/test?sslmode=disable"
            async with asyncpg.create_pool(url, min_size=1, max_size=1, command_timeout=5) as pool:
                assert await pool.fetchval("SELECT 42") == 42
                session.inject({"cable-pull": "server", "replug-after": "8s"})
                with pytest.raises(asyncio.TimeoutError):
                    await pool.fetchval("SELECT 42")
                await asyncio.sleep(5)
                assert await pool.fetchval("SELECT 42") == 42

    aio.run(talk(), session)
    assert answers.logins == 2


FORGETFUL = {
    "scenario": "forgetful",
    "hosts": {"client": {}, "server": {}},
    "network": {"latency": "20ms", "middleboxes": {"nat": {"preset": "aws-nat-gateway"}}},
}


@pytest.mark.parametrize(
    ("keepalive", "health_checks", "error"),
    [(False, 0, redis.exceptions.ConnectionError), (True, 0, None), (False, 30, None)],
    ids=["nothing helps", "keepalive", "health checks"],
)
def test_redis_after_a_nat_forgot_its_connection(keepalive: bool, health_checks: int, error: type[Exception] | None) -> None:
    async def talk() -> None:
        with aio.host("server"):
            await asyncio.start_server(Redis().serve, port=6379)
        with aio.host("client"):
            store = redis.asyncio.Redis(
                host="server",
                protocol=2,
                socket_keepalive=keepalive,
                socket_keepalive_options={socket.TCP_KEEPIDLE: 120} if keepalive else None,
                health_check_interval=health_checks,
                # Without retries, nothing hides what became of the connection; a health check needs one.
                retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 1 if health_checks else 0),
            )
            await store.set("key", "value")
            await asyncio.sleep(400)
            with pytest.raises(error) if error else contextlib.nullcontext():
                assert await store.get("key") == b"value"
            await store.aclose()

    with Session(FORGETFUL) as session:
        aio.run(talk(), session)


@pytest.mark.parametrize("is_lost", [False, True], ids=["the FIN arrives", "the FIN is lost"])
def test_an_aiohttp_client_whose_server_closed_an_idle_connection(session: Session, is_lost: bool) -> None:
    async def talk() -> None:
        runner = await web(keepalive_timeout=30)
        with aio.host("client"):
            connector = aiohttp.TCPConnector(keepalive_timeout=60)
            async with aiohttp.ClientSession(connector=connector) as http:
                await (await http.post("http://server/")).read()
                if is_lost:
                    session.inject(drop={"from": "server", "flags": "FIN"})
                await asyncio.sleep(40)
                if is_lost:
                    # Nobody knows whether the server has done what was asked, so aiohttp does not ask again.
                    with pytest.raises(aiohttp.ClientOSError, match="Connection reset by peer"):
                        await http.post("http://server/")
                else:
                    await (await http.post("http://server/")).read()
        await runner.cleanup()

    aio.run(talk(), session)
