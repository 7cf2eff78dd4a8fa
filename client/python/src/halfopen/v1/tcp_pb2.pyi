import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TcpState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TCP_STATE_UNSPECIFIED: _ClassVar[TcpState]
    TCP_STATE_CLOSED: _ClassVar[TcpState]
    TCP_STATE_LISTEN: _ClassVar[TcpState]
    TCP_STATE_SYN_SENT: _ClassVar[TcpState]
    TCP_STATE_SYN_RECEIVED: _ClassVar[TcpState]
    TCP_STATE_ESTABLISHED: _ClassVar[TcpState]
    TCP_STATE_FIN_WAIT_1: _ClassVar[TcpState]
    TCP_STATE_FIN_WAIT_2: _ClassVar[TcpState]
    TCP_STATE_CLOSE_WAIT: _ClassVar[TcpState]
    TCP_STATE_CLOSING: _ClassVar[TcpState]
    TCP_STATE_LAST_ACK: _ClassVar[TcpState]
    TCP_STATE_TIME_WAIT: _ClassVar[TcpState]

class TcpTimer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TCP_TIMER_UNSPECIFIED: _ClassVar[TcpTimer]
    TCP_TIMER_RETRANSMISSION: _ClassVar[TcpTimer]
    TCP_TIMER_TAIL_LOSS_PROBE: _ClassVar[TcpTimer]
    TCP_TIMER_PERSIST: _ClassVar[TcpTimer]
    TCP_TIMER_KEEPALIVE: _ClassVar[TcpTimer]
    TCP_TIMER_DELAYED_ACK: _ClassVar[TcpTimer]
    TCP_TIMER_FIN_WAIT_2: _ClassVar[TcpTimer]
    TCP_TIMER_TIME_WAIT: _ClassVar[TcpTimer]
    TCP_TIMER_REORDERING: _ClassVar[TcpTimer]

class TcpCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TCP_CALL_UNSPECIFIED: _ClassVar[TcpCall]
    TCP_CALL_CONNECT: _ClassVar[TcpCall]
    TCP_CALL_LISTEN: _ClassVar[TcpCall]
    TCP_CALL_SHUTDOWN: _ClassVar[TcpCall]
    TCP_CALL_CLOSE: _ClassVar[TcpCall]
    TCP_CALL_ABORT: _ClassVar[TcpCall]

class TcpDropReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TCP_DROP_REASON_UNSPECIFIED: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_MALFORMED: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_CHECKSUM: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_NOT_FOR_US: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_NO_CONNECTION: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_OUT_OF_WINDOW: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_DUPLICATE: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_OLD_TIMESTAMP: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_UNACCEPTABLE_ACK: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_NO_ACK: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_NO_SYN: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_UNEXPECTED_SYN: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_INEXACT_RESET: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_QUEUE_FULL: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_NO_RECEIVER: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_IMPOSSIBLE_MTU: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_NO_LISTENER: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_SYN_FIN: _ClassVar[TcpDropReason]
    TCP_DROP_REASON_AWAITING_DATA: _ClassVar[TcpDropReason]

