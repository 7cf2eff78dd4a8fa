import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from halfopen.v1 import event_pb2 as _event_pb2
from halfopen.v1 import run_pb2 as _run_pb2
from halfopen.v1 import tcp_pb2 as _tcp_pb2
from halfopen.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AdvanceStop(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADVANCE_STOP_UNSPECIFIED: _ClassVar[AdvanceStop]
    ADVANCE_STOP_TIME: _ClassVar[AdvanceStop]
    ADVANCE_STOP_CONDITION: _ClassVar[AdvanceStop]
    ADVANCE_STOP_IDLE: _ClassVar[AdvanceStop]
    ADVANCE_STOP_END: _ClassVar[AdvanceStop]
    ADVANCE_STOP_LIMIT: _ClassVar[AdvanceStop]
ADVANCE_STOP_UNSPECIFIED: AdvanceStop
ADVANCE_STOP_TIME: AdvanceStop
ADVANCE_STOP_CONDITION: AdvanceStop
ADVANCE_STOP_IDLE: AdvanceStop
ADVANCE_STOP_END: AdvanceStop
ADVANCE_STOP_LIMIT: AdvanceStop

class CreateSessionRequest(_message.Message):
    __slots__ = ("yaml", "name", "seed", "variant", "profile", "snapshot_length", "participants", "lease", "request_id")
    YAML_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    yaml: str
    name: str
    seed: int
    variant: str
    profile: str
    snapshot_length: int
    participants: int
    lease: _duration_pb2.Duration
    request_id: str
    def __init__(self, yaml: _Optional[str] = ..., name: _Optional[str] = ..., seed: _Optional[int] = ..., variant: _Optional[str] = ..., profile: _Optional[str] = ..., snapshot_length: _Optional[int] = ..., participants: _Optional[int] = ..., lease: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateSessionResponse(_message.Message):
    __slots__ = ("session", "hosts", "limits", "version")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    session: str
    hosts: _containers.RepeatedCompositeFieldContainer[SessionHost]
    limits: SessionLimits
    version: str
    def __init__(self, session: _Optional[str] = ..., hosts: _Optional[_Iterable[_Union[SessionHost, _Mapping]]] = ..., limits: _Optional[_Union[SessionLimits, _Mapping]] = ..., version: _Optional[str] = ...) -> None: ...

class SessionHost(_message.Message):
    __slots__ = ("name", "addresses", "profile", "outside")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_FIELD_NUMBER: _ClassVar[int]
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    profile: str
    outside: bool
    def __init__(self, name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., profile: _Optional[str] = ..., outside: bool = ...) -> None: ...

class SessionLimits(_message.Message):
    __slots__ = ("lease", "sockets", "events", "virtual_time")
    LEASE_FIELD_NUMBER: _ClassVar[int]
    SOCKETS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    VIRTUAL_TIME_FIELD_NUMBER: _ClassVar[int]
    lease: _duration_pb2.Duration
    sockets: int
    events: int
    virtual_time: _duration_pb2.Duration
    def __init__(self, lease: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., sockets: _Optional[int] = ..., events: _Optional[int] = ..., virtual_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: str
    def __init__(self, session: _Optional[str] = ...) -> None: ...

class GetSessionResponse(_message.Message):
    __slots__ = ("time", "events", "turn", "waiting", "finished", "hosts")
    TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    time: _duration_pb2.Duration
    events: int
    turn: int
    waiting: _containers.RepeatedScalarFieldContainer[int]
    finished: _verdict_pb2.RunFinished
    hosts: _containers.RepeatedCompositeFieldContainer[SessionHost]
    def __init__(self, time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., events: _Optional[int] = ..., turn: _Optional[int] = ..., waiting: _Optional[_Iterable[int]] = ..., finished: _Optional[_Union[_verdict_pb2.RunFinished, _Mapping]] = ..., hosts: _Optional[_Iterable[_Union[SessionHost, _Mapping]]] = ...) -> None: ...

class SocketOptions(_message.Message):
    __slots__ = ("keepalive", "keepalive_idle", "keepalive_interval", "keepalive_probes", "nodelay", "cork", "user_timeout", "reset_on_close", "receive_buffer", "send_buffer", "notsent_lowat", "mss")
    KEEPALIVE_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_IDLE_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_PROBES_FIELD_NUMBER: _ClassVar[int]
    NODELAY_FIELD_NUMBER: _ClassVar[int]
    CORK_FIELD_NUMBER: _ClassVar[int]
    USER_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RESET_ON_CLOSE_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_BUFFER_FIELD_NUMBER: _ClassVar[int]
    SEND_BUFFER_FIELD_NUMBER: _ClassVar[int]
    NOTSENT_LOWAT_FIELD_NUMBER: _ClassVar[int]
    MSS_FIELD_NUMBER: _ClassVar[int]
    keepalive: bool
    keepalive_idle: _duration_pb2.Duration
    keepalive_interval: _duration_pb2.Duration
    keepalive_probes: int
    nodelay: bool
    cork: bool
    user_timeout: _duration_pb2.Duration
    reset_on_close: bool
    receive_buffer: int
    send_buffer: int
    notsent_lowat: int
    mss: int
    def __init__(self, keepalive: bool = ..., keepalive_idle: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., keepalive_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., keepalive_probes: _Optional[int] = ..., nodelay: bool = ..., cork: bool = ..., user_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., reset_on_close: bool = ..., receive_buffer: _Optional[int] = ..., send_buffer: _Optional[int] = ..., notsent_lowat: _Optional[int] = ..., mss: _Optional[int] = ...) -> None: ...

class ListenRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "host", "port", "address", "backlog", "reuse_address", "options")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_FIELD_NUMBER: _ClassVar[int]
    REUSE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    host: str
    port: int
    address: str
    backlog: int
    reuse_address: bool
    options: SocketOptions
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., host: _Optional[str] = ..., port: _Optional[int] = ..., address: _Optional[str] = ..., backlog: _Optional[int] = ..., reuse_address: bool = ..., options: _Optional[_Union[SocketOptions, _Mapping]] = ...) -> None: ...

class ListenResponse(_message.Message):
    __slots__ = ("error", "socket", "local")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    error: str
    socket: int
    local: str
    def __init__(self, error: _Optional[str] = ..., socket: _Optional[int] = ..., local: _Optional[str] = ...) -> None: ...

class StartConnectRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "host", "to", "local_port", "options")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    LOCAL_PORT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    host: str
    to: str
    local_port: int
    options: SocketOptions
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., host: _Optional[str] = ..., to: _Optional[str] = ..., local_port: _Optional[int] = ..., options: _Optional[_Union[SocketOptions, _Mapping]] = ..., **kwargs) -> None: ...

