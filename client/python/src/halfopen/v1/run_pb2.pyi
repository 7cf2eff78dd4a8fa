from halfopen.v1 import event_pb2 as _event_pb2
from halfopen.v1 import verdict_pb2 as _verdict_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExecuteRunRequest(_message.Message):
    __slots__ = ("yaml", "name", "seed", "variant", "profile", "snapshot_length")
    YAML_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    yaml: str
    name: str
    seed: int
    variant: str
    profile: str
    snapshot_length: int
    def __init__(self, yaml: _Optional[str] = ..., name: _Optional[str] = ..., seed: _Optional[int] = ..., variant: _Optional[str] = ..., profile: _Optional[str] = ..., snapshot_length: _Optional[int] = ...) -> None: ...

class ExecuteRunResponse(_message.Message):
    __slots__ = ("events", "part")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    part: EventPart
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ..., part: _Optional[_Union[EventPart, _Mapping]] = ...) -> None: ...

class EventPart(_message.Message):
    __slots__ = ("settings", "problems", "final_states")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    FINAL_STATES_FIELD_NUMBER: _ClassVar[int]
    settings: _containers.RepeatedCompositeFieldContainer[_event_pb2.Setting]
    problems: _containers.RepeatedCompositeFieldContainer[_verdict_pb2.Problem]
    final_states: _containers.RepeatedCompositeFieldContainer[_verdict_pb2.FinalState]
    def __init__(self, settings: _Optional[_Iterable[_Union[_event_pb2.Setting, _Mapping]]] = ..., problems: _Optional[_Iterable[_Union[_verdict_pb2.Problem, _Mapping]]] = ..., final_states: _Optional[_Iterable[_Union[_verdict_pb2.FinalState, _Mapping]]] = ...) -> None: ...
