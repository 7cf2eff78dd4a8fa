//! Reads the events of a connection into beats.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use halfopen_proto::v1::{HostState, MiddleboxChange, StepKind, TcpDropReason, TcpPurpose, TcpState};

use super::beats::{Answer, Beat, Forger, Moved, Reset, Story, What};
use super::phrases::{self, Reasons};
use super::recovery::{self, Recoveries};
use crate::stall::{DelayedAck, Stalls};
use crate::timeline::{Entry, EntryIndex, EntryKind, HostIndex, Segment, Timeline};

/// How far back a beat may be that a like one continues.
pub(super) const NEAR: usize = 6;

/// Reads the story of a connection: what happened to it, and to the hosts and the network meanwhile.
pub(super) fn story(timeline: &Timeline, stalls: &Stalls, connection: u32, hosts: &[HostIndex]) -> Story {
    let of_it = |entry: &Entry| entry.connection == connection;
    let Some(last) = timeline.entries.iter().rposition(of_it) else { return Story::default() };
    // With other connections there, what happened before this one is not its story.
    let first = timeline.entries.iter().position(of_it).filter(|_| timeline.connections > 1).unwrap_or(0);
    let mut reader = Reader::new(timeline, stalls);
    for (index, entry) in timeline.entries.iter().enumerate() {
        // What strikes a host or the network concerns all connections there, even afterwards if it is not over.
        let concerns = entry.connection == 0
            && match &entry.kind {
                EntryKind::Fault(fault) => hosts.iter().any(|host| fault.concerns(entry.host, *host)),
                EntryKind::Host(_) => entry.host.is_some_and(|host| hosts.contains(&host)),
                _ => false,
            };
        if (of_it(entry) && index <= last)
            || (concerns && index >= first && (index <= last || !reader.over(hosts)))
        {
            reader.read(index, entry);
        }
    }
    reader.finish()
}

pub(super) struct Reader<'a> {
    pub(super) timeline: &'a Timeline,
    stalls: &'a Stalls,
    pub(super) beats: Vec<Beat>,
    states: BTreeMap<HostIndex, TcpState>,
    recoveries: Recoveries,
    /// The beat that describes each of them.
    recovered: BTreeMap<usize, usize>,
    /// The windows that are closed.
    closed: BTreeSet<HostIndex>,
    /// The silence before the next keepalive probe of a host, if it is reported before the probe.
    pub(super) silence: BTreeMap<HostIndex, (EntryIndex, Duration)>,
}

