//! The `halfopen.v1` protocol: what is generated from `halfopen/v1/*.proto`, and the token that callers present.
//!
//! Every message is also `serde::Serialize` and `serde::Deserialize`, as
//! [proto3 JSON](https://protobuf.dev/programming-guides/json/). The generated clients and servers, which need tonic, are behind the
//! features `client` and `server`.

mod token;

/// Messages and services of the package `halfopen.v1`; the `.proto` files document them.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]
#[allow(clippy::enum_glob_use, clippy::wildcard_imports)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/halfopen.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/halfopen.v1.serde.rs"));
}

/// The types of `google.protobuf.Duration` and `google.protobuf.Timestamp` in the messages.
pub use pbjson_types::{Duration, Timestamp};
pub use token::{InvalidToken, Token};

/// The encoded `google.protobuf.FileDescriptorSet` of the package, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/halfopen.v1.descriptors"));

#[cfg(test)]
mod tests {
    use crate::v1::{Cause, Event, SegmentCause, StateTransition, TcpFlags, TcpState, cause, event};
    use crate::{Duration, FILE_DESCRIPTOR_SET};

    #[test]
    fn an_event_is_proto3_json_and_comes_back() {
        let segment = SegmentCause {
            segment: 3,
            flags: Some(TcpFlags { ack: true, ..TcpFlags::default() }),
            ..SegmentCause::default()
        };
        let event = Event {
            sequence: 7,
            time: Some(Duration { seconds: 7950, nanos: 60_000_000 }),
            host: "server".into(),
            connection: 1,
            kind: Some(event::Kind::StateTransition(StateTransition {
                before: TcpState::FinWait1.into(),
                after: TcpState::FinWait2.into(),
                cause: Some(Cause { origin: Some(cause::Origin::Segment(segment)), ..Cause::default() }),
            })),
        };
        let json = serde_json::to_value(&event).unwrap();
        let expected = serde_json::json!({
            "sequence": "7",
            "time": "7950.060s",
            "host": "server",
            "connection": 1,
            "stateTransition": {
                "before": "TCP_STATE_FIN_WAIT_1",
                "after": "TCP_STATE_FIN_WAIT_2",
                "cause": {"segment": {"segment": "3", "flags": {"ack": true}}},
            },
        });
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }

    #[test]
    fn the_descriptors_name_every_service() {
        let set: prost_types::FileDescriptorSet = prost::Message::decode(FILE_DESCRIPTOR_SET).unwrap();
        let services: Vec<_> = set
            .file
            .iter()
            .flat_map(|file| &file.service)
            .filter_map(|service| service.name.as_deref())
            .collect();
        assert_eq!(
            services,
            [
                "RunService",
                "HistoryService",
                "RenderService",
                "ScenarioService",
                "ServerService",
                "SessionService"
            ]
        );
    }
}
