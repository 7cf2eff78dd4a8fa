from halfopen.v1 import event_pb2 as _event_pb2
from halfopen.v1 import run_pb2 as _run_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RenderFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RENDER_FORMAT_UNSPECIFIED: _ClassVar[RenderFormat]
    RENDER_FORMAT_TEXT: _ClassVar[RenderFormat]
    RENDER_FORMAT_EXPLANATION: _ClassVar[RenderFormat]
    RENDER_FORMAT_SVG: _ClassVar[RenderFormat]
    RENDER_FORMAT_MERMAID: _ClassVar[RenderFormat]
    RENDER_FORMAT_HTML: _ClassVar[RenderFormat]
    RENDER_FORMAT_JUNIT: _ClassVar[RenderFormat]
    RENDER_FORMAT_TAP: _ClassVar[RenderFormat]
    RENDER_FORMAT_JSON: _ClassVar[RenderFormat]
    RENDER_FORMAT_NDJSON: _ClassVar[RenderFormat]
RENDER_FORMAT_UNSPECIFIED: RenderFormat
RENDER_FORMAT_TEXT: RenderFormat
RENDER_FORMAT_EXPLANATION: RenderFormat
RENDER_FORMAT_SVG: RenderFormat
RENDER_FORMAT_MERMAID: RenderFormat
RENDER_FORMAT_HTML: RenderFormat
RENDER_FORMAT_JUNIT: RenderFormat
RENDER_FORMAT_TAP: RenderFormat
RENDER_FORMAT_JSON: RenderFormat
RENDER_FORMAT_NDJSON: RenderFormat

class RenderRequest(_message.Message):
    __slots__ = ("session", "run", "recording", "format", "name", "width", "ascii", "colors", "rows", "timers")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    RECORDING_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    ASCII_FIELD_NUMBER: _ClassVar[int]
    COLORS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TIMERS_FIELD_NUMBER: _ClassVar[int]
    session: str
    run: _run_pb2.ExecuteRunRequest
    recording: Recording
    format: RenderFormat
    name: str
    width: int
    ascii: bool
    colors: bool
    rows: int
    timers: bool
    def __init__(self, session: _Optional[str] = ..., run: _Optional[_Union[_run_pb2.ExecuteRunRequest, _Mapping]] = ..., recording: _Optional[_Union[Recording, _Mapping]] = ..., format: _Optional[_Union[RenderFormat, str]] = ..., name: _Optional[str] = ..., width: _Optional[int] = ..., ascii: bool = ..., colors: bool = ..., rows: _Optional[int] = ..., timers: bool = ...) -> None: ...

class Recording(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class RenderResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...
