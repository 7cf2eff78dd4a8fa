//! When a kernel does what the engine does: not at the same moment, but never early and late by what is known.
//!
//! Everything in a run has a cause at the same virtual moment: a segment arrived, a timer fired, an application woke up.
//! The recording says when that cause was there: the segment has its time of delivery; a timer was set at a moment that the
//! recording knows by the same rule, runs as long as ours, and fires late by at most a granule of the timer wheel. So
//! each time is judged against its own cause, and being late once excuses nothing later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::{Action, Scenario};
use halfopen_tcp::{Cause, Timer, TimerChange};
use halfopen_trace::{Event, EventKind};

use super::compare::{Strictness, is_outlined};
use super::observed::{Host, Micros, Millis, Observed, Segment};
use super::replay::{Replay, host_of, is_forged, micros};

/// A host of the recording handles a segment and sends its answer within this.
const HANDLING: Micros = 5_000;
/// An application of the recording wakes up within this: usually under 1 ms, rarely 15 ms.
const WAKE_UP: Micros = 15_000;
/// The clocks of the recording's processes and the order in which they write things down.
const EARLY: Micros = 1_000;

/// From when to when a moment of the run is in the recording.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Micros,
    to: Micros,
}

impl Window {
    fn at(time: Micros) -> Window {
        Window { from: time, to: time }
    }

    /// Either this or that.
    fn or(self, other: Option<Window>) -> Window {
        other.map_or(self, |other| Window { from: self.from.min(other.from), to: self.to.max(other.to) })
    }

    fn after(self, length: Micros, late: Micros) -> Window {
        Window { from: self.from + length, to: self.to + length + late }
    }
}

/// One moment of one host of the run.
#[derive(Clone, Copy, Debug)]
struct Moment {
    window: Window,
    /// Whether what happens there may have waited for an application to wake up.
    application: bool,
    /// Whether the window is a guess that the first thing seen makes exact.
    guessed: bool,
}

/// What is later than the recording allows, and what came when the recording had ended.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// The first thing at a wrong time.
    pub(crate) wrong: Option<String>,
    /// Segments, steps of paths and calls that the recording may have been too short to see.
    pub(crate) late: Late,
}

/// By position in the run's [`Observed`].
#[derive(Debug, Default)]
pub(crate) struct Late {
    pub(crate) segments: Vec<usize>,
    pub(crate) steps: Vec<(usize, usize)>,
    pub(crate) calls: Vec<usize>,
}

/// How late a timer of the kernel may be: its wheel has coarser slots the longer the timer runs (CONFIG_HZ=250). A level begins
/// one slot before the finer one is full: at 63 of its slots (`LVL_START`). So a timer of 252 ms is late by up to 32 ms (13a:
/// 284 ms) and one of 2016 ms by up to 256 ms (07h: 2107 ms).
pub(crate) fn granule(length: Micros) -> Micros {
    // Timers below so long are late by at most so much.
    const SLOTS: [(Micros, Micros); 4] =
        [(252_000, 4_000), (2_016_000, 32_000), (16_128_000, 256_000), (129_024_000, 2_048_000)];
    SLOTS.into_iter().find(|(less, _)| length < *less).map_or(16_384_000, |(_, late)| late)
}

/// Compares the times of a run with those of a recording. The n-th segment, call and path of a host is the n-th in both.
pub(crate) fn compare(
    scenario: &Arc<Scenario>,
    run: &Replay,
    recorded: &Observed,
    injected: &[Micros],
    strictness: Strictness,
) -> Times {
    let mut judge = Judge {
        scenario,
        run,
        recorded,
        injected: injected.to_vec(),
        strictness,
        pairs: Pairs::new(&run.observed, recorded, strictness.exact),
        moments: BTreeMap::new(),
        timers: BTreeMap::new(),
        arrivals: BTreeMap::new(),
        steps_done: BTreeMap::new(),
        times: Times::default(),
    };
    for (sequence, event) in run.outcome.trace.iter() {
        if let Some(host) = event.host {
            judge.event(sequence, event, host_of(scenario, host));
        }
    }
    judge.times
}

/// Which of the recording is which of the run.
struct Pairs {
    /// The run's segments that are compared.
    compared: BTreeSet<usize>,
    segments: BTreeMap<usize, usize>,
    paths: BTreeMap<usize, usize>,
    calls: BTreeMap<usize, usize>,
}