impl<'a> Reader<'a> {
    fn new(timeline: &'a Timeline, stalls: &'a Stalls) -> Reader<'a> {
        Reader {
            timeline,
            stalls,
            beats: Vec::new(),
            states: BTreeMap::new(),
            recoveries: Recoveries::default(),
            recovered: BTreeMap::new(),
            closed: BTreeSet::new(),
            silence: BTreeMap::new(),
        }
    }

    /// Whether every end is closed.
    fn over(&self, hosts: &[HostIndex]) -> bool {
        hosts.iter().all(|host| self.states.get(host).is_some_and(|state| *state == TcpState::Closed))
    }

    fn read(&mut self, index: EntryIndex, entry: &Entry) {
        match (&entry.kind, entry.host) {
            (EntryKind::Sent(segment), host) => self.sent(index, host, segment),
            (EntryKind::Arrived { segment, copy, dropped }, Some(host)) => {
                self.arrived(index, host, *segment, *copy, *dropped);
            }
            (EntryKind::Unreachable { segment, code, mtu, dropped }, Some(host)) => {
                let (code, mtu, dropped) = (*code, *mtu, *dropped);
                let segment = self.timeline.segment(*segment);
                let label = segment.map(phrases::label).unwrap_or_default();
                let neighbour =
                    segment.filter(|segment| segment.found_no_neighbour()).map(|segment| segment.to);
                self.add(index, What::Unreachable { host, label, code, mtu, dropped, neighbour });
            }
            (EntryKind::Middlebox { name, change, before, translated_to, idle, sack_kept }, _) => {
                match change {
                    MiddleboxChange::Unspecified | MiddleboxChange::Created | MiddleboxChange::Moved => {}
                    MiddleboxChange::Adopted
                    | MiddleboxChange::Expired
                    | MiddleboxChange::Forgotten
                    | MiddleboxChange::Clamped
                    | MiddleboxChange::Translated
                    | MiddleboxChange::Renumbered
                    | MiddleboxChange::Untranslated => {
                        let (name, change, before) = (name.clone(), *change, *before);
                        let (translated_to, idle, sack_kept) = (translated_to.clone(), *idle, *sack_kept);
                        self.add(
                            index,
                            What::Middlebox { name, change, before, translated_to, idle, sack_kept },
                        );
                    }
                }
            }
            (EntryKind::Transition { to, .. }, Some(host)) => self.transition(index, host, *to),
            (EntryKind::Keepalive { verdict, silence, .. }, Some(host)) => {
                self.keepalive(index, host, *verdict, *silence);
            }
            (EntryKind::Error(errno), Some(host)) => {
                self.add(index, What::Error { host, errno: errno.clone() });
            }
            (EntryKind::Fault(fault), host) => {
                self.add(index, What::Fault { host, fault: fault.clone(), state: None });
            }
            (EntryKind::Host(state), Some(host)) => self.host(index, host, *state),
            (EntryKind::Application { call, octets, end_of_stream, error, .. }, Some(host)) => {
                self.application(index, host, *call, (*octets, *end_of_stream), error);
            }
            (EntryKind::Written { octets }, Some(host)) => {
                self.moved(index, host, Moved { sent: *octets, ..Moved::default() });
            }
            (EntryKind::Read { octets }, Some(host)) => {
                self.moved(index, host, Moved { received: *octets, ..Moved::default() });
            }
            (EntryKind::Timer { .. }, Some(_)) => self.delayed_ack(index),
            (EntryKind::Lost { .. } | EntryKind::End, _) | (_, None) => {}
        }
    }

    /// Adds a beat, to one of the last if they are alike.
    fn add(&mut self, index: EntryIndex, what: What) {
        let near = self.beats.len().saturating_sub(NEAR);
        for beat in self.beats[near..].iter_mut().rev() {
            if beat.what.takes(&what) {
                beat.until = index;
                beat.count += 1;
                return;
            }
        }
        self.beats.push(Beat { from: index, until: index, count: 1, what });
    }

    /// The beat of that kind at the same moment as an entry, if there is one.
    fn at_once(&mut self, index: EntryIndex, wanted: impl Fn(&What) -> bool) -> Option<&mut Beat> {
        let time = self.timeline.entries[index].time;
        let timeline = self.timeline;
        self.beats
            .iter_mut()
            .rev()
            .take(NEAR)
            .find(|beat| timeline.entries[beat.until].time == time && wanted(&beat.what))
    }

    fn sent(&mut self, index: EntryIndex, host: Option<HostIndex>, segment: &Segment) {
        let label = phrases::label(segment);
        if segment.injected {
            let by = match (segment.middlebox.is_empty(), segment.faults.first()) {
                (false, _) => Forger::Middlebox(segment.middlebox.clone()),
                (true, Some(fault)) => Forger::Fault(fault.number),
                (true, None) => Forger::Unknown,
            };
            return self.add(index, What::Forged { name: host, by, label });
        }
        for fault in &segment.faults {
            if !segment.is_lost_by(fault.number) {
                let (fault, label) = (fault.clone(), label.clone());
                self.add(index, What::Altered { host, fault, label });
            }
        }
        let Some(host) = host else { return };
        self.window(index, host, segment);
        match segment.purpose {
            TcpPurpose::KeepaliveProbe | TcpPurpose::WindowProbe => self.probe(index, host, segment),
            _ if segment.flags.rst => self.reset(index, host, segment),
            _ if phrases::space(segment) > 0 => {
                if let Some(number) = self.recoveries.sent(self.timeline, index, host) {
                    self.recovery(index, number);
                }
            }
            purpose => {
                let answer =
                    if purpose == TcpPurpose::ChallengeAck { Answer::Challenge } else { Answer::Ack };
                self.answer(index, host, answer);
                if recovery::is_lost(segment) {
                    let mut reasons = Reasons::default();
                    reasons.add(self.timeline, segment);
                    self.add(index, What::Lost { host, label, reasons });
                }
            }
        }
    }

    /// A recovery that begins, or goes on.
    fn recovery(&mut self, index: EntryIndex, number: usize) {
        match self.recovered.get(&number) {
            Some(beat) => self.beats[*beat].until = index,
            None => {
                self.recovered.insert(number, self.beats.len());
                let from = self.recoveries.all[number].first().unwrap_or(index);
                self.beats.push(Beat { from, until: index, count: 1, what: What::Recovery(number) });
            }
        }
    }

    /// A window that closes is a beat; its opening shows in what is sent next.
    fn window(&mut self, index: EntryIndex, host: HostIndex, segment: &Segment) {
        let says = segment.flags.ack && !segment.flags.rst && !segment.flags.syn;
        if says && segment.window == 0 {
            if self.closed.insert(host) {
                self.add(index, What::WindowClosed { host });
            }
        } else if says {
            self.closed.remove(&host);
        }
    }

    pub(super) fn same_moment(&self, one: EntryIndex, other: EntryIndex) -> bool {
        self.timeline.entries[one].time == self.timeline.entries[other].time
    }

    fn reset(&mut self, index: EntryIndex, host: HostIndex, segment: &Segment) {
        let mut reset = Reset { lost: Reasons::default() };
        if segment.arrivals.is_empty() {
            reset.lost.add(self.timeline, segment);
        }
        let ends = |what: &What| matches!(what, What::Step { host: of, reset: None, .. } if *of == host);
        if let Some(Beat { what: What::Step { reset: step, .. }, .. }) = self.at_once(index, ends) {
            *step = Some(reset);
            return;
        }
        if !self.answer(index, host, Answer::Reset(reset.clone())) {
            self.add(index, What::Reset { host, reset });
        }
    }

    /// Notes an answer to what the host did not use at the same moment, if there was anything.
    fn answer(&mut self, index: EntryIndex, host: HostIndex, new: Answer) -> bool {
        let unanswered = |what: &What| matches!(what, What::NotUsed { host: of, .. } if *of == host);
        match self.at_once(index, unanswered) {
            Some(Beat { what: What::NotUsed { answer, .. }, until, .. }) => {
                *until = index;
                answer.get_or_insert((new, 0)).1 += 1;
                true
            }
            _ => false,
        }
    }

    fn arrived(
        &mut self,
        index: EntryIndex,
        host: HostIndex,
        sent: EntryIndex,
        copy: usize,
        dropped: TcpDropReason,
    ) {
        let Some(segment) = self.timeline.segment(sent) else { return };
        if let (Some(ack), TcpDropReason::Unspecified) = (segment.ack, dropped)
            && let Some(number) = self.recoveries.acknowledged(index, host, ack)
        {
            self.recovery(index, number);
        }
        // The retransmission or the probe that caused a duplicate describes it.
        if matches!(dropped, TcpDropReason::Unspecified | TcpDropReason::Duplicate) || copy > 1 {
            return;
        }
        let (from, label, why) = (self.timeline.entries[sent].host, phrases::label(segment), dropped);
        let state = self.states.get(&host).copied();
        self.add(index, What::NotUsed { host, from, label, why, state, answer: None });
    }

    fn transition(&mut self, index: EntryIndex, host: HostIndex, to: TcpState) {
        let from = self.states.insert(host, to).unwrap_or(TcpState::Unspecified);
        match to {
            TcpState::SynSent => {
                let mine = |beat: &&mut Beat| matches!(&beat.what, What::Opening { by, .. } if *by != host);
                let crossing = self.beats.iter_mut().rev().take(1).find(mine);
                match crossing.map(|beat| &mut beat.what) {
                    Some(What::Opening { crossed, .. }) => *crossed = true,
                    _ => self.add(index, What::Opening { by: host, crossed: false, established: Vec::new() }),
                }
            }
            TcpState::SynReceived | TcpState::Listen | TcpState::Unspecified => {}
            TcpState::Established => {
                let opening = self.beats.iter_mut().rev().find_map(|beat| match &mut beat.what {
                    What::Opening { established, .. } => Some((established, &mut beat.until)),
                    _ => None,
                });
                if let Some((established, until)) = opening {
                    established.push((host, index));
                    *until = index;
                }
            }
            TcpState::Closed
            | TcpState::FinWait1
            | TcpState::FinWait2
            | TcpState::CloseWait
            | TcpState::Closing
            | TcpState::LastAck
            | TcpState::TimeWait => {
                if to == TcpState::Closed {
                    self.recoveries.ended(host);
                }
                self.beats.push(Beat {
                    from: index,
                    until: index,
                    count: 1,
                    what: What::Step { host, from, reset: None },
                });
            }
        }
    }

    fn host(&mut self, index: EntryIndex, host: HostIndex, new: HostState) {
        if new == HostState::Down {
            self.states.insert(host, TcpState::Closed);
            self.recoveries.ended(host);
        }
        let fault =
            |what: &What| matches!(what, What::Fault { host: of, state: None, .. } if *of == Some(host));
        match self.at_once(index, fault) {
            Some(Beat { what: What::Fault { state, .. }, until, .. }) => {
                (*state, *until) = (Some(new), index);
            }
            _ => self.add(index, What::Host { host, state: new }),
        }
    }

    fn moved(&mut self, index: EntryIndex, host: HostIndex, moved: Moved) {
        self.add(index, What::Transfer(BTreeMap::from([(host, moved)])));
    }

    /// An acknowledgment is sent because its timer fired.
    fn delayed_ack(&mut self, fired: EntryIndex) {
        if let Some(DelayedAck { host, since, held }) = self.stalls.delayed_ack(fired) {
            let delays = vec![self.timeline.entries[fired].time.saturating_sub(since)];
            self.add(fired, What::DelayedAcks { host, delays, held });
        }
    }

    fn application(
        &mut self,
        index: EntryIndex,
        host: HostIndex,
        call: StepKind,
        (octets, end): (u64, bool),
        error: &str,
    ) {
        if !error.is_empty() {
            let error = error.to_owned();
            let waiting = |what: &What| matches!(what, What::Error { host: of, errno } if *of == host && *errno == error);
            let what = What::Failed { host, call, octets, error: error.clone() };
            match self.at_once(index, waiting) {
                Some(beat) => (beat.from, beat.until, beat.what) = (index, index, what),
                None => self.add(index, what),
            }
            return;
        }
        if octets > 0 {
            let (sends, receives) = if call == StepKind::Receive { (0, 1) } else { (1, 0) };
            self.moved(index, host, Moved { sends, receives, ..Moved::default() });
        }
        if end {
            self.add(index, What::EndOfStream { host });
        }
    }

    fn finish(mut self) -> Story {
        self.beats.sort_by_key(|beat| beat.from);
        // The error that a change of state brings is pending first, but comes of it.
        for at in 1..self.beats.len() {
            if let [Beat { from, what: What::Error { host, .. }, .. }, next] = &self.beats[at - 1..=at]
                && matches!(&next.what, What::Step { host: other, .. } if other == host)
                && self.same_moment(*from, next.from)
            {
                self.beats.swap(at - 1, at);
            }
        }
        Story { beats: self.beats, recoveries: self.recoveries.all }
    }
}
