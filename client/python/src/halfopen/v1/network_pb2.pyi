import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from halfopen.v1 import reference_pb2 as _reference_pb2
from halfopen.v1 import tcp_pb2 as _tcp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LossReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOSS_REASON_UNSPECIFIED: _ClassVar[LossReason]
    LOSS_REASON_FAULT: _ClassVar[LossReason]
    LOSS_REASON_PARTITION: _ClassVar[LossReason]
    LOSS_REASON_HOST_DOWN: _ClassVar[LossReason]
    LOSS_REASON_HOST_PAUSED: _ClassVar[LossReason]
    LOSS_REASON_CABLE_PULLED: _ClassVar[LossReason]
    LOSS_REASON_BLACK_HOLE: _ClassVar[LossReason]
    LOSS_REASON_NO_ROUTE: _ClassVar[LossReason]
    LOSS_REASON_TOO_LARGE: _ClassVar[LossReason]
    LOSS_REASON_QUEUE_FULL: _ClassVar[LossReason]
    LOSS_REASON_RANDOM: _ClassVar[LossReason]
    LOSS_REASON_MIDDLEBOX: _ClassVar[LossReason]
    LOSS_REASON_NEIGHBOUR_UNRESOLVED: _ClassVar[LossReason]

class MiddleboxLossReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MIDDLEBOX_LOSS_REASON_UNSPECIFIED: _ClassVar[MiddleboxLossReason]
    MIDDLEBOX_LOSS_REASON_NO_STATE: _ClassVar[MiddleboxLossReason]
    MIDDLEBOX_LOSS_REASON_INVALID: _ClassVar[MiddleboxLossReason]
    MIDDLEBOX_LOSS_REASON_BLOCKED: _ClassVar[MiddleboxLossReason]
    MIDDLEBOX_LOSS_REASON_DOWN: _ClassVar[MiddleboxLossReason]
    MIDDLEBOX_LOSS_REASON_FULL: _ClassVar[MiddleboxLossReason]
    MIDDLEBOX_LOSS_REASON_REUSED: _ClassVar[MiddleboxLossReason]
    MIDDLEBOX_LOSS_REASON_NO_PORT: _ClassVar[MiddleboxLossReason]

class UnreachableCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNREACHABLE_CODE_UNSPECIFIED: _ClassVar[UnreachableCode]
    UNREACHABLE_CODE_NET: _ClassVar[UnreachableCode]
    UNREACHABLE_CODE_HOST: _ClassVar[UnreachableCode]
    UNREACHABLE_CODE_PORT: _ClassVar[UnreachableCode]
    UNREACHABLE_CODE_FRAGMENTATION_NEEDED: _ClassVar[UnreachableCode]

class MiddleboxChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MIDDLEBOX_CHANGE_UNSPECIFIED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_CREATED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_ADOPTED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_MOVED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_EXPIRED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_FORGOTTEN: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_CLAMPED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_UNTRANSLATED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_TRANSLATED: _ClassVar[MiddleboxChange]
    MIDDLEBOX_CHANGE_RENUMBERED: _ClassVar[MiddleboxChange]

class MiddleboxState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MIDDLEBOX_STATE_UNSPECIFIED: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_SYN_SENT: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_SYN_RECEIVED: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_ESTABLISHED: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_FIN_WAIT: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_CLOSE_WAIT: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_LAST_ACK: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_TIME_WAIT: _ClassVar[MiddleboxState]
    MIDDLEBOX_STATE_CLOSED: _ClassVar[MiddleboxState]

class FaultPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAULT_PHASE_UNSPECIFIED: _ClassVar[FaultPhase]
    FAULT_PHASE_BEGIN: _ClassVar[FaultPhase]
    FAULT_PHASE_END: _ClassVar[FaultPhase]

class FaultKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FAULT_KIND_UNSPECIFIED: _ClassVar[FaultKind]
    FAULT_KIND_DROP: _ClassVar[FaultKind]
    FAULT_KIND_DELAY: _ClassVar[FaultKind]
    FAULT_KIND_DUPLICATE: _ClassVar[FaultKind]
    FAULT_KIND_REORDER: _ClassVar[FaultKind]
    FAULT_KIND_CORRUPT: _ClassVar[FaultKind]
    FAULT_KIND_REWRITE: _ClassVar[FaultKind]
    FAULT_KIND_UNREACHABLE: _ClassVar[FaultKind]
    FAULT_KIND_INJECT: _ClassVar[FaultKind]
    FAULT_KIND_POWER_LOSS: _ClassVar[FaultKind]
    FAULT_KIND_REBOOT: _ClassVar[FaultKind]
    FAULT_KIND_KILL: _ClassVar[FaultKind]
    FAULT_KIND_FREEZE: _ClassVar[FaultKind]
    FAULT_KIND_PAUSE: _ClassVar[FaultKind]
    FAULT_KIND_CLOCK_JUMP: _ClassVar[FaultKind]
    FAULT_KIND_CABLE_PULL: _ClassVar[FaultKind]
    FAULT_KIND_BLACK_HOLE: _ClassVar[FaultKind]
    FAULT_KIND_PARTITION: _ClassVar[FaultKind]
    FAULT_KIND_FORGET: _ClassVar[FaultKind]
    FAULT_KIND_BLOCKS_NEW: _ClassVar[FaultKind]
    FAULT_KIND_MOVE_ADDRESS: _ClassVar[FaultKind]
    FAULT_KIND_LOSE_ADDRESS: _ClassVar[FaultKind]

