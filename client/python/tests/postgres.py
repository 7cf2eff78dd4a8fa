"""A server that speaks enough of the protocol of PostgreSQL 3.0 for one query."""

from __future__ import annotations

import asyncio
import ssl
import struct

SSL_REQUEST = 80877103
CANCEL_REQUEST = 80877102
INT4 = 23


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


READY = message(b"Z", b"I")
COLUMN = message(b"T", struct.pack("!h", 1) + b"answer\0" + struct.pack("!ihihih", 0, 0, INT4, 4, -1, 1))
ROW = message(b"D", struct.pack("!hii", 1, 4, 42))
ANSWERS = {
    b"P": message(b"1"),
    b"D": message(b"t", struct.pack("!h", 0)) + COLUMN,
    b"B": message(b"2"),
    b"E": ROW + message(b"C", b"SELECT 1\0"),
    b"S": READY,
    b"C": message(b"3"),
    b"Q": message(b"C", b"SELECT 0\0") + READY,
    b"H": b"",
}


class Postgres:
    """Answers 42 to everything."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.logins = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.login(reader, writer)
            while (kind := await reader.readexactly(1)) != b"X":
                size = struct.unpack("!i", await reader.readexactly(4))[0]
                await reader.readexactly(size - 4)
                writer.write(ANSWERS[kind])
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def login(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size, code = struct.unpack("!ii", await reader.readexactly(8))
        if code == SSL_REQUEST:
            writer.write(b"S" if self.tls else b"N")
            if self.tls:
                await writer.start_tls(self.tls)
            size, code = struct.unpack("!ii", await reader.readexactly(8))
        await reader.readexactly(size - 8)
        if code == CANCEL_REQUEST:
            raise ConnectionError
        self.logins += 1
        settings = {"server_version": "17.0", "client_encoding": "UTF8", "server_encoding": "UTF8", "TimeZone": "UTC"}
        parameters = b"".join(message(b"S", f"{name}\0{value}\0".encode()) for name, value in settings.items())
        writer.write(message(b"R", bytes(4)) + parameters + message(b"K", bytes(8)) + READY)
