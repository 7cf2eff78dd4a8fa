"""The options of a socket (socket(7), tcp(7))."""

from __future__ import annotations

import errno
import os
import socket
from typing import ClassVar

from .v1 import session_pb2


class Options:
    """The options of a socket, by level and name."""

    #: Linux has it; elsewhere, Python may not know its name.
    TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", 18)
    KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    KEEPALIVE_TIMES: ClassVar = {
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4)): "keepalive_idle",
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5)): "keepalive_interval",
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6)): "keepalive_probes",
    }
    PLAIN: ClassVar = {
        (socket.IPPROTO_TCP, socket.TCP_NODELAY): "nodelay",
        (socket.IPPROTO_TCP, getattr(socket, "TCP_CORK", 3)): "cork",
        (socket.IPPROTO_TCP, getattr(socket, "TCP_NOTSENT_LOWAT", 25)): "notsent_lowat",
        (socket.IPPROTO_TCP, socket.TCP_MAXSEG): "mss",
        (socket.SOL_SOCKET, socket.SO_RCVBUF): "receive_buffer",
        (socket.SOL_SOCKET, socket.SO_SNDBUF): "send_buffer",
    }
    #: Options that are accepted and change nothing in the TCP.
    ACCEPTED: ClassVar = {(socket.SOL_SOCKET, socket.SO_REUSEADDR), (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)}
    BOOLEANS = ("nodelay", "cork")

    def __init__(self) -> None:
        self._values: dict[tuple[int, int], int] = {}
        self._linger: int | None = None

    @property
    def reuse_address(self) -> bool:
        """SO_REUSEADDR, which is on unless it was turned off."""
        return bool(self._values.get((socket.SOL_SOCKET, socket.SO_REUSEADDR), 1))

    def inherited(self) -> Options:
        """The options of a connection that a listening socket with these accepts."""
        copy = Options()
        copy._values, copy._linger = dict(self._values), self._linger
        return copy

    def initial(self) -> session_pb2.SocketOptions:
        """All options, as a message of the protocol."""
        options = session_pb2.SocketOptions()
        for level, option in self._values:
            options.MergeFrom(self._changed(level, option) or session_pb2.SocketOptions())
        if self._linger is not None:
            options.reset_on_close = self._linger == 0
        return options

    def set(self, level: int, option: int, value: int, linger: int) -> session_pb2.SocketOptions | None:
        """Sets an option. Returns the change for the host's TCP, if there is one."""
        key = (level, option)
        if key == (socket.SOL_SOCKET, socket.SO_LINGER):
            self._linger = linger if value else -1
            return session_pb2.SocketOptions(reset_on_close=self._linger == 0)
        known = key in self.PLAIN or key in self.KEEPALIVE_TIMES or key in self.ACCEPTED
        if not known and key not in (self.KEEPALIVE, (socket.IPPROTO_TCP, self.TCP_USER_TIMEOUT)):
            raise OSError(errno.ENOPROTOOPT, f"{os.strerror(errno.ENOPROTOOPT)}: option {option} at level {level}")
        self._values[key] = value
        return self._changed(level, option)

    def get(self, level: int, option: int) -> int:
        """The value of an option; 0 if it was never set."""
        if (level, option) == (socket.SOL_SOCKET, socket.SO_TYPE):
            return int(socket.SOCK_STREAM)
        return self._values.get((level, option), 0)

    def _changed(self, level: int, option: int) -> session_pb2.SocketOptions | None:
        key, value = (level, option), self._values[(level, option)]
        changed = session_pb2.SocketOptions()
        if key in self.PLAIN:
            name = self.PLAIN[key]
            setattr(changed, name, bool(value) if name in self.BOOLEANS else value)
        elif key == (socket.IPPROTO_TCP, self.TCP_USER_TIMEOUT):
            changed.user_timeout.FromMilliseconds(value)
        elif key == self.KEEPALIVE or (key in self.KEEPALIVE_TIMES and self._values.get(self.KEEPALIVE)):
            self._set_keepalive(changed)
        else:
            return None
        return changed

    def _set_keepalive(self, changed: session_pb2.SocketOptions) -> None:
        """Adds keepalive, with its times if it is on."""
        changed.keepalive = bool(self._values.get(self.KEEPALIVE))
        for key, name in self.KEEPALIVE_TIMES.items() if changed.keepalive else ():
            if key in self._values and name == "keepalive_probes":
                changed.keepalive_probes = self._values[key]
            elif key in self._values:
                getattr(changed, name).FromSeconds(self._values[key])