class SegmentField(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_FIELD_UNSPECIFIED: _ClassVar[SegmentField]
    SEGMENT_FIELD_SEQUENCE: _ClassVar[SegmentField]
    SEGMENT_FIELD_ACKNOWLEDGMENT: _ClassVar[SegmentField]
    SEGMENT_FIELD_FLAGS: _ClassVar[SegmentField]
    SEGMENT_FIELD_WINDOW: _ClassVar[SegmentField]
    SEGMENT_FIELD_CHECKSUM: _ClassVar[SegmentField]
    SEGMENT_FIELD_URGENT: _ClassVar[SegmentField]
    SEGMENT_FIELD_PAYLOAD: _ClassVar[SegmentField]
    SEGMENT_FIELD_MSS: _ClassVar[SegmentField]
    SEGMENT_FIELD_WINDOW_SCALE: _ClassVar[SegmentField]
    SEGMENT_FIELD_SACK_PERMITTED: _ClassVar[SegmentField]
    SEGMENT_FIELD_SACK: _ClassVar[SegmentField]
    SEGMENT_FIELD_TIMESTAMPS: _ClassVar[SegmentField]
LOSS_REASON_UNSPECIFIED: LossReason
LOSS_REASON_FAULT: LossReason
LOSS_REASON_PARTITION: LossReason
LOSS_REASON_HOST_DOWN: LossReason
LOSS_REASON_HOST_PAUSED: LossReason
LOSS_REASON_CABLE_PULLED: LossReason
LOSS_REASON_BLACK_HOLE: LossReason
LOSS_REASON_NO_ROUTE: LossReason
LOSS_REASON_TOO_LARGE: LossReason
LOSS_REASON_QUEUE_FULL: LossReason
LOSS_REASON_RANDOM: LossReason
LOSS_REASON_MIDDLEBOX: LossReason
LOSS_REASON_NEIGHBOUR_UNRESOLVED: LossReason
MIDDLEBOX_LOSS_REASON_UNSPECIFIED: MiddleboxLossReason
MIDDLEBOX_LOSS_REASON_NO_STATE: MiddleboxLossReason
MIDDLEBOX_LOSS_REASON_INVALID: MiddleboxLossReason
MIDDLEBOX_LOSS_REASON_BLOCKED: MiddleboxLossReason
MIDDLEBOX_LOSS_REASON_DOWN: MiddleboxLossReason
MIDDLEBOX_LOSS_REASON_FULL: MiddleboxLossReason
MIDDLEBOX_LOSS_REASON_REUSED: MiddleboxLossReason
MIDDLEBOX_LOSS_REASON_NO_PORT: MiddleboxLossReason
UNREACHABLE_CODE_UNSPECIFIED: UnreachableCode
UNREACHABLE_CODE_NET: UnreachableCode
UNREACHABLE_CODE_HOST: UnreachableCode
UNREACHABLE_CODE_PORT: UnreachableCode
UNREACHABLE_CODE_FRAGMENTATION_NEEDED: UnreachableCode
MIDDLEBOX_CHANGE_UNSPECIFIED: MiddleboxChange
MIDDLEBOX_CHANGE_CREATED: MiddleboxChange
MIDDLEBOX_CHANGE_ADOPTED: MiddleboxChange
MIDDLEBOX_CHANGE_MOVED: MiddleboxChange
MIDDLEBOX_CHANGE_EXPIRED: MiddleboxChange
MIDDLEBOX_CHANGE_FORGOTTEN: MiddleboxChange
MIDDLEBOX_CHANGE_CLAMPED: MiddleboxChange
MIDDLEBOX_CHANGE_UNTRANSLATED: MiddleboxChange
MIDDLEBOX_CHANGE_TRANSLATED: MiddleboxChange
MIDDLEBOX_CHANGE_RENUMBERED: MiddleboxChange
MIDDLEBOX_STATE_UNSPECIFIED: MiddleboxState
MIDDLEBOX_STATE_SYN_SENT: MiddleboxState
MIDDLEBOX_STATE_SYN_RECEIVED: MiddleboxState
MIDDLEBOX_STATE_ESTABLISHED: MiddleboxState
MIDDLEBOX_STATE_FIN_WAIT: MiddleboxState
MIDDLEBOX_STATE_CLOSE_WAIT: MiddleboxState
MIDDLEBOX_STATE_LAST_ACK: MiddleboxState
MIDDLEBOX_STATE_TIME_WAIT: MiddleboxState
MIDDLEBOX_STATE_CLOSED: MiddleboxState
FAULT_PHASE_UNSPECIFIED: FaultPhase
FAULT_PHASE_BEGIN: FaultPhase
FAULT_PHASE_END: FaultPhase
FAULT_KIND_UNSPECIFIED: FaultKind
FAULT_KIND_DROP: FaultKind
FAULT_KIND_DELAY: FaultKind
FAULT_KIND_DUPLICATE: FaultKind
FAULT_KIND_REORDER: FaultKind
FAULT_KIND_CORRUPT: FaultKind
FAULT_KIND_REWRITE: FaultKind
FAULT_KIND_UNREACHABLE: FaultKind
FAULT_KIND_INJECT: FaultKind
FAULT_KIND_POWER_LOSS: FaultKind
FAULT_KIND_REBOOT: FaultKind
FAULT_KIND_KILL: FaultKind
FAULT_KIND_FREEZE: FaultKind
FAULT_KIND_PAUSE: FaultKind
FAULT_KIND_CLOCK_JUMP: FaultKind
FAULT_KIND_CABLE_PULL: FaultKind
FAULT_KIND_BLACK_HOLE: FaultKind
FAULT_KIND_PARTITION: FaultKind
FAULT_KIND_FORGET: FaultKind
FAULT_KIND_BLOCKS_NEW: FaultKind
FAULT_KIND_MOVE_ADDRESS: FaultKind
FAULT_KIND_LOSE_ADDRESS: FaultKind
SEGMENT_FIELD_UNSPECIFIED: SegmentField
SEGMENT_FIELD_SEQUENCE: SegmentField
SEGMENT_FIELD_ACKNOWLEDGMENT: SegmentField
SEGMENT_FIELD_FLAGS: SegmentField
SEGMENT_FIELD_WINDOW: SegmentField
SEGMENT_FIELD_CHECKSUM: SegmentField
SEGMENT_FIELD_URGENT: SegmentField
SEGMENT_FIELD_PAYLOAD: SegmentField
SEGMENT_FIELD_MSS: SegmentField
SEGMENT_FIELD_WINDOW_SCALE: SegmentField
SEGMENT_FIELD_SACK_PERMITTED: SegmentField
SEGMENT_FIELD_SACK: SegmentField
SEGMENT_FIELD_TIMESTAMPS: SegmentField

class SegmentLost(_message.Message):
    __slots__ = ("segment", "reason", "fault", "middlebox", "middlebox_reason")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    MIDDLEBOX_FIELD_NUMBER: _ClassVar[int]
    MIDDLEBOX_REASON_FIELD_NUMBER: _ClassVar[int]
    segment: int
    reason: LossReason
    fault: _reference_pb2.FaultReference
    middlebox: str
    middlebox_reason: MiddleboxLossReason
    def __init__(self, segment: _Optional[int] = ..., reason: _Optional[_Union[LossReason, str]] = ..., fault: _Optional[_Union[_reference_pb2.FaultReference, _Mapping]] = ..., middlebox: _Optional[str] = ..., middlebox_reason: _Optional[_Union[MiddleboxLossReason, str]] = ...) -> None: ...

class DestinationUnreachable(_message.Message):
    __slots__ = ("segment", "code", "drop_reason", "mtu", "datagram")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DROP_REASON_FIELD_NUMBER: _ClassVar[int]
    MTU_FIELD_NUMBER: _ClassVar[int]
    DATAGRAM_FIELD_NUMBER: _ClassVar[int]
    segment: int
    code: UnreachableCode
    drop_reason: _tcp_pb2.TcpDropReason
    mtu: int
    datagram: bytes
    def __init__(self, segment: _Optional[int] = ..., code: _Optional[_Union[UnreachableCode, str]] = ..., drop_reason: _Optional[_Union[_tcp_pb2.TcpDropReason, str]] = ..., mtu: _Optional[int] = ..., datagram: _Optional[bytes] = ...) -> None: ...

class MiddleboxChanged(_message.Message):
    __slots__ = ("middlebox", "change", "before", "after", "segment", "translated_to", "renumbered_by", "idle", "sack_kept")
    MIDDLEBOX_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSLATED_TO_FIELD_NUMBER: _ClassVar[int]
    RENUMBERED_BY_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    SACK_KEPT_FIELD_NUMBER: _ClassVar[int]
    middlebox: str
    change: MiddleboxChange
    before: MiddleboxState
    after: MiddleboxState
    segment: int
    translated_to: str
    renumbered_by: int
    idle: _duration_pb2.Duration
    sack_kept: bool
    def __init__(self, middlebox: _Optional[str] = ..., change: _Optional[_Union[MiddleboxChange, str]] = ..., before: _Optional[_Union[MiddleboxState, str]] = ..., after: _Optional[_Union[MiddleboxState, str]] = ..., segment: _Optional[int] = ..., translated_to: _Optional[str] = ..., renumbered_by: _Optional[int] = ..., idle: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., sack_kept: bool = ...) -> None: ...

class FaultAdded(_message.Message):
    __slots__ = ("fault", "kind")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    fault: _reference_pb2.FaultReference
    kind: FaultKind
    def __init__(self, fault: _Optional[_Union[_reference_pb2.FaultReference, _Mapping]] = ..., kind: _Optional[_Union[FaultKind, str]] = ...) -> None: ...

class FaultLifted(_message.Message):
    __slots__ = ("fault", "kind")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    fault: _reference_pb2.FaultReference
    kind: FaultKind
    def __init__(self, fault: _Optional[_Union[_reference_pb2.FaultReference, _Mapping]] = ..., kind: _Optional[_Union[FaultKind, str]] = ...) -> None: ...

class FaultApplied(_message.Message):
    __slots__ = ("fault", "phase", "kind", "segment", "middlebox", "by", "copies", "spacing", "behind", "bits", "field", "rewrites", "code", "mtu", "larger_than", "clock_stops", "address", "to_host", "list")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    MIDDLEBOX_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    COPIES_FIELD_NUMBER: _ClassVar[int]
    SPACING_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    BITS_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REWRITES_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MTU_FIELD_NUMBER: _ClassVar[int]
    LARGER_THAN_FIELD_NUMBER: _ClassVar[int]
    CLOCK_STOPS_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TO_HOST_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    fault: _reference_pb2.FaultReference
    phase: FaultPhase
    kind: FaultKind
    segment: int
    middlebox: str
    by: _duration_pb2.Duration
    copies: int
    spacing: _duration_pb2.Duration
    behind: int
    bits: int
    field: SegmentField
    rewrites: _containers.RepeatedCompositeFieldContainer[FieldRewrite]
    code: UnreachableCode
    mtu: int
    larger_than: int
    clock_stops: bool
    address: str
    to_host: str
    list: str
    def __init__(self, fault: _Optional[_Union[_reference_pb2.FaultReference, _Mapping]] = ..., phase: _Optional[_Union[FaultPhase, str]] = ..., kind: _Optional[_Union[FaultKind, str]] = ..., segment: _Optional[int] = ..., middlebox: _Optional[str] = ..., by: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., copies: _Optional[int] = ..., spacing: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., behind: _Optional[int] = ..., bits: _Optional[int] = ..., field: _Optional[_Union[SegmentField, str]] = ..., rewrites: _Optional[_Iterable[_Union[FieldRewrite, _Mapping]]] = ..., code: _Optional[_Union[UnreachableCode, str]] = ..., mtu: _Optional[int] = ..., larger_than: _Optional[int] = ..., clock_stops: bool = ..., address: _Optional[str] = ..., to_host: _Optional[str] = ..., list: _Optional[str] = ...) -> None: ...

class FieldRewrite(_message.Message):
    __slots__ = ("field", "value", "increment", "flags", "removed")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    field: SegmentField
    value: int
    increment: int
    flags: _tcp_pb2.TcpFlags
    removed: bool
    def __init__(self, field: _Optional[_Union[SegmentField, str]] = ..., value: _Optional[int] = ..., increment: _Optional[int] = ..., flags: _Optional[_Union[_tcp_pb2.TcpFlags, _Mapping]] = ..., removed: bool = ...) -> None: ...
