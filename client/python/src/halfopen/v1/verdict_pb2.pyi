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

class RunClaim(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RUN_CLAIM_UNSPECIFIED: _ClassVar[RunClaim]
    RUN_CLAIM_ALL_CLOSED: _ClassVar[RunClaim]
    RUN_CLAIM_DATA_INTACT: _ClassVar[RunClaim]

class KeepaliveVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KEEPALIVE_VERDICT_UNSPECIFIED: _ClassVar[KeepaliveVerdict]
    KEEPALIVE_VERDICT_PROBING: _ClassVar[KeepaliveVerdict]
    KEEPALIVE_VERDICT_ALIVE: _ClassVar[KeepaliveVerdict]
    KEEPALIVE_VERDICT_RESET: _ClassVar[KeepaliveVerdict]
    KEEPALIVE_VERDICT_DEAD: _ClassVar[KeepaliveVerdict]

class FindingFact(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_FACT_UNSPECIFIED: _ClassVar[FindingFact]
    FINDING_FACT_NO_CONNECTION: _ClassVar[FindingFact]
    FINDING_FACT_NEVER_OPENED: _ClassVar[FindingFact]
    FINDING_FACT_NO_SEGMENTS: _ClassVar[FindingFact]
    FINDING_FACT_ALL_CLOSED: _ClassVar[FindingFact]
    FINDING_FACT_DATA_MISTAKEN: _ClassVar[FindingFact]
    FINDING_FACT_NO_DATA: _ClassVar[FindingFact]
    FINDING_FACT_NO_CONNECTION_THEN: _ClassVar[FindingFact]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_PASSED: _ClassVar[Verdict]
    VERDICT_FAILED: _ClassVar[Verdict]
    VERDICT_UNFINISHED: _ClassVar[Verdict]
RUN_CLAIM_UNSPECIFIED: RunClaim
RUN_CLAIM_ALL_CLOSED: RunClaim
RUN_CLAIM_DATA_INTACT: RunClaim
KEEPALIVE_VERDICT_UNSPECIFIED: KeepaliveVerdict
KEEPALIVE_VERDICT_PROBING: KeepaliveVerdict
KEEPALIVE_VERDICT_ALIVE: KeepaliveVerdict
KEEPALIVE_VERDICT_RESET: KeepaliveVerdict
KEEPALIVE_VERDICT_DEAD: KeepaliveVerdict
FINDING_FACT_UNSPECIFIED: FindingFact
FINDING_FACT_NO_CONNECTION: FindingFact
FINDING_FACT_NEVER_OPENED: FindingFact
FINDING_FACT_NO_SEGMENTS: FindingFact
FINDING_FACT_ALL_CLOSED: FindingFact
FINDING_FACT_DATA_MISTAKEN: FindingFact
FINDING_FACT_NO_DATA: FindingFact
FINDING_FACT_NO_CONNECTION_THEN: FindingFact
VERDICT_UNSPECIFIED: Verdict
VERDICT_PASSED: Verdict
VERDICT_FAILED: Verdict
VERDICT_UNFINISHED: Verdict

class ExpectationResult(_message.Message):
    __slots__ = ("expectation", "passed", "text", "claim", "finding", "connection", "deciding_event", "deciding_time")
    EXPECTATION_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CLAIM_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    DECIDING_EVENT_FIELD_NUMBER: _ClassVar[int]
    DECIDING_TIME_FIELD_NUMBER: _ClassVar[int]
    expectation: _reference_pb2.ExpectationReference
    passed: bool
    text: str
    claim: Claim
    finding: Finding
    connection: int
    deciding_event: int
    deciding_time: _duration_pb2.Duration
    def __init__(self, expectation: _Optional[_Union[_reference_pb2.ExpectationReference, _Mapping]] = ..., passed: bool = ..., text: _Optional[str] = ..., claim: _Optional[_Union[Claim, _Mapping]] = ..., finding: _Optional[_Union[Finding, _Mapping]] = ..., connection: _Optional[int] = ..., deciding_event: _Optional[int] = ..., deciding_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Claim(_message.Message):
    __slots__ = ("host", "segments", "virtual_time", "run", "order", "data", "at")
    HOST_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    VIRTUAL_TIME_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    host: HostClaim
    segments: SegmentsClaim
    virtual_time: _reference_pb2.TimeWindow
    run: RunClaim
    order: OrderClaim
    data: DataClaim
    at: _reference_pb2.TimeWindow
    def __init__(self, host: _Optional[_Union[HostClaim, _Mapping]] = ..., segments: _Optional[_Union[SegmentsClaim, _Mapping]] = ..., virtual_time: _Optional[_Union[_reference_pb2.TimeWindow, _Mapping]] = ..., run: _Optional[_Union[RunClaim, str]] = ..., order: _Optional[_Union[OrderClaim, _Mapping]] = ..., data: _Optional[_Union[DataClaim, _Mapping]] = ..., at: _Optional[_Union[_reference_pb2.TimeWindow, _Mapping]] = ...) -> None: ...

class DataClaim(_message.Message):
    __slots__ = ("sender", "incomplete")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    sender: str
    incomplete: bool
    def __init__(self, sender: _Optional[str] = ..., incomplete: bool = ...) -> None: ...

class HostClaim(_message.Message):
    __slots__ = ("host", "connection", "some", "states", "ends", "never", "keepalive", "error", "errors", "received", "end_of_stream", "tcp_info")
    HOST_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    SOME_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    ENDS_FIELD_NUMBER: _ClassVar[int]
    NEVER_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    END_OF_STREAM_FIELD_NUMBER: _ClassVar[int]
    TCP_INFO_FIELD_NUMBER: _ClassVar[int]
    host: str
    connection: str
    some: bool
    states: TcpStates
    ends: _tcp_pb2.TcpState
    never: TcpStates
    keepalive: KeepaliveClaim
    error: str
    errors: Errors
    received: int
    end_of_stream: bool
    tcp_info: TcpInfoClaim
    def __init__(self, host: _Optional[str] = ..., connection: _Optional[str] = ..., some: bool = ..., states: _Optional[_Union[TcpStates, _Mapping]] = ..., ends: _Optional[_Union[_tcp_pb2.TcpState, str]] = ..., never: _Optional[_Union[TcpStates, _Mapping]] = ..., keepalive: _Optional[_Union[KeepaliveClaim, _Mapping]] = ..., error: _Optional[str] = ..., errors: _Optional[_Union[Errors, _Mapping]] = ..., received: _Optional[int] = ..., end_of_stream: bool = ..., tcp_info: _Optional[_Union[TcpInfoClaim, _Mapping]] = ...) -> None: ...

class Errors(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class TcpInfoClaim(_message.Message):
    __slots__ = ("time", "fields")
    TIME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    time: _duration_pb2.Duration
    fields: _containers.RepeatedCompositeFieldContainer[TcpInfoMatch]
    def __init__(self, time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., fields: _Optional[_Iterable[_Union[TcpInfoMatch, _Mapping]]] = ...) -> None: ...

class TcpInfoMatch(_message.Message):
    __slots__ = ("field", "exactly", "at_least", "at_most", "time")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    EXACTLY_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    AT_MOST_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    field: _tcp_pb2.TcpInfoField
    exactly: int
    at_least: int
    at_most: int
    time: _reference_pb2.TimeWindow
    def __init__(self, field: _Optional[_Union[_tcp_pb2.TcpInfoField, str]] = ..., exactly: _Optional[int] = ..., at_least: _Optional[int] = ..., at_most: _Optional[int] = ..., time: _Optional[_Union[_reference_pb2.TimeWindow, _Mapping]] = ...) -> None: ...

class TcpStates(_message.Message):
    __slots__ = ("states",)
    STATES_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedScalarFieldContainer[_tcp_pb2.TcpState]
    def __init__(self, states: _Optional[_Iterable[_Union[_tcp_pb2.TcpState, str]]] = ...) -> None: ...

class KeepaliveClaim(_message.Message):
    __slots__ = ("verdict", "probes", "after")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    verdict: KeepaliveVerdict
    probes: int
    after: _reference_pb2.TimeWindow
    def __init__(self, verdict: _Optional[_Union[KeepaliveVerdict, str]] = ..., probes: _Optional[int] = ..., after: _Optional[_Union[_reference_pb2.TimeWindow, _Mapping]] = ...) -> None: ...

class SegmentsClaim(_message.Message):
    __slots__ = ("exactly", "at_least", "at_most", "spacing", "matching")
    EXACTLY_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    AT_MOST_FIELD_NUMBER: _ClassVar[int]
    SPACING_FIELD_NUMBER: _ClassVar[int]
    MATCHING_FIELD_NUMBER: _ClassVar[int]
    exactly: int
    at_least: int
    at_most: int
    spacing: _containers.RepeatedCompositeFieldContainer[_reference_pb2.TimeWindow]
    matching: SegmentMatch
    def __init__(self, exactly: _Optional[int] = ..., at_least: _Optional[int] = ..., at_most: _Optional[int] = ..., spacing: _Optional[_Iterable[_Union[_reference_pb2.TimeWindow, _Mapping]]] = ..., matching: _Optional[_Union[SegmentMatch, _Mapping]] = ...) -> None: ...

class OrderClaim(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[OrderItem]
    def __init__(self, items: _Optional[_Iterable[_Union[OrderItem, _Mapping]]] = ...) -> None: ...

class OrderItem(_message.Message):
    __slots__ = ("segment",)
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    segment: SegmentMatch
    def __init__(self, segment: _Optional[_Union[SegmentMatch, _Mapping]] = ...) -> None: ...

class SegmentMatch(_message.Message):
    __slots__ = ("sender", "receiver", "connection", "flags", "payload", "size", "sequence", "acknowledgment", "state", "retransmission", "keepalive_probe", "window_probe", "window", "mss", "window_scale", "sack_permitted", "sack", "timestamps")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGMENT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RETRANSMISSION_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_PROBE_FIELD_NUMBER: _ClassVar[int]
    WINDOW_PROBE_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    MSS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_SCALE_FIELD_NUMBER: _ClassVar[int]
    SACK_PERMITTED_FIELD_NUMBER: _ClassVar[int]
    SACK_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    sender: str
    receiver: str
    connection: str
    flags: FlagsMatch
    payload: SizeMatch
    size: SizeMatch
    sequence: int
    acknowledgment: int
    state: StateMatch
    retransmission: bool
    keepalive_probe: bool
    window_probe: bool
    window: SizeMatch
    mss: OptionMatch
    window_scale: OptionMatch
    sack_permitted: bool
    sack: bool
    timestamps: bool
    def __init__(self, sender: _Optional[str] = ..., receiver: _Optional[str] = ..., connection: _Optional[str] = ..., flags: _Optional[_Union[FlagsMatch, _Mapping]] = ..., payload: _Optional[_Union[SizeMatch, _Mapping]] = ..., size: _Optional[_Union[SizeMatch, _Mapping]] = ..., sequence: _Optional[int] = ..., acknowledgment: _Optional[int] = ..., state: _Optional[_Union[StateMatch, _Mapping]] = ..., retransmission: bool = ..., keepalive_probe: bool = ..., window_probe: bool = ..., window: _Optional[_Union[SizeMatch, _Mapping]] = ..., mss: _Optional[_Union[OptionMatch, _Mapping]] = ..., window_scale: _Optional[_Union[OptionMatch, _Mapping]] = ..., sack_permitted: bool = ..., sack: bool = ..., timestamps: bool = ...) -> None: ...

class FlagsMatch(_message.Message):
    __slots__ = ("flags", "only")
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    ONLY_FIELD_NUMBER: _ClassVar[int]
    flags: _tcp_pb2.TcpFlags
    only: bool
    def __init__(self, flags: _Optional[_Union[_tcp_pb2.TcpFlags, _Mapping]] = ..., only: bool = ...) -> None: ...

class SizeMatch(_message.Message):
    __slots__ = ("exactly", "larger_than", "smaller_than")
    EXACTLY_FIELD_NUMBER: _ClassVar[int]
    LARGER_THAN_FIELD_NUMBER: _ClassVar[int]
    SMALLER_THAN_FIELD_NUMBER: _ClassVar[int]
    exactly: int
    larger_than: int
    smaller_than: int
    def __init__(self, exactly: _Optional[int] = ..., larger_than: _Optional[int] = ..., smaller_than: _Optional[int] = ...) -> None: ...

class OptionMatch(_message.Message):
    __slots__ = ("value",)
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: int
    def __init__(self, value: _Optional[int] = ...) -> None: ...

class StateMatch(_message.Message):
    __slots__ = ("host", "state")
    HOST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    host: str
    state: _tcp_pb2.TcpState
    def __init__(self, host: _Optional[str] = ..., state: _Optional[_Union[_tcp_pb2.TcpState, str]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("fact", "states", "last_state", "keepalive", "error", "received", "segments", "order", "not_closed", "data_intact", "data_missing", "virtual_time", "pending_error", "end_of_stream", "tcp_info")
    FACT_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    LAST_STATE_FIELD_NUMBER: _ClassVar[int]
    KEEPALIVE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    NOT_CLOSED_FIELD_NUMBER: _ClassVar[int]
    DATA_INTACT_FIELD_NUMBER: _ClassVar[int]
    DATA_MISSING_FIELD_NUMBER: _ClassVar[int]
    VIRTUAL_TIME_FIELD_NUMBER: _ClassVar[int]
    PENDING_ERROR_FIELD_NUMBER: _ClassVar[int]
    END_OF_STREAM_FIELD_NUMBER: _ClassVar[int]
    TCP_INFO_FIELD_NUMBER: _ClassVar[int]
    fact: FindingFact
    states: TcpStates
    last_state: _tcp_pb2.TcpState
    keepalive: KeepaliveOutcome
    error: str
    received: int
    segments: SegmentsFound
    order: OrderFound
    not_closed: NotClosed
    data_intact: int
    data_missing: DataMissing
    virtual_time: _duration_pb2.Duration
    pending_error: str
    end_of_stream: bool
    tcp_info: _tcp_pb2.TcpInfo
    def __init__(self, fact: _Optional[_Union[FindingFact, str]] = ..., states: _Optional[_Union[TcpStates, _Mapping]] = ..., last_state: _Optional[_Union[_tcp_pb2.TcpState, str]] = ..., keepalive: _Optional[_Union[KeepaliveOutcome, _Mapping]] = ..., error: _Optional[str] = ..., received: _Optional[int] = ..., segments: _Optional[_Union[SegmentsFound, _Mapping]] = ..., order: _Optional[_Union[OrderFound, _Mapping]] = ..., not_closed: _Optional[_Union[NotClosed, _Mapping]] = ..., data_intact: _Optional[int] = ..., data_missing: _Optional[_Union[DataMissing, _Mapping]] = ..., virtual_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., pending_error: _Optional[str] = ..., end_of_stream: bool = ..., tcp_info: _Optional[_Union[_tcp_pb2.TcpInfo, _Mapping]] = ...) -> None: ...

class KeepaliveOutcome(_message.Message):
    __slots__ = ("verdict", "probes", "silence")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    PROBES_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    verdict: KeepaliveVerdict
    probes: int
    silence: _duration_pb2.Duration
    def __init__(self, verdict: _Optional[_Union[KeepaliveVerdict, str]] = ..., probes: _Optional[int] = ..., silence: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SegmentsFound(_message.Message):
    __slots__ = ("count", "spacing")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SPACING_FIELD_NUMBER: _ClassVar[int]
    count: int
    spacing: _containers.RepeatedCompositeFieldContainer[_duration_pb2.Duration]
    def __init__(self, count: _Optional[int] = ..., spacing: _Optional[_Iterable[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]]] = ...) -> None: ...

class OrderFound(_message.Message):
    __slots__ = ("first", "more")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    first: _containers.RepeatedCompositeFieldContainer[SegmentFound]
    more: int
    def __init__(self, first: _Optional[_Iterable[_Union[SegmentFound, _Mapping]]] = ..., more: _Optional[int] = ...) -> None: ...

class SegmentFound(_message.Message):
    __slots__ = ("sender", "flags")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    sender: str
    flags: _tcp_pb2.TcpFlags
    def __init__(self, sender: _Optional[str] = ..., flags: _Optional[_Union[_tcp_pb2.TcpFlags, _Mapping]] = ...) -> None: ...

class NotClosed(_message.Message):
    __slots__ = ("host", "state")
    HOST_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    host: str
    state: _tcp_pb2.TcpState
    def __init__(self, host: _Optional[str] = ..., state: _Optional[_Union[_tcp_pb2.TcpState, str]] = ...) -> None: ...

class DataMissing(_message.Message):
    __slots__ = ("sender", "received", "sent")
    SENDER_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    sender: str
    received: int
    sent: int
    def __init__(self, sender: _Optional[str] = ..., received: _Optional[int] = ..., sent: _Optional[int] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ("data_mistaken", "step_ended_otherwise", "step_failed", "fault_not_applied", "steps_not_done", "limit_reached", "stopped")
    DATA_MISTAKEN_FIELD_NUMBER: _ClassVar[int]
    STEP_ENDED_OTHERWISE_FIELD_NUMBER: _ClassVar[int]
    STEP_FAILED_FIELD_NUMBER: _ClassVar[int]
    FAULT_NOT_APPLIED_FIELD_NUMBER: _ClassVar[int]
    STEPS_NOT_DONE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_REACHED_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    data_mistaken: DataMistakenProblem
    step_ended_otherwise: StepEndedOtherwise
    step_failed: StepFailed
    fault_not_applied: FaultNotApplied
    steps_not_done: StepsNotDone
    limit_reached: RunLimit
    stopped: bool
    def __init__(self, data_mistaken: _Optional[_Union[DataMistakenProblem, _Mapping]] = ..., step_ended_otherwise: _Optional[_Union[StepEndedOtherwise, _Mapping]] = ..., step_failed: _Optional[_Union[StepFailed, _Mapping]] = ..., fault_not_applied: _Optional[_Union[FaultNotApplied, _Mapping]] = ..., steps_not_done: _Optional[_Union[StepsNotDone, _Mapping]] = ..., limit_reached: _Optional[_Union[RunLimit, _Mapping]] = ..., stopped: bool = ...) -> None: ...

class DataMistakenProblem(_message.Message):
    __slots__ = ("connection", "offset")
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    connection: int
    offset: int
    def __init__(self, connection: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class StepEndedOtherwise(_message.Message):
    __slots__ = ("step", "text", "expected", "error", "failed", "or_expected")
    STEP_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    OR_EXPECTED_FIELD_NUMBER: _ClassVar[int]
    step: _reference_pb2.StepReference
    text: str
    expected: str
    error: str
    failed: bool
    or_expected: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, step: _Optional[_Union[_reference_pb2.StepReference, _Mapping]] = ..., text: _Optional[str] = ..., expected: _Optional[str] = ..., error: _Optional[str] = ..., failed: bool = ..., or_expected: _Optional[_Iterable[str]] = ...) -> None: ...

class StepFailed(_message.Message):
    __slots__ = ("step", "text", "error")
    STEP_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    step: _reference_pb2.StepReference
    text: str
    error: str
    def __init__(self, step: _Optional[_Union[_reference_pb2.StepReference, _Mapping]] = ..., text: _Optional[str] = ..., error: _Optional[str] = ...) -> None: ...

class FaultNotApplied(_message.Message):
    __slots__ = ("fault", "text")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    fault: _reference_pb2.FaultReference
    text: str
    def __init__(self, fault: _Optional[_Union[_reference_pb2.FaultReference, _Mapping]] = ..., text: _Optional[str] = ...) -> None: ...

class StepsNotDone(_message.Message):
    __slots__ = ("step", "text", "begun", "more")
    STEP_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    step: _reference_pb2.StepReference
    text: str
    begun: bool
    more: int
    def __init__(self, step: _Optional[_Union[_reference_pb2.StepReference, _Mapping]] = ..., text: _Optional[str] = ..., begun: bool = ..., more: _Optional[int] = ...) -> None: ...

class RunLimit(_message.Message):
    __slots__ = ("virtual_time", "events", "under_way", "memory_bytes", "connections", "comparisons", "processor_time")
    VIRTUAL_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    UNDER_WAY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_TIME_FIELD_NUMBER: _ClassVar[int]
    virtual_time: _duration_pb2.Duration
    events: int
    under_way: int
    memory_bytes: int
    connections: int
    comparisons: int
    processor_time: _duration_pb2.Duration
    def __init__(self, virtual_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., events: _Optional[int] = ..., under_way: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., connections: _Optional[int] = ..., comparisons: _Optional[int] = ..., processor_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class RunFinished(_message.Message):
    __slots__ = ("verdict", "problems", "final_states", "totals")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    FINAL_STATES_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    verdict: Verdict
    problems: _containers.RepeatedCompositeFieldContainer[Problem]
    final_states: _containers.RepeatedCompositeFieldContainer[FinalState]
    totals: RunTotals
    def __init__(self, verdict: _Optional[_Union[Verdict, str]] = ..., problems: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., final_states: _Optional[_Iterable[_Union[FinalState, _Mapping]]] = ..., totals: _Optional[_Union[RunTotals, _Mapping]] = ...) -> None: ...

class FinalState(_message.Message):
    __slots__ = ("host", "connection", "state")
    HOST_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    host: str
    connection: int
    state: _tcp_pb2.TcpState
    def __init__(self, host: _Optional[str] = ..., connection: _Optional[int] = ..., state: _Optional[_Union[_tcp_pb2.TcpState, str]] = ...) -> None: ...

class RunTotals(_message.Message):
    __slots__ = ("virtual_time", "events", "segments_sent", "retransmissions", "segments_lost", "expectations_passed", "expectations_failed")
    VIRTUAL_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_SENT_FIELD_NUMBER: _ClassVar[int]
    RETRANSMISSIONS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_LOST_FIELD_NUMBER: _ClassVar[int]
    EXPECTATIONS_PASSED_FIELD_NUMBER: _ClassVar[int]
    EXPECTATIONS_FAILED_FIELD_NUMBER: _ClassVar[int]
    virtual_time: _duration_pb2.Duration
    events: int
    segments_sent: int
    retransmissions: int
    segments_lost: int
    expectations_passed: int
    expectations_failed: int
    def __init__(self, virtual_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., events: _Optional[int] = ..., segments_sent: _Optional[int] = ..., retransmissions: _Optional[int] = ..., segments_lost: _Optional[int] = ..., expectations_passed: _Optional[int] = ..., expectations_failed: _Optional[int] = ...) -> None: ...
