"""An asyncio event loop whose time and connections are those of a session.

Clients and servers written for asyncio run on it unmodified:

    async def test() -> None:
        with aio.host("server"):
            await asyncio.start_server(serve, port=80)
        with aio.host("client"):
            reader, writer = await asyncio.open_connection("server", 80)

    aio.run(test(), session)
"""

from .hosts import host
from .loop import EventLoop, run

__all__ = ["EventLoop", "host", "run"]
