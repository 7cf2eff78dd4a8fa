//! The turn of a task on a thread. If it takes long, the priority of the thread falls, so that the operating system lets short
//! tasks go first.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use halfopen_sim::{Interruption, Sink};
use halfopen_trace::Event;
use tokio::time::Instant;

use crate::clock::thread_time;

/// How many times a run may ask whether it may go on before it looks at its turn: they ask after each instant.
const QUESTIONS: u32 = 64;

/// The processor time after which a task gives way to others.
const SHORT: Duration = Duration::from_millis(50);
/// The nice value of a task that does. If both want a processor, its thread gets a ninth of what a usual one gets
/// (`sched_prio_to_weight` in the Linux kernel). All such threads are alike: none of them shall starve.
#[cfg(target_os = "linux")]
pub(crate) const NICE: i32 = 10;

/// What a task has taken since its thread began it.
#[derive(Debug)]
pub(crate) struct Turn {
    /// When that was, and what the clock of the thread showed; `None` once the task gave way, or if it need not.
    began: Cell<Option<(Instant, Duration)>>,
    is_lowered: Cell<bool>,
}

impl Turn {
    /// This thread begins a task, which `gives_way` if it takes long.
    pub(crate) fn begin(gives_way: bool) -> Turn {
        let began = (gives_way && cfg!(target_os = "linux")).then(|| (Instant::now(), thread_time()));
        Turn { began: Cell::new(began), is_lowered: Cell::new(false) }
    }

    /// Lowers the priority of this thread if the task has taken long. To be called again and again.
    pub(crate) fn look(&self) {
        let Some((since, began)) = self.began.get() else { return };
        // The clock of the thread is a system call, and never the faster one.
        if since.elapsed() >= SHORT && thread_time() - began >= SHORT {
            self.began.set(None);
            self.is_lowered.set(lower());
        }
    }

    /// Whether the priority is lower than before. Only a privileged process may raise it again.
    pub(crate) fn is_lowered(&self) -> bool {
        self.is_lowered.get()
    }

    /// Looks whenever a run, whose events go to a sink, asks whether it may go on.
    pub(crate) fn run<'a, S: Sink>(&'a self, sink: &'a mut S) -> Looking<'a, S> {
        Looking { turn: self, sink, questions: QUESTIONS }
    }
}

/// The sink of a run that has a turn.
#[derive(Debug)]
pub(crate) struct Looking<'a, S> {
    turn: &'a Turn,
    sink: &'a mut S,
    /// Questions until it looks.
    questions: u32,
}

impl<S: Sink> Sink for Looking<'_, S> {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        self.sink.chunk(first_sequence, events);
    }

    fn keep_going(&mut self, memory: u64) -> ControlFlow<Interruption> {
        self.questions -= 1;
        if self.questions == 0 {
            self.questions = QUESTIONS;
            self.turn.look();
        }
        self.sink.keep_going(memory)
    }
}

/// Lowers the priority of this thread. Whether it was higher.
#[cfg(target_os = "linux")]
fn lower() -> bool {
    use rustix::process::{getpriority_process, setpriority_process};
    // To Linux, the process without a number is the calling thread (setpriority(2), "C library/kernel differences").
    getpriority_process(None).is_ok_and(|now| now < NICE) && setpriority_process(None, NICE).is_ok()
}

/// A process has one priority for all its threads.
#[cfg(not(target_os = "linux"))]
fn lower() -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use rustix::process::getpriority_process;

    use super::*;

    fn nice() -> i32 {
        getpriority_process(None).expect("a thread has a priority")
    }

    /// Looks at the turn of a task that takes this processor time and waits for so long, on a thread of its own. Returns
    /// whether it gave way, and the nice value then.
    fn work(gives_way: bool, time: Duration, wait: Duration) -> (bool, i32) {
        let worked = thread::spawn(move || {
            let (turn, began) = (Turn::begin(gives_way), thread_time());
            thread::sleep(wait);
            while thread_time() - began < time {
                turn.look();
            }
            turn.look();
            (turn.is_lowered(), nice())
        });
        worked.join().expect("it works")
    }

    #[test]
    fn only_what_works_for_long_gives_way() {
        let before = nice();
        let none = Duration::ZERO;
        assert_eq!(work(true, SHORT / 5, none), (false, before));
        assert_eq!(work(true, SHORT, none), (before < NICE, before.max(NICE)));
        assert_eq!(work(true, none, 2 * SHORT), (false, before), "it has only waited");
        assert_eq!(work(false, SHORT, none), (false, before), "it need not");
        assert_eq!(nice(), before, "other threads stay where they are");
    }
}
