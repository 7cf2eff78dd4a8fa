import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from halfopen.v1 import network_pb2 as _network_pb2
from halfopen.v1 import reference_pb2 as _reference_pb2
from halfopen.v1 import tcp_pb2 as _tcp_pb2
from halfopen.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OtherCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OTHER_CAUSE_UNSPECIFIED: _ClassVar[OtherCause]
    OTHER_CAUSE_LISTENER_CLOSED: _ClassVar[OtherCause]
    OTHER_CAUSE_REPLACED: _ClassVar[OtherCause]

class TimerChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMER_CHANGE_UNSPECIFIED: _ClassVar[TimerChange]
    TIMER_CHANGE_SET: _ClassVar[TimerChange]
    TIMER_CHANGE_FIRED: _ClassVar[TimerChange]
    TIMER_CHANGE_CANCELLED: _ClassVar[TimerChange]

class HostState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HOST_STATE_UNSPECIFIED: _ClassVar[HostState]
    HOST_STATE_UP: _ClassVar[HostState]
    HOST_STATE_FROZEN: _ClassVar[HostState]
    HOST_STATE_PAUSED: _ClassVar[HostState]
    HOST_STATE_DOWN: _ClassVar[HostState]
OTHER_CAUSE_UNSPECIFIED: OtherCause
OTHER_CAUSE_LISTENER_CLOSED: OtherCause
OTHER_CAUSE_REPLACED: OtherCause
TIMER_CHANGE_UNSPECIFIED: TimerChange
TIMER_CHANGE_SET: TimerChange
TIMER_CHANGE_FIRED: TimerChange
TIMER_CHANGE_CANCELLED: TimerChange
HOST_STATE_UNSPECIFIED: HostState
HOST_STATE_UP: HostState
HOST_STATE_FROZEN: HostState
HOST_STATE_PAUSED: HostState
HOST_STATE_DOWN: HostState

