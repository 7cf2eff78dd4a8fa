"""Sockets of the session that stand for sockets of the operating system, as code makes them that calls `sock_connect` itself."""

from __future__ import annotations

import socket
import weakref

from ..sockets import Socket

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

#: The options that a twin takes over.
TAKEN_OVER = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    *(
        (socket.IPPROTO_TCP, int(getattr(socket, name)))
        for name in ("TCP_NODELAY", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        if hasattr(socket, name)
    ),
]


def take_over(sock: socket.socket, twin: Socket) -> None:
    """Gives a twin the options that were set on the socket for which it stands."""
    with socket.socket(sock.family) as new:
        for level, option in TAKEN_OVER:
            value = sock.getsockopt(level, option)
            if value != new.getsockopt(level, option):
                twin.setsockopt(level, option, value)


class Twins:
    """The twins of sockets of the operating system. A twin is closed when its socket is closed or forgotten."""

    def __init__(self) -> None:
        self._twins: dict[int, tuple[weakref.ref[socket.socket], Socket]] = {}

    def add(self, sock: socket.socket, twin: Socket) -> None:
        """Makes a twin stand for a socket."""
        # A new socket may have the id of one that is gone.
        self.close_lost()
        self._twins[id(sock)] = (weakref.ref(sock), twin)

    def get(self, sock: socket.socket) -> Socket | None:
        """The twin of a socket."""
        known, twin = self._twins.get(id(sock), (None, None))
        return twin if known and known() is sock else None

    def remove(self, sock: socket.socket) -> None:
        """Forgets a socket, but leaves its twin open."""
        self._twins.pop(id(sock), None)

    def close_lost(self) -> None:
        """Closes the twins whose sockets are closed or gone."""
        for key, (known, twin) in list(self._twins.items()):
            sock = known()
            if sock is None or sock.fileno() < 0:
                del self._twins[key]
                twin.close()
