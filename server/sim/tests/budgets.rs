//! What a run may cost: each limit is reached, and one more is not.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::Scenario;
use halfopen_sim::{Budget, Condition, Discard, Interruption, Outcome, RunOptions, Simulation, Sink, Stop};
use halfopen_trace::{Event, EventKind, Limit, Problem, Verdict};

/// A client that sends 300 kB to a server that does not read, and an expectation that looks at every segment.
const SCENARIO: &str = "\
scenario: budget
hosts: {client: {}, server: {tcp: {receive-buffer: 4 KiB}}}
applications:
  server: [listen: 80, hold]
  client:
    - repeat:
        - connect: server:80
        - set: {send-buffer: 1 MiB}
        - send: 100 kB
      times: 3
    - hold
until: 10s
expect:
  - segments: {from: client, flags: SYN}
    count: 3
";

fn load(text: &str) -> Arc<Scenario> {
    Arc::new(halfopen_scenario::load(text).unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

/// Notes what it is given, how much memory a run takes at most, and how often it is asked.
#[derive(Default)]
struct Reader {
    events: u64,
    most: u64,
    asked: u64,
    stops: Option<(u64, Interruption)>,
}

impl Sink for Reader {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        assert_eq!(first_sequence, self.events + 1);
        self.events += events.len() as u64;
    }

    fn keep_going(&mut self, memory: u64) -> ControlFlow<Interruption> {
        self.most = self.most.max(memory);
        self.asked += 1;
        match self.stops {
            Some((after, interruption)) if self.asked > after => ControlFlow::Break(interruption),
            Some(_) | None => ControlFlow::Continue(()),
        }
    }
}

fn run(scenario: &Arc<Scenario>, budget: Budget) -> (Outcome, Reader) {
    let mut reader = Reader::default();
    let options = RunOptions { budget, ..RunOptions::default() };
    let outcome = halfopen_sim::run(scenario, &options, &mut reader);
    (outcome, reader)
}

/// The limit that ended a run, as its last but one event and its only problem say.
fn limit(outcome: &Outcome) -> Option<Limit> {
    let limits: Vec<Limit> = outcome
        .trace
        .iter()
        .filter_map(|(_, event)| match event.kind {
            EventKind::LimitReached(limit) => Some(limit),
            _ => None,
        })
        .collect();
    let problems: Vec<Problem> = limits.iter().copied().map(Problem::LimitReached).collect();
    assert_eq!(outcome.finished.problems, problems);
    let verdict = if limits.is_empty() { Verdict::Passed } else { Verdict::Unfinished };
    assert_eq!(outcome.finished.verdict, verdict);
    limits.first().copied()
}

#[test]
fn a_run_that_costs_more_than_its_budget_is_unfinished_and_one_that_costs_no_more_is_not() {
    let scenario = load(SCENARIO);
    let (outcome, reader) = run(&scenario, Budget::OWN);
    assert_eq!(limit(&outcome), None);
    let memory = reader.most;
    assert!(memory > 300_000, "{memory}");
    let comparisons = comparisons(&scenario);
    let own = Budget::OWN;
    for (budget, reached) in [
        (Budget { memory, ..own }, None),
        (Budget { memory: memory - 1, ..own }, Some(Limit::Memory(memory - 1))),
        (Budget { connections: 6, ..own }, None),
        (Budget { connections: 5, ..own }, Some(Limit::Connections(5))),
        (Budget { comparisons, ..own }, None),
        (Budget { comparisons: comparisons - 1, ..own }, Some(Limit::Comparisons(comparisons - 1))),
    ] {
        let (outcome, _) = run(&scenario, budget);
        assert_eq!(limit(&outcome), reached, "{budget:?}");
        let (again, _) = run(&scenario, budget);
        assert!(outcome.trace.iter().eq(again.trace.iter()), "{budget:?}");
    }
}

/// How many comparisons the verdict takes.
fn comparisons(scenario: &Arc<Scenario>) -> u64 {
    let (mut few, mut enough) = (0, 1 << 20);
    while enough - few > 1 {
        let comparisons = (few + enough) / 2;
        let (outcome, _) = run(scenario, Budget { comparisons, ..Budget::OWN });
        match limit(&outcome) {
            None => enough = comparisons,
            Some(_) => few = comparisons,
        }
    }
    enough
}

#[test]
fn a_run_that_is_stopped_while_it_is_judged_has_no_results() {
    let scenario = load(SCENARIO);
    let (outcome, reader) = run(&scenario, Budget::OWN);
    assert_eq!(outcome.finished.totals.expectations_passed, 1);
    let time = Limit::ProcessorTime(Duration::from_secs(2));
    for (interruption, problem) in [
        (Interruption::Unwanted, Problem::Stopped),
        (Interruption::ProcessorTime(Duration::from_secs(2)), Problem::LimitReached(time)),
    ] {
        // The last questions are those of the verdict.
        let mut reader = Reader { stops: Some((reader.asked - 1, interruption)), ..Reader::default() };
        let outcome = halfopen_sim::run(&scenario, &RunOptions::default(), &mut reader);
        assert_eq!(outcome.finished.problems, [problem]);
        assert_eq!(outcome.finished.verdict, Verdict::Unfinished);
        assert_eq!(outcome.finished.totals.expectations_passed, 0);
        assert_eq!(outcome.finished.final_states.len(), 6, "they are told all the same");
    }
}

#[test]
fn processor_time_ends_a_run_and_says_how_much_it_had() {
    let time = Duration::from_millis(1500);
    let mut reader = Reader { stops: Some((3, Interruption::ProcessorTime(time))), ..Reader::default() };
    let outcome = halfopen_sim::run(&load(SCENARIO), &RunOptions::default(), &mut reader);
    assert_eq!(limit(&outcome), Some(Limit::ProcessorTime(time)));
}

#[test]
fn a_simulation_that_is_stepped_has_the_same_budget() {
    let scenario = load(SCENARIO);
    let memory = 200_000;
    let (whole, _) = run(&scenario, Budget { memory, ..Budget::OWN });
    let options = RunOptions { budget: Budget { memory, ..Budget::OWN }, ..RunOptions::default() };
    let mut simulation = Simulation::new(&scenario, &options);
    let mut reader = Reader::default();
    let mut millis = 0;
    let stop = loop {
        millis += 1;
        let time = halfopen_tcp::Instant::ZERO + Duration::from_millis(millis);
        match simulation.step_until(Some(time), &[], &mut reader) {
            Stop::Time => {}
            stop => break stop,
        }
    };
    assert_eq!(stop, Stop::Limit(Limit::Memory(memory)));
    let stepped = simulation.finish(&mut reader);
    assert!(stepped.trace.iter().eq(whole.trace.iter()));
}

#[test]
fn an_application_that_does_not_wait_leaves_others_their_turns() {
    let scenario = load(
        "\
scenario: spin
hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, hold]
  client:
    - connect: server:80
    - repeat: [set: {nodelay: on}]
      times: 30000
limits: {events: 20000}
",
    );
    let (outcome, reader) = run(&scenario, Budget::OWN);
    assert_eq!(limit(&outcome), Some(Limit::Events(20_000)));
    assert!(reader.asked > 10, "{}", reader.asked);

    // Also if each host has its turns one by one.
    let mut simulation = Simulation::new(&scenario, &RunOptions::default());
    let never = |_: &Event| false;
    let stop = simulation.step_until(None, &[Condition::Event(&never)], &mut Reader::default());
    assert_eq!(stop, Stop::Limit(Limit::Events(20_000)));
    let stepped = simulation.finish(&mut Discard);
    assert!(stepped.trace.iter().eq(outcome.trace.iter()));
}