class Event(_message.Message):
    __slots__ = ("sequence", "time", "host", "connection", "run_started", "connection_created", "segment_sent", "segment_arrived", "segment_lost", "state_transition", "timer_changed", "keepalive_outcome", "connection_error", "fault_applied", "application_result", "expectation_result", "run_finished", "destination_unreachable", "middlebox_changed", "host_changed", "connection_opened", "step_blocked", "data_written", "data_read", "data_mistaken", "limit_reached", "run_stopped", "fault_added", "call_returned", "tcp_info", "fault_lifted")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    RUN_STARTED_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_CREATED_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_SENT_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_ARRIVED_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_LOST_FIELD_NUMBER: _ClassVar[int]
    STATE_TRANSITION_FIELD_NUMBER: _ClassVar[int]
    TIMER_CHANGED_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ERROR_FIELD_NUMBER: _ClassVar[int]
    FAULT_APPLIED_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_RESULT_FIELD_NUMBER: _ClassVar[int]
    EXPECTATION_RESULT_FIELD_NUMBER: _ClassVar[int]
    RUN_FINISHED_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_UNREACHABLE_FIELD_NUMBER: _ClassVar[int]
    MIDDLEBOX_CHANGED_FIELD_NUMBER: _ClassVar[int]
    HOST_CHANGED_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_OPENED_FIELD_NUMBER: _ClassVar[int]
    STEP_BLOCKED_FIELD_NUMBER: _ClassVar[int]
    DATA_WRITTEN_FIELD_NUMBER: _ClassVar[int]
    DATA_READ_FIELD_NUMBER: _ClassVar[int]
    DATA_MISTAKEN_FIELD_NUMBER: _ClassVar[int]
    LIMIT_REACHED_FIELD_NUMBER: _ClassVar[int]
    RUN_STOPPED_FIELD_NUMBER: _ClassVar[int]
    FAULT_ADDED_FIELD_NUMBER: _ClassVar[int]
    CALL_RETURNED_FIELD_NUMBER: _ClassVar[int]
    TCP_INFO_FIELD_NUMBER: _ClassVar[int]
    FAULT_LIFTED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: _duration_pb2.Duration
    host: str
    connection: int
    run_started: RunStarted
    connection_created: ConnectionCreated
    segment_sent: SegmentSent
    segment_arrived: SegmentArrived
    segment_lost: _network_pb2.SegmentLost
    state_transition: StateTransition
    timer_changed: TimerChanged
    keepalive_outcome: _verdict_pb2.KeepaliveOutcome
    connection_error: ConnectionError
    fault_applied: _network_pb2.FaultApplied
    application_result: ApplicationResult
    expectation_result: _verdict_pb2.ExpectationResult
    run_finished: _verdict_pb2.RunFinished
    destination_unreachable: _network_pb2.DestinationUnreachable
    middlebox_changed: _network_pb2.MiddleboxChanged
    host_changed: HostChanged
    connection_opened: ConnectionOpened
    step_blocked: StepBlocked
    data_written: DataWritten
    data_read: DataRead
    data_mistaken: DataMistaken
    limit_reached: LimitReached
    run_stopped: RunStopped
    fault_added: _network_pb2.FaultAdded
    call_returned: CallReturned
    tcp_info: _tcp_pb2.TcpInfo
    fault_lifted: _network_pb2.FaultLifted
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., host: _Optional[str] = ..., connection: _Optional[int] = ..., run_started: _Optional[_Union[RunStarted, _Mapping]] = ..., connection_created: _Optional[_Union[ConnectionCreated, _Mapping]] = ..., segment_sent: _Optional[_Union[SegmentSent, _Mapping]] = ..., segment_arrived: _Optional[_Union[SegmentArrived, _Mapping]] = ..., segment_lost: _Optional[_Union[_network_pb2.SegmentLost, _Mapping]] = ..., state_transition: _Optional[_Union[StateTransition, _Mapping]] = ..., timer_changed: _Optional[_Union[TimerChanged, _Mapping]] = ..., keepalive_outcome: _Optional[_Union[_verdict_pb2.KeepaliveOutcome, _Mapping]] = ..., connection_error: _Optional[_Union[ConnectionError, _Mapping]] = ..., fault_applied: _Optional[_Union[_network_pb2.FaultApplied, _Mapping]] = ..., application_result: _Optional[_Union[ApplicationResult, _Mapping]] = ..., expectation_result: _Optional[_Union[_verdict_pb2.ExpectationResult, _Mapping]] = ..., run_finished: _Optional[_Union[_verdict_pb2.RunFinished, _Mapping]] = ..., destination_unreachable: _Optional[_Union[_network_pb2.DestinationUnreachable, _Mapping]] = ..., middlebox_changed: _Optional[_Union[_network_pb2.MiddleboxChanged, _Mapping]] = ..., host_changed: _Optional[_Union[HostChanged, _Mapping]] = ..., connection_opened: _Optional[_Union[ConnectionOpened, _Mapping]] = ..., step_blocked: _Optional[_Union[StepBlocked, _Mapping]] = ..., data_written: _Optional[_Union[DataWritten, _Mapping]] = ..., data_read: _Optional[_Union[DataRead, _Mapping]] = ..., data_mistaken: _Optional[_Union[DataMistaken, _Mapping]] = ..., limit_reached: _Optional[_Union[LimitReached, _Mapping]] = ..., run_stopped: _Optional[_Union[RunStopped, _Mapping]] = ..., fault_added: _Optional[_Union[_network_pb2.FaultAdded, _Mapping]] = ..., call_returned: _Optional[_Union[CallReturned, _Mapping]] = ..., tcp_info: _Optional[_Union[_tcp_pb2.TcpInfo, _Mapping]] = ..., fault_lifted: _Optional[_Union[_network_pb2.FaultLifted, _Mapping]] = ...) -> None: ...

class RunStarted(_message.Message):
    __slots__ = ("scenario", "title", "seed", "version", "hosts", "variant", "middleboxes", "settings")
    SCENARIO_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HOSTS_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    MIDDLEBOXES_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    scenario: str
    title: str
    seed: int
    version: str
    hosts: _containers.RepeatedCompositeFieldContainer[Host]
    variant: str
    middleboxes: _containers.RepeatedScalarFieldContainer[str]
    settings: _containers.RepeatedCompositeFieldContainer[Setting]
    def __init__(self, scenario: _Optional[str] = ..., title: _Optional[str] = ..., seed: _Optional[int] = ..., version: _Optional[str] = ..., hosts: _Optional[_Iterable[_Union[Host, _Mapping]]] = ..., variant: _Optional[str] = ..., middleboxes: _Optional[_Iterable[str]] = ..., settings: _Optional[_Iterable[_Union[Setting, _Mapping]]] = ...) -> None: ...

class Setting(_message.Message):
    __slots__ = ("path", "text", "enabled", "number", "duration", "bytes")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    path: str
    text: str
    enabled: bool
    number: int
    duration: _duration_pb2.Duration
    bytes: int
    def __init__(self, path: _Optional[str] = ..., text: _Optional[str] = ..., enabled: bool = ..., number: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., bytes: _Optional[int] = ...) -> None: ...

