//! One run, from its request to its last event.

use std::io;

use halfopen::client::{Client, ClientError};
use halfopen::record::RunRecord;
use halfopen::report::Reporter;

use super::plan::Planned;
use crate::interrupt::Interrupt;

/// One run, as far as it gets. Fails only if the reporter does, which stops the run.
pub(super) async fn play(
    client: &mut Client,
    run: Planned,
    reporter: &mut dyn Reporter,
    interrupt: &mut Interrupt,
) -> io::Result<RunRecord> {
    let Planned { mut record, source } = run;
    record.options.snapshot_length = reporter.snapshot_length();
    let started = match source {
        Ok(source) => tokio::select! {
            started = client.run(&source, &record.options) => started,
            () = interrupt.pressed() => Err(ClientError::Interrupted),
        },
        Err(error) => Err(error),
    };
    let mut stream = match started {
        Ok(stream) => stream,
        Err(error) => {
            record.stopped = Some(error);
            return Ok(record);
        }
    };
    loop {
        let next = tokio::select! {
            next = stream.next() => next,
            () = interrupt.pressed() => Err(ClientError::Interrupted),
        };
        match next {
            Ok(Some(events)) => {
                reporter.events(&events)?;
                if !reporter.wants_every_event() {
                    record.events.clear();
                }
                record.events.extend(events);
            }
            Ok(None) => return Ok(record),
            Err(error) => {
                record.stopped = Some(error);
                return Ok(record);
            }
        }
    }
}
