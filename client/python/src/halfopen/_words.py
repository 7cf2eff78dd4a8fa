"""How addresses and states are written."""

from __future__ import annotations

from typing import Any

from .v1 import tcp_pb2

#: An address as `getsockname` returns it.
Address = tuple[Any, ...]


def write_address(address: Address) -> str:
    """Writes an address: `10.0.0.2:80`, `[fd00::2]:80`."""
    host = str(address[0])
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"


def parse_address(text: str) -> Address:
    """Parses an address to what `getsockname` returns."""
    host, _, port = text.rpartition(":")
    if not (host and port.isdecimal()):
        raise ValueError(f"{text!r} is not an address: write HOST:PORT, such as server:80")
    return (host[1:-1], int(port), 0, 0) if host.startswith("[") else (host, int(port))


def state_name(state: int) -> str:
    """The name of a state in RFC 9293."""
    if state == tcp_pb2.TCP_STATE_UNSPECIFIED:
        return "CLOSED"
    return tcp_pb2.TcpState.Name(state).removeprefix("TCP_STATE_").replace("_", "-")


def state_number(name: str) -> int:
    """The state with a name of RFC 9293."""
    try:
        return tcp_pb2.TcpState.Value("TCP_STATE_" + name.upper().replace("-", "_"))
    except ValueError:
        names = ", ".join(state_name(number) for number in tcp_pb2.TcpState.values() if number)
        raise ValueError(f"{name!r} is not a state; there are {names}") from None