class Host(_message.Message):
    __slots__ = ("name", "addresses", "profile")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    name: str
    addresses: _containers.RepeatedScalarFieldContainer[str]
    profile: str
    def __init__(self, name: _Optional[str] = ..., addresses: _Optional[_Iterable[str]] = ..., profile: _Optional[str] = ...) -> None: ...

class ConnectionCreated(_message.Message):
    __slots__ = ("local", "remote", "remote_host", "peer_connection")
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    REMOTE_FIELD_NUMBER: _ClassVar[int]
    REMOTE_HOST_FIELD_NUMBER: _ClassVar[int]
    PEER_CONNECTION_FIELD_NUMBER: _ClassVar[int]
    local: str
    remote: str
    remote_host: str
    peer_connection: int
    def __init__(self, local: _Optional[str] = ..., remote: _Optional[str] = ..., remote_host: _Optional[str] = ..., peer_connection: _Optional[int] = ...) -> None: ...

class SegmentSent(_message.Message):
    __slots__ = ("segment", "receiver", "source", "destination", "flags", "sequence_number", "acknowledgment_number", "relative_sequence_number", "relative_acknowledgment_number", "length", "window", "options", "purpose", "retransmission", "sender_state", "receiver_state", "injected", "size", "middlebox", "datagram")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGMENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_ACKNOWLEDGMENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    RETRANSMISSION_FIELD_NUMBER: _ClassVar[int]
    SENDER_STATE_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_STATE_FIELD_NUMBER: _ClassVar[int]
    INJECTED_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    MIDDLEBOX_FIELD_NUMBER: _ClassVar[int]
    DATAGRAM_FIELD_NUMBER: _ClassVar[int]
    segment: int
    receiver: str
    source: str
    destination: str
    flags: _tcp_pb2.TcpFlags
    sequence_number: int
    acknowledgment_number: int
    relative_sequence_number: int
    relative_acknowledgment_number: int
    length: int
    window: int
    options: _tcp_pb2.TcpOptions
    purpose: _tcp_pb2.TcpPurpose
    retransmission: bool
    sender_state: _tcp_pb2.TcpState
    receiver_state: _tcp_pb2.TcpState
    injected: bool
    size: int
    middlebox: str
    datagram: bytes
    def __init__(self, segment: _Optional[int] = ..., receiver: _Optional[str] = ..., source: _Optional[str] = ..., destination: _Optional[str] = ..., flags: _Optional[_Union[_tcp_pb2.TcpFlags, _Mapping]] = ..., sequence_number: _Optional[int] = ..., acknowledgment_number: _Optional[int] = ..., relative_sequence_number: _Optional[int] = ..., relative_acknowledgment_number: _Optional[int] = ..., length: _Optional[int] = ..., window: _Optional[int] = ..., options: _Optional[_Union[_tcp_pb2.TcpOptions, _Mapping]] = ..., purpose: _Optional[_Union[_tcp_pb2.TcpPurpose, str]] = ..., retransmission: bool = ..., sender_state: _Optional[_Union[_tcp_pb2.TcpState, str]] = ..., receiver_state: _Optional[_Union[_tcp_pb2.TcpState, str]] = ..., injected: bool = ..., size: _Optional[int] = ..., middlebox: _Optional[str] = ..., datagram: _Optional[bytes] = ...) -> None: ...

class SegmentArrived(_message.Message):
    __slots__ = ("segment", "drop_reason", "datagram")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    DROP_REASON_FIELD_NUMBER: _ClassVar[int]
    DATAGRAM_FIELD_NUMBER: _ClassVar[int]
    segment: int
    drop_reason: _tcp_pb2.TcpDropReason
    datagram: bytes
    def __init__(self, segment: _Optional[int] = ..., drop_reason: _Optional[_Union[_tcp_pb2.TcpDropReason, str]] = ..., datagram: _Optional[bytes] = ...) -> None: ...

class StateTransition(_message.Message):
    __slots__ = ("before", "after", "cause")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    before: _tcp_pb2.TcpState
    after: _tcp_pb2.TcpState
    cause: Cause
    def __init__(self, before: _Optional[_Union[_tcp_pb2.TcpState, str]] = ..., after: _Optional[_Union[_tcp_pb2.TcpState, str]] = ..., cause: _Optional[_Union[Cause, _Mapping]] = ...) -> None: ...

