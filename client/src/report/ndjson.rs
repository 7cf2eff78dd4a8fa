//! Every event as proto3 JSON, one a line, as it comes.

use std::io::{self, Write};

use halfopen_proto::v1::Event;

use super::Reporter;
use crate::record::RunRecord;

/// Writes every event as proto3 JSON, one a line.
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
            serde_json::to_writer(&mut self.out, event)?;
            self.out.write_all(b"\n")?;
        }
        self.out.flush()
    }

    fn run(&mut self, _record: &RunRecord) -> io::Result<()> {
        self.out.flush()
    }
}
