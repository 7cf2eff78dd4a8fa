//! Every event as proto3 JSON, one per line, as it comes.

use std::borrow::Cow;
use std::io::{self, Write};

use halfopen_proto::v1::Event;
use halfopen_proto::v1::event::Kind;

use super::Reporter;
use crate::record::RunRecord;

/// Writes every event as proto3 JSON, one per line.
#[derive(Debug)]
pub struct NdjsonReporter<W> {
    out: W,
}

impl<W: Write> NdjsonReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> NdjsonReporter<W> {
        NdjsonReporter { out }
    }
}

impl<W: Write> Reporter for NdjsonReporter<W> {
    fn wants_every_event(&self) -> bool {
        false
    }

    fn events(&mut self, events: &[Event]) -> io::Result<()> {
        for event in events {
            serde_json::to_writer(&mut self.out, without_datagram(event).as_ref())?;
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    fn run(&mut self, _record: &RunRecord) -> io::Result<()> {
        self.out.flush()
    }
}

/// The event without the bytes that it has only because another reporter needs them.
fn without_datagram(event: &Event) -> Cow<'_, Event> {
    let mut kind = match &event.kind {
        Some(kind @ (Kind::SegmentSent(_) | Kind::SegmentArrived(_) | Kind::DestinationUnreachable(_))) => {
            kind.clone()
        }
        _ => return Cow::Borrowed(event),
    };
    let datagram = match &mut kind {
        Kind::SegmentSent(sent) => &mut sent.datagram,
        Kind::SegmentArrived(arrived) => &mut arrived.datagram,
        Kind::DestinationUnreachable(message) => &mut message.datagram,
        _ => return Cow::Borrowed(event),
    };
    if datagram.is_empty() {
        return Cow::Borrowed(event);
    }
    datagram.clear();
    Cow::Owned(Event { kind: Some(kind), host: event.host.clone(), ..*event })
}