class Cause(_message.Message):
    __slots__ = ("call", "segment", "timer", "gave_up", "unreachable", "other", "user_timeout")
    CALL_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    TIMER_FIELD_NUMBER: _ClassVar[int]
    GAVE_UP_FIELD_NUMBER: _ClassVar[int]
    UNREACHABLE_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    USER_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    call: _tcp_pb2.TcpCall
    segment: SegmentCause
    timer: _tcp_pb2.TcpTimer
    gave_up: _tcp_pb2.TcpTimer
    unreachable: str
    other: OtherCause
    user_timeout: bool
    def __init__(self, call: _Optional[_Union[_tcp_pb2.TcpCall, str]] = ..., segment: _Optional[_Union[SegmentCause, _Mapping]] = ..., timer: _Optional[_Union[_tcp_pb2.TcpTimer, str]] = ..., gave_up: _Optional[_Union[_tcp_pb2.TcpTimer, str]] = ..., unreachable: _Optional[str] = ..., other: _Optional[_Union[OtherCause, str]] = ..., user_timeout: bool = ...) -> None: ...

class SegmentCause(_message.Message):
    __slots__ = ("segment", "flags", "syn_cookie")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    SYN_COOKIE_FIELD_NUMBER: _ClassVar[int]
    segment: int
    flags: _tcp_pb2.TcpFlags
    syn_cookie: bool
    def __init__(self, segment: _Optional[int] = ..., flags: _Optional[_Union[_tcp_pb2.TcpFlags, _Mapping]] = ..., syn_cookie: bool = ...) -> None: ...

class TimerChanged(_message.Message):
    __slots__ = ("timer", "change", "expires")
    TIMER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    timer: _tcp_pb2.TcpTimer
    change: TimerChange
    expires: _duration_pb2.Duration
    def __init__(self, timer: _Optional[_Union[_tcp_pb2.TcpTimer, str]] = ..., change: _Optional[_Union[TimerChange, str]] = ..., expires: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ConnectionError(_message.Message):
    __slots__ = ("errno",)
    ERRNO_FIELD_NUMBER: _ClassVar[int]
    errno: str
    def __init__(self, errno: _Optional[str] = ...) -> None: ...

class HostChanged(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: HostState
    def __init__(self, state: _Optional[_Union[HostState, str]] = ...) -> None: ...

class ConnectionOpened(_message.Message):
    __slots__ = ("application", "name")
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    application: str
    name: str
    def __init__(self, application: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class StepBlocked(_message.Message):
    __slots__ = ("step",)
    STEP_FIELD_NUMBER: _ClassVar[int]
    step: _reference_pb2.StepReference
    def __init__(self, step: _Optional[_Union[_reference_pb2.StepReference, _Mapping]] = ...) -> None: ...

class DataWritten(_message.Message):
    __slots__ = ("bytes",)
    BYTES_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    def __init__(self, bytes: _Optional[int] = ...) -> None: ...

class DataRead(_message.Message):
    __slots__ = ("bytes",)
    BYTES_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    def __init__(self, bytes: _Optional[int] = ...) -> None: ...

class DataMistaken(_message.Message):
    __slots__ = ("offset",)
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    offset: int
    def __init__(self, offset: _Optional[int] = ...) -> None: ...

class ApplicationResult(_message.Message):
    __slots__ = ("step", "bytes", "end_of_stream", "error", "failed")
    STEP_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    END_OF_STREAM_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    step: _reference_pb2.StepReference
    bytes: int
    end_of_stream: bool
    error: str
    failed: bool
    def __init__(self, step: _Optional[_Union[_reference_pb2.StepReference, _Mapping]] = ..., bytes: _Optional[int] = ..., end_of_stream: bool = ..., error: _Optional[str] = ..., failed: bool = ...) -> None: ...

class CallReturned(_message.Message):
    __slots__ = ("error", "end_of_stream", "step")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_OF_STREAM_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    error: str
    end_of_stream: bool
    step: _reference_pb2.StepReference
    def __init__(self, error: _Optional[str] = ..., end_of_stream: bool = ..., step: _Optional[_Union[_reference_pb2.StepReference, _Mapping]] = ...) -> None: ...

class LimitReached(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: _verdict_pb2.RunLimit
    def __init__(self, limit: _Optional[_Union[_verdict_pb2.RunLimit, _Mapping]] = ...) -> None: ...

class RunStopped(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