class StartConnectResponse(_message.Message):
    __slots__ = ("error", "socket", "local", "peer")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    error: str
    socket: int
    local: str
    peer: str
    def __init__(self, error: _Optional[str] = ..., socket: _Optional[int] = ..., local: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class FinishConnectRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ...) -> None: ...

class FinishConnectResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...

class AcceptRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ...) -> None: ...

class AcceptResponse(_message.Message):
    __slots__ = ("error", "socket", "local", "peer")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    error: str
    socket: int
    local: str
    peer: str
    def __init__(self, error: _Optional[str] = ..., socket: _Optional[int] = ..., local: _Optional[str] = ..., peer: _Optional[str] = ...) -> None: ...

class SendRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket", "data", "more", "end_of_record")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    END_OF_RECORD_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    data: bytes
    more: bool
    end_of_record: bool
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ..., data: _Optional[bytes] = ..., more: bool = ..., end_of_record: bool = ...) -> None: ...

class SendResponse(_message.Message):
    __slots__ = ("error", "sent")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    error: str
    sent: int
    def __init__(self, error: _Optional[str] = ..., sent: _Optional[int] = ...) -> None: ...

class ReceiveRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket", "max_bytes")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    max_bytes: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ..., max_bytes: _Optional[int] = ...) -> None: ...

class ReceiveResponse(_message.Message):
    __slots__ = ("error", "data", "end_of_stream")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    END_OF_STREAM_FIELD_NUMBER: _ClassVar[int]
    error: str
    data: bytes
    end_of_stream: bool
    def __init__(self, error: _Optional[str] = ..., data: _Optional[bytes] = ..., end_of_stream: bool = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket", "write", "read")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    WRITE_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    write: bool
    read: bool
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ..., write: bool = ..., read: bool = ...) -> None: ...

class ShutdownResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...

class CloseRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ...) -> None: ...

class CloseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AbortRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ...) -> None: ...

class AbortResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SetOptionsRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "socket", "options")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    socket: int
    options: SocketOptions
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., socket: _Optional[int] = ..., options: _Optional[_Union[SocketOptions, _Mapping]] = ...) -> None: ...

class SetOptionsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetSocketRequest(_message.Message):
    __slots__ = ("session", "participant", "socket")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    socket: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., socket: _Optional[int] = ...) -> None: ...

class GetSocketResponse(_message.Message):
    __slots__ = ("state", "local", "peer", "connection", "readiness", "unread_bytes", "unacknowledged_bytes", "info")
    STATE_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    READINESS_FIELD_NUMBER: _ClassVar[int]
    UNREAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    UNACKNOWLEDGED_BYTES_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    state: _tcp_pb2.TcpState
    local: str
    peer: str
    connection: int
    readiness: SocketReadiness
    unread_bytes: int
    unacknowledged_bytes: int
    info: _tcp_pb2.TcpInfo
    def __init__(self, state: _Optional[_Union[_tcp_pb2.TcpState, str]] = ..., local: _Optional[str] = ..., peer: _Optional[str] = ..., connection: _Optional[int] = ..., readiness: _Optional[_Union[SocketReadiness, _Mapping]] = ..., unread_bytes: _Optional[int] = ..., unacknowledged_bytes: _Optional[int] = ..., info: _Optional[_Union[_tcp_pb2.TcpInfo, _Mapping]] = ...) -> None: ...