impl Pairs {
    fn new(run: &Observed, recorded: &Observed, exact: bool) -> Pairs {
        let segments = (segments(&run.segments, exact), segments(&recorded.segments, exact));
        let paths = (hosts(&run.paths, |it| it.host), hosts(&recorded.paths, |it| it.host));
        let calls = (hosts(&run.calls, |it| it.host), hosts(&recorded.calls, |it| it.host));
        Pairs {
            compared: segments.0.iter().flatten().copied().collect(),
            segments: pair(segments),
            paths: pair(paths),
            calls: pair(calls),
        }
    }
}

/// The positions of each host's segments that are compared.
fn segments(segments: &[Segment], exact: bool) -> [Vec<usize>; 2] {
    hosts(segments, |it| it.host).map(|positions| {
        let of_host: Vec<&Segment> = positions.iter().map(|at| &segments[*at]).collect();
        let outlined = is_outlined(&of_host);
        positions
            .into_iter()
            .zip(outlined)
            .filter(|(_, outlined)| exact || *outlined)
            .map(|(at, _)| at)
            .collect()
    })
}

/// The positions of each host's things.
fn hosts<T>(things: &[T], host: impl Fn(&T) -> Host) -> [Vec<usize>; 2] {
    Host::BOTH.map(|wanted| (0..things.len()).filter(|at| host(&things[*at]) == wanted).collect())
}

fn pair((run, recorded): ([Vec<usize>; 2], [Vec<usize>; 2])) -> BTreeMap<usize, usize> {
    run.into_iter().zip(recorded).flat_map(|(run, recorded)| run.into_iter().zip(recorded)).collect()
}

struct Judge<'a> {
    scenario: &'a Scenario,
    run: &'a Replay,
    recorded: &'a Observed,
    injected: Vec<Micros>,
    strictness: Strictness,
    pairs: Pairs,
    moments: BTreeMap<(Host, Micros), Moment>,
    /// When each timer was set.
    timers: BTreeMap<(Host, Option<u32>, Timer), Micros>,
    /// How often each segment has arrived.
    arrivals: BTreeMap<usize, usize>,
    /// When each program's last step ended.
    steps_done: BTreeMap<u32, Micros>,
    times: Times,
}

