"""How many round trips of a simulated echo the event loop makes in a second.

cargo install --path client/cli --profile dist --locked --root target/ci
HALFOPEN_BINARY=target/ci/bin/halfopen python client/python/benches/echo.py
"""

from __future__ import annotations

import asyncio
import time

from halfopen import Session, aio

SCENARIO = {"scenario": "bench", "hosts": {"client": {}, "server": {}}, "network": {"latency": "1ms"}}
ROUND_TRIPS = 2000


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def talk() -> float:
    with aio.host("server"):
        await asyncio.start_server(serve, port=7)
    with aio.host("client"):
        reader, writer = await asyncio.open_connection("server", 7)
    # time.perf_counter() is not virtual.
    began = time.perf_counter()
    for _ in range(ROUND_TRIPS):
        writer.write(b"x" * 64)
        await reader.readexactly(64)
    took = time.perf_counter() - began
    writer.close()
    await asyncio.sleep(1)
    return took


if __name__ == "__main__":
    with Session(SCENARIO) as session:
        print(f"{ROUND_TRIPS / aio.run(talk(), session):.0f} round trips/s")
