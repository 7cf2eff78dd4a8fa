import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServerFeature(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVER_FEATURE_UNSPECIFIED: _ClassVar[ServerFeature]
    SERVER_FEATURE_VARIANTS: _ClassVar[ServerFeature]
    SERVER_FEATURE_PROFILES: _ClassVar[ServerFeature]
    SERVER_FEATURE_SNAPSHOTS: _ClassVar[ServerFeature]
    SERVER_FEATURE_SESSIONS: _ClassVar[ServerFeature]
    SERVER_FEATURE_RENDERING: _ClassVar[ServerFeature]
    SERVER_FEATURE_HISTORY: _ClassVar[ServerFeature]
SERVER_FEATURE_UNSPECIFIED: ServerFeature
SERVER_FEATURE_VARIANTS: ServerFeature
SERVER_FEATURE_PROFILES: ServerFeature
SERVER_FEATURE_SNAPSHOTS: ServerFeature
SERVER_FEATURE_SESSIONS: ServerFeature
SERVER_FEATURE_RENDERING: ServerFeature
SERVER_FEATURE_HISTORY: ServerFeature

class GetServerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerResponse(_message.Message):
    __slots__ = ("version", "protocol", "build", "profiles", "bundled_scenarios", "limits", "features")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    BUILD_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    BUNDLED_SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    version: str
    protocol: str
    build: ServerBuild
    profiles: _containers.RepeatedScalarFieldContainer[str]
    bundled_scenarios: int
    limits: ServerLimits
    features: _containers.RepeatedScalarFieldContainer[ServerFeature]
    def __init__(self, version: _Optional[str] = ..., protocol: _Optional[str] = ..., build: _Optional[_Union[ServerBuild, _Mapping]] = ..., profiles: _Optional[_Iterable[str]] = ..., bundled_scenarios: _Optional[int] = ..., limits: _Optional[_Union[ServerLimits, _Mapping]] = ..., features: _Optional[_Iterable[_Union[ServerFeature, str]]] = ...) -> None: ...

class ServerBuild(_message.Message):
    __slots__ = ("operating_system", "architecture", "debug")
    OPERATING_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    DEBUG_FIELD_NUMBER: _ClassVar[int]
    operating_system: str
    architecture: str
    debug: bool
    def __init__(self, operating_system: _Optional[str] = ..., architecture: _Optional[str] = ..., debug: bool = ...) -> None: ...

class ServerLimits(_message.Message):
    __slots__ = ("threads", "queue", "max_unread_events", "request_bytes", "scenario_bytes", "run_events", "sessions", "run_memory_bytes", "run_connections", "run_comparisons", "run_processor_time", "memory_bytes")
    THREADS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    MAX_UNREAD_EVENTS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_BYTES_FIELD_NUMBER: _ClassVar[int]
    RUN_EVENTS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    RUN_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    RUN_CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    RUN_COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    RUN_PROCESSOR_TIME_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    threads: int
    queue: int
    max_unread_events: int
    request_bytes: int
    scenario_bytes: int
    run_events: int
    sessions: int
    run_memory_bytes: int
    run_connections: int
    run_comparisons: int
    run_processor_time: _duration_pb2.Duration
    memory_bytes: int
    def __init__(self, threads: _Optional[int] = ..., queue: _Optional[int] = ..., max_unread_events: _Optional[int] = ..., request_bytes: _Optional[int] = ..., scenario_bytes: _Optional[int] = ..., run_events: _Optional[int] = ..., sessions: _Optional[int] = ..., run_memory_bytes: _Optional[int] = ..., run_connections: _Optional[int] = ..., run_comparisons: _Optional[int] = ..., run_processor_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_bytes: _Optional[int] = ...) -> None: ...
