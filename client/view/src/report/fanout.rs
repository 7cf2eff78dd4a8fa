//! One reporter that tells many.

use std::fmt;
use std::io;

use halfopen_proto::v1::Event;

use super::Reporter;
use crate::record::RunRecord;

/// Tells many reporters, in the order in which they were added.
///
/// One that can no longer write is not told more, and the others go on. The error comes at [`Reporter::end`], or as soon as
/// nobody is left to tell.
#[derive(Debug, Default)]
pub struct Reporters {
    all: Vec<Told>,
}

struct Told {
    /// What cannot be written if it fails.
    name: String,
    reporter: Box<dyn Reporter>,
    failed: Option<io::Error>,
}

impl fmt::Debug for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Told").field(&self.name).field(&self.failed).finish()
    }
}

impl Reporters {
    /// Nobody yet.
    pub fn new() -> Reporters {
        Reporters::default()
    }

    /// Tells this one too; `name` is what errors say that they could not write: `the results`.
    pub fn add(&mut self, name: impl Into<String>, reporter: Box<dyn Reporter>) {
        self.all.push(Told { name: name.into(), reporter, failed: None });
    }

    fn tell(&mut self, say: impl Fn(&mut dyn Reporter) -> io::Result<()>) -> io::Result<()> {
        for told in self.all.iter_mut().filter(|told| told.failed.is_none()) {
            told.failed = say(told.reporter.as_mut()).err();
        }
        if !self.all.is_empty() && self.all.iter().all(|told| told.failed.is_some()) {
            return Err(self.failure().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()));
        }
        Ok(())
    }

    /// Everything that went wrong, as one error. A reader that closed the pipe has what it wanted.
    fn failure(&self) -> Option<io::Error> {
        let failed = self.all.iter().filter_map(|told| Some((&told.name, told.failed.as_ref()?)));
        let mut failed = failed.filter(|(_, error)| error.kind() != io::ErrorKind::BrokenPipe).peekable();
        let kind = failed.peek()?.1.kind();
        let messages: Vec<String> = failed.map(|(name, error)| format!("{name}: {error}")).collect();
        Some(io::Error::new(kind, messages.join("; ")))
    }
}

impl Reporter for Reporters {
    fn wants_every_event(&self) -> bool {
        self.all.iter().any(|told| told.failed.is_none() && told.reporter.wants_every_event())
    }

    fn wants_source(&self) -> bool {
        self.all.iter().any(|told| told.failed.is_none() && told.reporter.wants_source())
    }

    fn snapshot_length(&self) -> u32 {
        let told = self.all.iter().filter(|told| told.failed.is_none());
        told.map(|told| told.reporter.snapshot_length()).max().unwrap_or(0)
    }

    fn events(&mut self, events: &[Event]) -> io::Result<()> {
        self.tell(|reporter| reporter.events(events))
    }

    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        self.tell(|reporter| reporter.run(record))
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        self.tell(|reporter| reporter.skipped(record, why))
    }

    fn end(&mut self) -> io::Result<()> {
        self.tell(|reporter| reporter.end())?;
        self.failure().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// Counts what it is told, and fails at one of the runs.
    struct Counting {
        log: Rc<RefCell<Vec<String>>>,
        fails_at: Option<(usize, io::ErrorKind)>,
        runs: usize,
        all: bool,
    }

    impl Reporter for Counting {
        fn wants_every_event(&self) -> bool {
            self.all
        }

        fn snapshot_length(&self) -> u32 {
            if self.all { 96 } else { 0 }
        }

        fn run(&mut self, record: &RunRecord) -> io::Result<()> {
            self.runs += 1;
            self.log.borrow_mut().push(record.name.clone());
            match self.fails_at {
                Some((at, kind)) if at == self.runs => Err(kind.into()),
                _ => Ok(()),
            }
        }

        fn end(&mut self) -> io::Result<()> {
            self.log.borrow_mut().push("end".to_owned());
            Ok(())
        }
    }

    type Log = Rc<RefCell<Vec<String>>>;

    fn fan(fails: &[Option<(usize, io::ErrorKind)>]) -> (Reporters, Vec<Log>) {
        let mut reporters = Reporters::new();
        let logs: Vec<Log> = fails.iter().map(|_| Log::default()).collect();
        for (index, (fails_at, log)) in fails.iter().zip(&logs).enumerate() {
            let reporter =
                Counting { log: Rc::clone(log), fails_at: *fails_at, runs: 0, all: fails_at.is_some() };
            reporters.add(format!("report {index}"), Box::new(reporter));
        }
        (reporters, logs)
    }

    fn play(reporters: &mut Reporters) -> io::Result<()> {
        for name in ["a", "b", "c"] {
            reporters.run(&RunRecord::new(name.to_owned()))?;
        }
        reporters.end()
    }

    #[test]
    fn a_reporter_that_fails_is_told_no_more_and_the_others_go_on() {
        let (mut reporters, logs) = fan(&[Some((2, io::ErrorKind::StorageFull)), None]);
        let error = play(&mut reporters).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().starts_with("report 0: "), "{error}");
        assert_eq!(*logs[0].borrow(), ["a", "b"]);
        assert_eq!(*logs[1].borrow(), ["a", "b", "c", "end"]);
    }

    #[test]
    fn when_nobody_is_left_it_fails_at_once_and_says_all_of_it() {
        let full = io::ErrorKind::StorageFull;
        let (mut reporters, logs) = fan(&[Some((1, full)), Some((2, full))]);
        let error = play(&mut reporters).unwrap_err().to_string();
        assert!(error.contains("report 0: ") && error.contains("; report 1: "), "{error}");
        assert_eq!(*logs[1].borrow(), ["a", "b"]);
    }

    #[test]
    fn a_closed_pipe_is_an_error_only_where_nobody_else_listens() {
        let closed = Some((1, io::ErrorKind::BrokenPipe));
        assert_eq!(play(&mut fan(&[closed]).0).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let (mut reporters, logs) = fan(&[closed, None]);
        assert!(play(&mut reporters).is_ok());
        assert_eq!(*logs[1].borrow(), ["a", "b", "c", "end"]);
    }

    #[test]
    fn what_anybody_wants_is_wanted_while_he_is_there() {
        let wants = |reporters: &Reporters| (reporters.wants_every_event(), reporters.snapshot_length());
        assert_eq!(wants(&fan(&[None, None]).0), (false, 0));
        let (mut reporters, _) = fan(&[None, Some((1, io::ErrorKind::StorageFull))]);
        assert_eq!(wants(&reporters), (true, 96));
        assert!(play(&mut reporters).is_err());
        assert_eq!(wants(&reporters), (false, 0), "the one that wanted them is gone");
    }
}
