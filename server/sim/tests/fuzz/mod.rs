//! Octets are loaded as a scenario, and what loads is run as far as a few thousand events. What a fuzzer
//! finds and what the tests replay goes through here.

use std::ops::ControlFlow;
use std::sync::Arc;

use halfopen_scenario::{Action, Scenario, load_all, load_bytes};
use halfopen_sim::{Interruption, RunOptions, Sink};
use halfopen_trace::{Event, Problem};

/// Events after which a run has shown enough.
const EVENTS: u64 = 2_000;
/// One instant may bring many events, so that a run may go a little beyond.
const MOST_EVENTS: u64 = 100_000;
/// A run that goes through so many instants without so many events stands still.
const INSTANTS: u64 = 200_000;
/// So many variants are run.
const VARIANTS: usize = 4;
/// Room for sending that no text may go beyond here: what is asked for is taken.
const SEND_BUFFER: u32 = 1 << 20;

/// Loads octets, draws what is wrong, and runs what is not.
///
/// # Panics
/// If a mistake has no place or cannot be drawn, or a run does not end.
pub(crate) fn scenario(octets: &[u8]) {
    let loaded = match std::str::from_utf8(octets) {
        Ok(text) => load_all(text),
        Err(_) => load_bytes(octets).map(|scenario| vec![scenario]),
    };
    match loaded {
        Ok(variants) => variants.into_iter().take(VARIANTS).for_each(begin),
        Err(mistakes) => {
            assert!(!mistakes.as_slice().is_empty(), "wrong, but nothing is");
            let text = String::from_utf8_lossy(octets);
            assert!(mistakes.render("x.yaml", &text, false).contains("error: "));
            for mistake in &mistakes {
                assert!(!mistake.message.is_empty() && !mistake.help.is_empty(), "{mistake:?}");
            }
        }
    }
}

fn begin(mut scenario: Scenario) {
    scenario.limits.events = scenario.limits.events.min(EVENTS);
    for host in &mut scenario.hosts {
        lower(&mut host.tcp.send_buffer);
    }
    for step in scenario.programs.iter_mut().flat_map(|program| &mut program.steps) {
        if let Action::Set { options, .. } = &mut step.action {
            lower(&mut options.send_buffer);
        }
    }
    let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Patience::default());
    assert!(outcome.trace.len() <= MOST_EVENTS, "{} events in one instant", outcome.trace.len());
    let wrong =
        outcome.finished.problems.iter().find(|problem| matches!(problem, Problem::DataMistaken { .. }));
    assert_eq!(wrong, None);
}

fn lower(buffer: &mut Option<u32>) {
    *buffer = buffer.map(|octets| octets.min(SEND_BUFFER));
}

/// Counts the instants of a run.
#[derive(Default)]
struct Patience {
    instants: u64,
}

impl Sink for Patience {
    fn chunk(&mut self, _first_sequence: u64, _events: &Arc<Vec<Event>>) {}

    fn keep_going(&mut self, _memory: u64) -> ControlFlow<Interruption> {
        self.instants += 1;
        assert!(self.instants < INSTANTS, "the run does not get on");
        ControlFlow::Continue(())
    }
}