#[test]
fn events_that_nobody_looks_back_at_are_forgotten_once_the_sink_has_them() {
    let text = "\
scenario: bulk
hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, receive: end, close]
  client: [connect: server:80, send: 20 MB, close]
";
    let looks_back = "expect: [{segments: {flags: SYN}, count: 2}]\n";
    let mut most = Vec::new();
    for (text, keeps_trace, kept) in [
        (text.to_owned(), true, true),
        (text.to_owned(), false, false),
        (text.to_owned() + looks_back, false, true),
        (text.to_owned() + "expect: [{client: {ends: CLOSED}}]\n", false, false),
    ] {
        let mut reader = Reader::default();
        let options = RunOptions { keeps_trace, ..RunOptions::default() };
        let outcome = halfopen_sim::run(&load(&text), &options, &mut reader);
        assert_eq!(outcome.finished.verdict, Verdict::Passed);
        assert_eq!(reader.events, outcome.finished.totals.events, "the sink gets all");
        assert_eq!(outcome.trace.iter().count() as u64 == reader.events, kept, "{text}");
        most.push(reader.most);
    }
    assert!(most[1] < most[0] / 2, "{most:?}");
}

#[test]
fn what_a_step_does_again_and_again_is_one_problem() {
    let scenario = load(
        "\
scenario: again
hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, hold]
  client:
    - connect: server:80
    - repeat:
        - send: 1 B
          error: ETIMEDOUT
      times: 100
      may-fail: on
    - hold
until: 1h
",
    );
    let (outcome, _) = run(&scenario, Budget::OWN);
    let problems = outcome.finished.problems;
    assert!(matches!(problems[..], [Problem::StepEndedOtherwise { .. }, ..]), "{problems:?}");
    assert!(problems.len() <= 2, "{problems:?}");
}