class TcpInfoField(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TCP_INFO_FIELD_UNSPECIFIED: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_CWND: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_SSTHRESH: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_UNACKED: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_SACKED: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_LOST: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_RETRANS: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_RETRANSMITS: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_TOTAL_RETRANS: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_DELIVERED: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_RTT: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_MIN_RTT: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_RTO: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_REORDERING: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_INQ: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_OUTQ: _ClassVar[TcpInfoField]
    TCP_INFO_FIELD_NOTSENT: _ClassVar[TcpInfoField]

class TcpPurpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TCP_PURPOSE_UNSPECIFIED: _ClassVar[TcpPurpose]
    TCP_PURPOSE_NORMAL: _ClassVar[TcpPurpose]
    TCP_PURPOSE_RETRANSMISSION: _ClassVar[TcpPurpose]
    TCP_PURPOSE_FAST_RETRANSMISSION: _ClassVar[TcpPurpose]
    TCP_PURPOSE_TAIL_LOSS_PROBE: _ClassVar[TcpPurpose]
    TCP_PURPOSE_KEEPALIVE_PROBE: _ClassVar[TcpPurpose]
    TCP_PURPOSE_WINDOW_PROBE: _ClassVar[TcpPurpose]
    TCP_PURPOSE_CHALLENGE_ACK: _ClassVar[TcpPurpose]
    TCP_PURPOSE_DUPLICATE_ACK: _ClassVar[TcpPurpose]
    TCP_PURPOSE_RESET: _ClassVar[TcpPurpose]
TCP_STATE_UNSPECIFIED: TcpState
TCP_STATE_CLOSED: TcpState
TCP_STATE_LISTEN: TcpState
TCP_STATE_SYN_SENT: TcpState
TCP_STATE_SYN_RECEIVED: TcpState
TCP_STATE_ESTABLISHED: TcpState
TCP_STATE_FIN_WAIT_1: TcpState
TCP_STATE_FIN_WAIT_2: TcpState
TCP_STATE_CLOSE_WAIT: TcpState
TCP_STATE_CLOSING: TcpState
TCP_STATE_LAST_ACK: TcpState
TCP_STATE_TIME_WAIT: TcpState
TCP_TIMER_UNSPECIFIED: TcpTimer
TCP_TIMER_RETRANSMISSION: TcpTimer
TCP_TIMER_TAIL_LOSS_PROBE: TcpTimer
TCP_TIMER_PERSIST: TcpTimer
TCP_TIMER_KEEPALIVE: TcpTimer
TCP_TIMER_DELAYED_ACK: TcpTimer
TCP_TIMER_FIN_WAIT_2: TcpTimer
TCP_TIMER_TIME_WAIT: TcpTimer
TCP_TIMER_REORDERING: TcpTimer
TCP_CALL_UNSPECIFIED: TcpCall
TCP_CALL_CONNECT: TcpCall
TCP_CALL_LISTEN: TcpCall
TCP_CALL_SHUTDOWN: TcpCall
TCP_CALL_CLOSE: TcpCall
TCP_CALL_ABORT: TcpCall
TCP_DROP_REASON_UNSPECIFIED: TcpDropReason
TCP_DROP_REASON_MALFORMED: TcpDropReason
TCP_DROP_REASON_CHECKSUM: TcpDropReason
TCP_DROP_REASON_NOT_FOR_US: TcpDropReason
TCP_DROP_REASON_NO_CONNECTION: TcpDropReason
TCP_DROP_REASON_OUT_OF_WINDOW: TcpDropReason
TCP_DROP_REASON_DUPLICATE: TcpDropReason
TCP_DROP_REASON_OLD_TIMESTAMP: TcpDropReason
TCP_DROP_REASON_UNACCEPTABLE_ACK: TcpDropReason
TCP_DROP_REASON_NO_ACK: TcpDropReason
TCP_DROP_REASON_NO_SYN: TcpDropReason
TCP_DROP_REASON_UNEXPECTED_SYN: TcpDropReason
TCP_DROP_REASON_INEXACT_RESET: TcpDropReason
TCP_DROP_REASON_QUEUE_FULL: TcpDropReason
TCP_DROP_REASON_NO_RECEIVER: TcpDropReason
TCP_DROP_REASON_IMPOSSIBLE_MTU: TcpDropReason
TCP_DROP_REASON_NO_LISTENER: TcpDropReason
TCP_DROP_REASON_SYN_FIN: TcpDropReason
TCP_DROP_REASON_AWAITING_DATA: TcpDropReason
TCP_INFO_FIELD_UNSPECIFIED: TcpInfoField
TCP_INFO_FIELD_CWND: TcpInfoField
TCP_INFO_FIELD_SSTHRESH: TcpInfoField
TCP_INFO_FIELD_UNACKED: TcpInfoField
TCP_INFO_FIELD_SACKED: TcpInfoField
TCP_INFO_FIELD_LOST: TcpInfoField
TCP_INFO_FIELD_RETRANS: TcpInfoField
TCP_INFO_FIELD_RETRANSMITS: TcpInfoField
TCP_INFO_FIELD_TOTAL_RETRANS: TcpInfoField
TCP_INFO_FIELD_DELIVERED: TcpInfoField
TCP_INFO_FIELD_RTT: TcpInfoField
TCP_INFO_FIELD_MIN_RTT: TcpInfoField
TCP_INFO_FIELD_RTO: TcpInfoField
TCP_INFO_FIELD_REORDERING: TcpInfoField
TCP_INFO_FIELD_INQ: TcpInfoField
TCP_INFO_FIELD_OUTQ: TcpInfoField
TCP_INFO_FIELD_NOTSENT: TcpInfoField
TCP_PURPOSE_UNSPECIFIED: TcpPurpose
TCP_PURPOSE_NORMAL: TcpPurpose
TCP_PURPOSE_RETRANSMISSION: TcpPurpose
TCP_PURPOSE_FAST_RETRANSMISSION: TcpPurpose
TCP_PURPOSE_TAIL_LOSS_PROBE: TcpPurpose
TCP_PURPOSE_KEEPALIVE_PROBE: TcpPurpose
TCP_PURPOSE_WINDOW_PROBE: TcpPurpose
TCP_PURPOSE_CHALLENGE_ACK: TcpPurpose
TCP_PURPOSE_DUPLICATE_ACK: TcpPurpose
TCP_PURPOSE_RESET: TcpPurpose

class TcpFlags(_message.Message):
    __slots__ = ("syn", "ack", "fin", "rst", "psh", "urg", "ece", "cwr")
    SYN_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    FIN_FIELD_NUMBER: _ClassVar[int]
    RST_FIELD_NUMBER: _ClassVar[int]
    PSH_FIELD_NUMBER: _ClassVar[int]
    URG_FIELD_NUMBER: _ClassVar[int]
    ECE_FIELD_NUMBER: _ClassVar[int]
    CWR_FIELD_NUMBER: _ClassVar[int]
    syn: bool
    ack: bool
    fin: bool
    rst: bool
    psh: bool
    urg: bool
    ece: bool
    cwr: bool
    def __init__(self, syn: bool = ..., ack: bool = ..., fin: bool = ..., rst: bool = ..., psh: bool = ..., urg: bool = ..., ece: bool = ..., cwr: bool = ...) -> None: ...

class TcpInfo(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[TcpInfoValue]
    def __init__(self, values: _Optional[_Iterable[_Union[TcpInfoValue, _Mapping]]] = ...) -> None: ...

class TcpInfoValue(_message.Message):
    __slots__ = ("field", "number", "time")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    field: TcpInfoField
    number: int
    time: _duration_pb2.Duration
    def __init__(self, field: _Optional[_Union[TcpInfoField, str]] = ..., number: _Optional[int] = ..., time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class TcpSackBlock(_message.Message):
    __slots__ = ("left", "right")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    left: int
    right: int
    def __init__(self, left: _Optional[int] = ..., right: _Optional[int] = ...) -> None: ...

class TcpOptions(_message.Message):
    __slots__ = ("mss", "window_scale", "sack_permitted", "timestamp", "timestamp_echo", "sack")
    MSS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SCALE_FIELD_NUMBER: _ClassVar[int]
    SACK_PERMITTED_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_ECHO_FIELD_NUMBER: _ClassVar[int]
    SACK_FIELD_NUMBER: _ClassVar[int]
    mss: int
    window_scale: int
    sack_permitted: bool
    timestamp: int
    timestamp_echo: int
    sack: _containers.RepeatedCompositeFieldContainer[TcpSackBlock]
    def __init__(self, mss: _Optional[int] = ..., window_scale: _Optional[int] = ..., sack_permitted: bool = ..., timestamp: _Optional[int] = ..., timestamp_echo: _Optional[int] = ..., sack: _Optional[_Iterable[_Union[TcpSackBlock, _Mapping]]] = ...) -> None: ...
