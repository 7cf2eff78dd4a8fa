"""Pictures, explanations and reports. The server makes them, so that they are the same in every language."""

from __future__ import annotations

from typing import Literal

from .servers import Server
from .v1 import render_pb2

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

Form = Literal["text", "explanation", "svg", "mermaid", "html", "junit", "tap", "json", "ndjson"]

#: The most rows of a picture that a failed test shows.
ROWS = 40


def render(server: Server, request: render_pb2.RenderRequest, form: Form, rows: int | None = None) -> str:
    """Renders the source in a request. A picture has at most `rows` rows, 200 by default."""
    wanted = render_pb2.RenderRequest()
    wanted.CopyFrom(request)
    wanted.MergeFrom(render_pb2.RenderRequest(format=f"RENDER_FORMAT_{form.upper()}", rows=rows or 0))
    parts = server.channel.stream("RenderService/Render", wanted, render_pb2.RenderResponse)
    return "".join(part.text for part in parts)
