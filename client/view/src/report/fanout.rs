//! A reporter that passes runs to many.

use std::fmt;
use std::io;

use halfopen_proto::v1::Event;

use super::Reporter;
use crate::record::RunRecord;

/// Passes runs to many reporters, in the order in which they were added.
///
/// A reporter that fails is not called again, and the others go on. The error is returned by [`Reporter::end`], or at
/// once if no reporter is left.
#[derive(Debug, Default)]
pub struct Reporters {
    all: Vec<Member>,
}

struct Member {
    /// What errors call it.
    name: String,
    reporter: Box<dyn Reporter>,
    failed: Option<io::Error>,
}

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Member").field(&self.name).field(&self.failed).finish()
    }
}

impl Reporters {
    /// Without reporters.
    pub fn new() -> Reporters {
        Reporters::default()
    }

    /// Adds a reporter; errors call it `name`: `the results`.
    pub fn add(&mut self, name: impl Into<String>, reporter: Box<dyn Reporter>) {
        self.all.push(Member { name: name.into(), reporter, failed: None });
    }

    fn call(&mut self, call: impl Fn(&mut dyn Reporter) -> io::Result<()>) -> io::Result<()> {
        for member in self.all.iter_mut().filter(|member| member.failed.is_none()) {
            member.failed = call(member.reporter.as_mut()).err();
        }
        if !self.all.is_empty() && self.all.iter().all(|member| member.failed.is_some()) {
            return Err(self.failure().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()));
        }
        Ok(())
    }

    /// All errors as one. If a reader closed the pipe, it has what it wanted.
    fn failure(&self) -> Option<io::Error> {
        let failed = self.all.iter().filter_map(|member| Some((&member.name, member.failed.as_ref()?)));
        let mut failed = failed.filter(|(_, error)| error.kind() != io::ErrorKind::BrokenPipe).peekable();
        let kind = failed.peek()?.1.kind();
        let messages: Vec<String> = failed.map(|(name, error)| format!("{name}: {error}")).collect();
        Some(io::Error::new(kind, messages.join("; ")))
    }
}

impl Reporter for Reporters {
    fn wants_every_event(&self) -> bool {
        self.all.iter().any(|member| member.failed.is_none() && member.reporter.wants_every_event())
    }

    fn wants_source(&self) -> bool {
        self.all.iter().any(|member| member.failed.is_none() && member.reporter.wants_source())
    }

    fn snapshot_length(&self) -> u32 {
        let members = self.all.iter().filter(|member| member.failed.is_none());
        members.map(|member| member.reporter.snapshot_length()).max().unwrap_or(0)
    }

    fn events(&mut self, events: &[Event]) -> io::Result<()> {
        self.call(|reporter| reporter.events(events))
    }

    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        self.call(|reporter| reporter.run(record))
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        self.call(|reporter| reporter.skipped(record, why))
    }

    fn end(&mut self) -> io::Result<()> {
        self.call(|reporter| reporter.end())?;
        self.failure().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// Counts its runs, and fails at one of them.
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
    fn a_reporter_that_fails_is_not_called_again_and_the_others_go_on() {
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
