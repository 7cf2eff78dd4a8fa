//! The verdict of a session, on a thread of the pool: it may take long, and other sessions of the session's own thread do not wait for it.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use halfopen_proto::v1;
use halfopen_sim::{Ended, Interruption, Sink};
use halfopen_trace::Event;
use tokio::sync::oneshot;

use super::record::Record;
use crate::cost::Meter;
use crate::pool::Entrance;
use crate::turn::Turn;
use crate::work::{Caller, Task, Work};

/// Has a session judged.
pub(super) struct Referee {
    pub(super) pool: Entrance,
    /// Who created the session.
    pub(super) caller: Caller,
    /// Tells the session that it was judged.
    pub(super) wake: Arc<dyn Fn() + Send + Sync>,
}

/// What came of a session, with what counts what it costs; or the panic.
pub(super) type Judged = thread::Result<(v1::FinishSessionResponse, Meter)>;

impl Referee {
    /// Has a session judged that has ended, on a thread of the pool. Whoever drops the result does not want it.
    pub(super) fn judge(&self, ended: Ended, meter: Meter, record: Arc<Record>) -> oneshot::Receiver<Judged> {
        let (judged, result) = oneshot::channel();
        let verdict = Verdict { ended, meter, record, judged, wake: Arc::clone(&self.wake) };
        self.pool.go_on(&self.caller, Box::new(verdict));
        result
    }
}

/// The verdict of a session, which is to be made.
struct Verdict {
    ended: Ended,
    meter: Meter,
    record: Arc<Record>,
    judged: oneshot::Sender<Judged>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Task for Verdict {
    fn work(&self) -> Work {
        Work::Verdict
    }

    fn is_wanted(&self) -> bool {
        !self.judged.is_closed()
    }

    fn bytes(&self) -> usize {
        0
    }

    fn execute(self: Box<Self>, turn: &Turn) {
        let Verdict { ended, mut meter, record, judged, wake } = *self;
        let mut reader = Reader { record: &record, judged: &judged };
        let judge = AssertUnwindSafe(|| {
            ended.judge(&mut turn.run(&mut meter.run(&mut reader)));
            (record.conclusion(), meter)
        });
        let result = catch_unwind(judge);
        // Without a session, nobody needs to know.
        let _ = judged.send(result);
        wake();
    }
}

/// Adds the last events to the record, as long as there is a session.
struct Reader<'a> {
    record: &'a Record,
    judged: &'a oneshot::Sender<Judged>,
}

impl Sink for Reader<'_> {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        self.record.chunk(first_sequence, events);
    }

    fn keep_going(&mut self, _memory: u64) -> ControlFlow<Interruption> {
        match self.judged.is_closed() {
            true => ControlFlow::Break(Interruption::Unwanted),
            false => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_scenario::library;

    use super::*;

    #[test]
    fn a_verdict_is_left_off_once_its_session_is_gone() {
        let record = Record::new(Arc::new(library::scenario("dead-client").expect("it is bundled")));
        let (judged, result) = oneshot::channel();
        let mut reader = Reader { record: &record, judged: &judged };
        assert!(reader.keep_going(0).is_continue());
        drop(result);
        assert!(reader.keep_going(0).is_break());
    }
}
