import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StepKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_KIND_UNSPECIFIED: _ClassVar[StepKind]
    STEP_KIND_LISTEN: _ClassVar[StepKind]
    STEP_KIND_ACCEPT: _ClassVar[StepKind]
    STEP_KIND_CONNECT: _ClassVar[StepKind]
    STEP_KIND_SEND: _ClassVar[StepKind]
    STEP_KIND_RECEIVE: _ClassVar[StepKind]
    STEP_KIND_PING: _ClassVar[StepKind]
    STEP_KIND_REPEAT: _ClassVar[StepKind]
    STEP_KIND_WAIT: _ClassVar[StepKind]
    STEP_KIND_WAIT_UNTIL: _ClassVar[StepKind]
    STEP_KIND_HOLD: _ClassVar[StepKind]
    STEP_KIND_SHUTDOWN: _ClassVar[StepKind]
    STEP_KIND_CLOSE: _ClassVar[StepKind]
    STEP_KIND_ABORT: _ClassVar[StepKind]
    STEP_KIND_SET: _ClassVar[StepKind]
    STEP_KIND_RELAY: _ClassVar[StepKind]
    STEP_KIND_POLL: _ClassVar[StepKind]
STEP_KIND_UNSPECIFIED: StepKind
STEP_KIND_LISTEN: StepKind
STEP_KIND_ACCEPT: StepKind
STEP_KIND_CONNECT: StepKind
STEP_KIND_SEND: StepKind
STEP_KIND_RECEIVE: StepKind
STEP_KIND_PING: StepKind
STEP_KIND_REPEAT: StepKind
STEP_KIND_WAIT: StepKind
STEP_KIND_WAIT_UNTIL: StepKind
STEP_KIND_HOLD: StepKind
STEP_KIND_SHUTDOWN: StepKind
STEP_KIND_CLOSE: StepKind
STEP_KIND_ABORT: StepKind
STEP_KIND_SET: StepKind
STEP_KIND_RELAY: StepKind
STEP_KIND_POLL: StepKind

class FaultReference(_message.Message):
    __slots__ = ("number", "path", "line")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    number: int
    path: str
    line: int
    def __init__(self, number: _Optional[int] = ..., path: _Optional[str] = ..., line: _Optional[int] = ...) -> None: ...

class StepReference(_message.Message):
    __slots__ = ("application", "number", "kind", "path", "line")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    application: str
    number: int
    kind: StepKind
    path: str
    line: int
    def __init__(self, application: _Optional[str] = ..., number: _Optional[int] = ..., kind: _Optional[_Union[StepKind, str]] = ..., path: _Optional[str] = ..., line: _Optional[int] = ...) -> None: ...

class ExpectationReference(_message.Message):
    __slots__ = ("number", "path", "line")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    number: int
    path: str
    line: int
    def __init__(self, number: _Optional[int] = ..., path: _Optional[str] = ..., line: _Optional[int] = ...) -> None: ...

class TimeWindow(_message.Message):
    __slots__ = ("earliest", "latest")
    EARLIEST_FIELD_NUMBER: _ClassVar[int]
    LATEST_FIELD_NUMBER: _ClassVar[int]
    earliest: _duration_pb2.Duration
    latest: _duration_pb2.Duration
    def __init__(self, earliest: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., latest: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