class SocketReadiness(_message.Message):
    __slots__ = ("socket", "readable", "writable", "peer_closed", "hung_up", "failed", "gone")
    SOCKET_FIELD_NUMBER: _ClassVar[int]
    READABLE_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    PEER_CLOSED_FIELD_NUMBER: _ClassVar[int]
    HUNG_UP_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    socket: int
    readable: bool
    writable: bool
    peer_closed: bool
    hung_up: bool
    failed: bool
    gone: bool
    def __init__(self, socket: _Optional[int] = ..., readable: bool = ..., writable: bool = ..., peer_closed: bool = ..., hung_up: bool = ..., failed: bool = ..., gone: bool = ...) -> None: ...

class AdvanceRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "until", "by", "through", "conditions", "max_events", "after_sequence")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    THROUGH_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENTS_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    until: _duration_pb2.Duration
    by: _duration_pb2.Duration
    through: _duration_pb2.Duration
    conditions: _containers.RepeatedCompositeFieldContainer[SessionCondition]
    max_events: int
    after_sequence: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., until: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., by: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., through: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[SessionCondition, _Mapping]]] = ..., max_events: _Optional[int] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class SessionCondition(_message.Message):
    __slots__ = ("readable", "writable", "state", "segment", "fault", "keepalive", "host_changed")
    READABLE_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_FIELD_NUMBER: _ClassVar[int]
    HOST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    readable: int
    writable: int
    state: _verdict_pb2.StateMatch
    segment: str
    fault: int
    keepalive: str
    host_changed: str
    def __init__(self, readable: _Optional[int] = ..., writable: _Optional[int] = ..., state: _Optional[_Union[_verdict_pb2.StateMatch, _Mapping]] = ..., segment: _Optional[str] = ..., fault: _Optional[int] = ..., keepalive: _Optional[str] = ..., host_changed: _Optional[str] = ...) -> None: ...

class AdvanceResponse(_message.Message):
    __slots__ = ("stop", "time", "condition", "ready", "events", "more_events", "limit", "next", "last_sequence", "part")
    STOP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MORE_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    stop: AdvanceStop
    time: _duration_pb2.Duration
    condition: int
    ready: _containers.RepeatedCompositeFieldContainer[SocketReadiness]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    more_events: bool
    limit: _verdict_pb2.RunLimit
    next: _duration_pb2.Duration
    last_sequence: int
    part: _run_pb2.EventPart
    def __init__(self, stop: _Optional[_Union[AdvanceStop, str]] = ..., time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., condition: _Optional[int] = ..., ready: _Optional[_Iterable[_Union[SocketReadiness, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., more_events: bool = ..., limit: _Optional[_Union[_verdict_pb2.RunLimit, _Mapping]] = ..., next: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., last_sequence: _Optional[int] = ..., part: _Optional[_Union[_run_pb2.EventPart, _Mapping]] = ...) -> None: ...

class ApplyFaultsRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "yaml")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    YAML_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    yaml: str
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., yaml: _Optional[str] = ...) -> None: ...

class ApplyFaultsResponse(_message.Message):
    __slots__ = ("faults",)
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    faults: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, faults: _Optional[_Iterable[int]] = ...) -> None: ...

class LiftFaultRequest(_message.Message):
    __slots__ = ("session", "participant", "request_id", "fault")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    request_id: str
    fault: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., request_id: _Optional[str] = ..., fault: _Optional[int] = ...) -> None: ...

class LiftFaultResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LeaveSessionRequest(_message.Message):
    __slots__ = ("session", "participant")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ...) -> None: ...

class LeaveSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchSessionRequest(_message.Message):
    __slots__ = ("session", "after_sequence")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    session: str
    after_sequence: int
    def __init__(self, session: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class WatchSessionResponse(_message.Message):
    __slots__ = ("events", "part")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    part: _run_pb2.EventPart
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., part: _Optional[_Union[_run_pb2.EventPart, _Mapping]] = ...) -> None: ...

class FinishSessionRequest(_message.Message):
    __slots__ = ("session", "participant", "until")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    session: str
    participant: int
    until: _duration_pb2.Duration
    def __init__(self, session: _Optional[str] = ..., participant: _Optional[int] = ..., until: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class FinishSessionResponse(_message.Message):
    __slots__ = ("finished", "expectations", "events", "incomplete")
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    EXPECTATIONS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    finished: _verdict_pb2.RunFinished
    expectations: _containers.RepeatedCompositeFieldContainer[_verdict_pb2.ExpectationResult]
    events: int
    incomplete: bool
    def __init__(self, finished: _Optional[_Union[_verdict_pb2.RunFinished, _Mapping]] = ..., expectations: _Optional[_Iterable[_Union[_verdict_pb2.ExpectationResult, _Mapping]]] = ..., events: _Optional[int] = ..., incomplete: bool = ...) -> None: ...

class ExportSessionRequest(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: str
    def __init__(self, session: _Optional[str] = ...) -> None: ...

class ExportSessionResponse(_message.Message):
    __slots__ = ("yaml", "seed")
    YAML_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    yaml: str
    seed: int
    def __init__(self, yaml: _Optional[str] = ..., seed: _Optional[int] = ...) -> None: ...

class DeleteSessionRequest(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: str
    def __init__(self, session: _Optional[str] = ...) -> None: ...

class DeleteSessionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