impl Judge<'_> {
    fn event(&mut self, sequence: u64, event: &Event, host: Host) {
        let now = micros(event.time);
        match &event.kind {
            EventKind::SegmentArrived { segment, .. } => {
                let window = match self.run.numbers.get(segment) {
                    Some(position) => self.arrival(*position, now),
                    None => self.forged(now),
                };
                self.caused(host, now, window, false);
            }
            EventKind::DestinationUnreachable { .. } => {
                let window = self.forged(now);
                self.caused(host, now, window, false);
            }
            EventKind::TimerChanged { timer, change } => {
                let key = (host, event.connection.map(|connection| connection.0.get()), *timer);
                match change {
                    TimerChange::Set { .. } => {
                        self.timers.insert(key, now);
                    }
                    TimerChange::Fired => {
                        let set = self.timers.get(&key).copied().unwrap_or(now);
                        let length = now - set;
                        let since = self.window(host, set);
                        self.caused(host, now, since.after(length, granule(length)), true);
                    }
                    TimerChange::Cancelled => {}
                }
            }
            EventKind::FaultApplied(fault) if fault.segment.is_none() => {
                self.caused(host, now, Window::at(now), true);
            }
            EventKind::ApplicationResult(result) => {
                let program = result.step.program;
                let action =
                    &self.scenario.programs[program as usize].steps[result.step.step as usize].action;
                if let Action::Wait(length) = action {
                    let began = self.steps_done.get(&program).copied().unwrap_or(0);
                    let since = self.window(host, began);
                    self.caused(host, now, since.after(micros_of(*length), 0), true);
                }
                if let Action::Close { .. } = action
                    && !self.moments.contains_key(&(host, now))
                {
                    // SO_LINGER's time is over: a timer of the kernel, too.
                    let began = self.steps_done.get(&program).copied().unwrap_or(0);
                    let since = self.window(host, began);
                    self.caused(host, now, since.after(now - began, granule(now - began)), true);
                }
                self.steps_done.insert(program, now);
                self.moment(host, now).application = true;
                if let Some(call) = self.run.calls.get(&sequence) {
                    self.call(host, now, *call);
                }
            }
            EventKind::StateTransition { cause, .. } => {
                if matches!(cause, Cause::GaveUp(_) | Cause::UserTimeout(_)) {
                    // A limit counts from the first retransmission, however late the others were.
                    let moment = self.moment(host, now);
                    moment.window.from = moment.window.from.min(now);
                }
                if let Some(step) = self.run.steps.get(&sequence) {
                    self.step(host, now, *step);
                }
            }
            EventKind::SegmentSent(sent) if !is_forged(sent) => {
                if let Some(position) = self.run.segments.get(&sequence) {
                    self.segment(host, now, *position);
                }
            }
            _ => {}
        }
    }

    /// When a segment of ours that arrives now arrived in the recording.
    fn arrival(&mut self, position: usize, now: Micros) -> Window {
        let ours = &self.run.observed.segments[position];
        let count = self.arrivals.entry(position).or_default();
        let nth = *count;
        *count += 1;
        match self.pairs.segments.get(&position).map(|at| &self.recorded.segments[*at]) {
            Some(theirs) => match theirs.delivered.get(nth) {
                Some(time) => Window::at(*time),
                // Not told: it was under way as long as ours.
                None => Window::at(theirs.time + (now - ours.time)).after(0, EARLY),
            },
            None => self.window(ours.host, ours.time).after(now - ours.time, 0),
        }
    }

    /// When the next forged segment, or the next message of a router, arrived in the recording.
    fn forged(&mut self, now: Micros) -> Window {
        Window::at(if self.injected.is_empty() { now } else { self.injected.remove(0) })
    }

    fn caused(&mut self, host: Host, now: Micros, window: Window, guessed: bool) {
        let known = self.moments.get(&(host, now)).copied();
        let moment = Moment {
            window: window.or(known.map(|moment| moment.window)),
            application: known.is_some_and(|moment| moment.application),
            guessed: guessed || known.is_some_and(|moment| moment.guessed),
        };
        self.moments.insert((host, now), moment);
    }

    /// The moment; without a cause that we know, it is when an application's clock says so.
    fn moment(&mut self, host: Host, now: Micros) -> &mut Moment {
        let alone = Moment { window: Window::at(now), application: true, guessed: true };
        self.moments.entry((host, now)).or_insert(alone)
    }

    fn window(&mut self, host: Host, time: Micros) -> Window {
        self.moment(host, time).window
    }

    /// Judges the time of something that happens now; `late` is how late it may have been noticed. False: the recording
    /// may have ended before.
    fn judge(&mut self, host: Host, now: Micros, theirs: Option<Micros>, late: Micros, what: &str) -> bool {
        let until = self.recorded.until;
        let moment = self.moment(host, now);
        let most = moment.window.to + late + if moment.application { WAKE_UP } else { HANDLING };
        let Some(theirs) = theirs else { return most < until };
        let least = moment.window.from - EARLY;
        if moment.guessed && late == 0 {
            (moment.window, moment.guessed) = (Window::at(theirs), false);
        } else if late == 0 {
            moment.window.to = moment.window.to.max(theirs);
        }
        if !(least..=most).contains(&theirs) && self.times.wrong.is_none() {
            let (theirs, least, most, now) = (Millis(theirs), Millis(least), Millis(most), Millis(now));
            self.times.wrong =
                Some(format!("{what}: recorded at {theirs}, expected {least} to {most} (ours {now})"));
        }
        true
    }

    fn segment(&mut self, host: Host, now: Micros, position: usize) {
        let theirs = self.pairs.segments.get(&position).map(|at| self.recorded.segments[*at].time);
        let ours = &self.run.observed.segments[position];
        let raced = ours.flags == "SA" && !self.strictness.syn_ack_times;
        if raced || !self.pairs.compared.contains(&position) {
            return;
        }
        let what = ours.to_string();
        if !self.judge(host, now, theirs, 0, &what) {
            self.times.late.segments.push(position);
        }
    }

    fn step(&mut self, host: Host, now: Micros, (path, position): (usize, usize)) {
        let step = self.pairs.paths.get(&path).and_then(|at| self.recorded.paths[*at].steps.get(position));
        let ours = self.run.observed.paths[path].steps[position].state;
        let late = step.map_or(0, |step| step.late);
        if !self.judge(host, now, step.map(|step| step.time), late, &format!("{host} {ours}")) {
            self.times.late.steps.push((path, position));
        }
    }

    fn call(&mut self, host: Host, now: Micros, position: usize) {
        let ours = &self.run.observed.calls[position];
        // Of calls in a row that count as one, the last has the time.
        if ours.time == now {
            let theirs = self.pairs.calls.get(&position).map(|at| &self.recorded.calls[*at]);
            let late = theirs.map_or(0, |call| call.late);
            if !self.judge(host, now, theirs.map(|call| call.time), late, &ours.to_string()) {
                self.times.late.calls.push(position);
            }
        }
    }
}

fn micros_of(length: Duration) -> Micros {
    Micros::try_from(length.as_micros()).unwrap_or(Micros::MAX)
}
