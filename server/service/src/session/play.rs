//! A session while it is played: whose turn it is, and what comes next.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use halfopen_proto::v1;
use halfopen_scenario::Scenario;
use halfopen_sim::{Bound, Condition, RunOptions, Stop};
use halfopen_tcp::Instant;
use prost::Message;
use tokio::sync::oneshot;
use tokio::time::Instant as WallTime;
use tonic::Status;

use super::conditions::Until;
use super::job::{Finish, Job, Response};
use super::participants::{Participant, Queued, Reply, Waiting};
use super::played::Played;
use super::record::Record;
use super::referee::{Judged, Referee};
use crate::convert;
use crate::cost::Meter;
use crate::status;

/// The number of events in a response.
const MAX_EVENTS: usize = 1000;

/// What a session begins with.
pub(crate) struct Opening {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) options: RunOptions,
    pub(crate) meter: Meter,
    pub(crate) participants: u32,
    pub(crate) lease: Duration,
}

/// What plays the same as a session.
pub(crate) struct Exported {
    pub(crate) scenario: Scenario,
    pub(crate) seed: u64,
}

/// A session.
pub(crate) struct Session {
    played: Played,
    seed: u64,
    participants: Vec<Participant>,
    referee: Referee,
    phase: Phase,
    /// Who was woken last. Of several who can be woken, the next one is.
    last: usize,
    lease: Duration,
    /// When a participant last made a call.
    called: WallTime,
}

/// What is going on.
enum Phase {
    /// It is this participant's turn.
    Acting(usize),
    /// Time moves: everybody waits.
    Moving,
    /// A participant ends it.
    Finishing { by: usize, reply: Reply, end: End },
    /// It was judged.
    Finished(Response),
}

/// The end of a session.
enum End {
    /// Time moves, for the last time: until then at most.
    PlayingOn(Option<Instant>),
    /// It is judged elsewhere.
    Judging(oneshot::Receiver<Judged>),
}

impl Session {
    pub(super) fn new(opening: Opening, record: Arc<Record>, referee: Referee) -> Session {
        let Opening { scenario, options, meter, participants, lease } = opening;
        Session {
            played: Played::new(scenario, &options, meter, record),
            seed: options.seed,
            participants: (0..participants).map(|_| Participant::default()).collect(),
            referee,
            phase: Phase::Acting(0),
            last: 0,
            lease,
            called: WallTime::now(),
        }
    }

    /// Takes a call. It is made when it is the participant's turn.
    pub(super) fn take(&mut self, participant: usize, queued: Queued) {
        self.called = WallTime::now();
        let own = &mut self.participants[participant];
        if own.has_left {
            let _ = queued.reply.send(Err(status::participant_left(participant + 1)));
            return;
        }
        let is_advance = matches!(queued.job, Job::Advance(_));
        match &own.waiting {
            // Whoever waited is gone, and acts again.
            Some(waiting) if waiting.reply.is_closed() && !queued.repeats(&waiting.request_id) => {
                own.waiting = None;
                if matches!(self.phase, Phase::Moving) {
                    self.phase = Phase::Acting(participant);
                }
            }
            Some(waiting) if is_advance && !queued.repeats(&waiting.request_id) => {
                let _ = queued.reply.send(Err(status::already_advancing(participant + 1)));
                return;
            }
            Some(_) | None => {}
        }
        own.take(queued);
    }

    /// Does the next thing that there is to do; whether there was one. It is never long.
    pub(super) fn go_on(&mut self) -> bool {
        match &mut self.phase {
            Phase::Acting(participant) => {
                let participant = *participant;
                let Some(queued) = self.participants[participant].next() else { return false };
                self.perform(participant, queued);
                true
            }
            Phase::Moving => {
                let somebody_waits =
                    |own: &Participant| own.waiting.as_ref().is_some_and(|it| !it.reply.is_closed());
                // Until somebody comes back, nothing is lost.
                let is_wanted = self.participants.iter().any(somebody_waits);
                if is_wanted {
                    self.move_time();
                }
                is_wanted
            }
            Phase::Finishing { end: End::PlayingOn(until), .. } => {
                let until = *until;
                self.play_on(until);
                true
            }
            Phase::Finishing { end: End::Judging(judged), .. } => match judged.try_recv() {
                Ok(Ok((finished, meter))) => {
                    self.finish(finished, meter);
                    true
                }
                Ok(Err(panic)) => resume_unwind(panic),
                Err(_) => false,
            },
            Phase::Finished(_) => {
                let mut queues = self.participants.iter_mut().enumerate();
                let next = queues.find_map(|(index, own)| Some((index, own.next()?)));
                let Some((participant, queued)) = next else { return false };
                self.perform(participant, queued);
                true
            }
        }
    }

    /// When it ends, unless somebody makes a call before or there is something to do; `None` while it is judged.
    pub(super) fn expires(&self) -> Option<WallTime> {
        match self.phase {
            Phase::Finishing { end: End::Judging(_), .. } => None,
            Phase::Acting(_)
            | Phase::Moving
            | Phase::Finishing { end: End::PlayingOn(_), .. }
            | Phase::Finished(_) => Some(self.called + self.lease),
        }
    }

    pub(super) fn lease(&self) -> Duration {
        self.lease
    }

    /// The participant whose turn it is, from 1, if it is somebody's.
    pub(super) fn turn(&self) -> Option<usize> {
        match self.phase {
            Phase::Acting(participant) => Some(participant + 1),
            Phase::Moving | Phase::Finishing { .. } | Phase::Finished(_) => None,
        }
    }

    /// Gives readers what there is, if there are any.
    pub(super) fn rest(&mut self) {
        if self.played.record().is_watched() {
            self.played.flush();
        }
    }

    /// Gives readers what there is.
    pub(super) fn flush(&mut self) {
        self.played.flush();
    }

    /// What it has come to.
    pub(super) fn look(&mut self) -> v1::GetSessionResponse {
        self.played.flush();
        let waits = |(number, own): (u32, &Participant)| own.waiting.as_ref().map(|_| number);
        let finished = match &self.phase {
            Phase::Finished(response) => response.downcast_ref::<v1::FinishSessionResponse>(),
            Phase::Acting(_) | Phase::Moving | Phase::Finishing { .. } => None,
        };
        v1::GetSessionResponse {
            time: Some(convert::duration(self.played.time().as_duration())),
            events: self.played.record().events(),
            turn: self.turn().map_or(0, |turn| turn as u32),
            waiting: (1..).zip(&self.participants).filter_map(waits).collect(),
            finished: finished.and_then(|response| response.finished.clone()),
            hosts: convert::session_hosts(self.played.scenario()),
        }
    }

    /// What plays the same.
    pub(super) fn export(&self) -> Result<Exported, Status> {
        Ok(Exported { scenario: self.played.export()?, seed: self.seed })
    }

    fn perform(&mut self, participant: usize, Queued { request_id, job, bytes: _, reply }: Queued) {
        let own = &mut self.participants[participant];
        match job {
            Job::Call(call) => match call(&mut self.played) {
                Ok((response, bytes)) => own.answer(request_id, reply, Ok(response), bytes),
                Err(status) => own.answer(request_id, reply, Err(status), 0),
            },
            Job::Advance(request) => match Until::new(&self.played, &request) {
                Ok(until) => {
                    let max_events = MAX_EVENTS.min(request.max_events as usize);
                    own.waiting = Some(Waiting { request_id, until, max_events, reply });
                    self.phase = self.next_turn(participant);
                }
                Err(status) => own.answer(request_id, reply, Err(status), 0),
            },
            Job::Leave => {
                own.has_left = true;
                own.answer(request_id, reply, Ok(Arc::new(v1::LeaveSessionResponse {})), 0);
                for late in own.queue.drain(..) {
                    let _ = late.reply.send(Err(status::participant_left(participant + 1)));
                }
                self.phase = self.next_turn(participant);
            }
            Job::Finish(Finish { until }) => match &self.phase {
                Phase::Finished(response) => own.answer(request_id, reply, Ok(Arc::clone(response)), 0),
                _ => self.phase = Phase::Finishing { by: participant, reply, end: End::PlayingOn(until) },
            },
        }
    }

    /// Whose turn it is after this participant's.
    fn next_turn(&self, participant: usize) -> Phase {
        let count = self.participants.len();
        let mut others = (1..=count).map(|step| (participant + step) % count);
        let acts = |index: &usize| {
            let Participant { waiting, has_left, .. } = &self.participants[*index];
            waiting.is_none() && !has_left
        };
        match others.find(acts) {
            Some(other) => Phase::Acting(other),
            None if self.participants.iter().any(|own| own.waiting.is_some()) => Phase::Moving,
            // Nobody is left.
            None => Phase::Acting(participant),
        }
    }

    /// Moves time for a slice, or wakes the one for whom it stands still.
    fn move_time(&mut self) {
        let count = self.participants.len();
        let order: Vec<usize> = (1..=count).map(|step| (self.last + step) % count).collect();
        let waiting = |index: usize| self.participants[index].waiting.as_ref();
        for &index in &order {
            let Some(Waiting { until, .. }) = waiting(index) else { continue };
            if let Some(position) = until.holds(&self.played) {
                return self.wake(index, Stop::Condition(position));
            }
            if until.bound.is_some_and(|bound| self.played.is_at(bound)) {
                return self.wake(index, Stop::Time);
            }
        }
        // None of the conditions held for these events.
        let events = self.played.events();
        for waiting in self.participants.iter_mut().filter_map(|own| own.waiting.as_mut()) {
            waiting.until.seen = events;
        }
        let waiting = |index: usize| self.participants[index].waiting.as_ref();
        let untils = || order.iter().filter_map(|index| Some(&waiting(*index)?.until));
        let bound = untils().filter_map(|until| until.bound).min();
        let conditions: Vec<Condition<'_>> =
            untils().flat_map(|until| &until.conditions).map(|awaited| awaited.condition()).collect();
        match self.played.step_to(bound, &conditions) {
            // Who that is for is found in the next round.
            Some(Stop::Time | Stop::Condition(_)) | None => {}
            Some(stop @ (Stop::Idle | Stop::End | Stop::Limit(_) | Stop::Cancelled)) => {
                let next = order.iter().find(|index| waiting(**index).is_some());
                self.wake(*next.expect("time moves for somebody"), stop);
            }
        }
    }

    /// A participant acts again, because time stands still.
    fn wake(&mut self, participant: usize, stop: Stop) {
        let own = &mut self.participants[participant];
        let Some(Waiting { request_id, until, max_events, reply }) = own.waiting.take() else { return };
        let mut response = until.stopped(stop, &self.played);
        (response.events, response.part, response.more_events) =
            self.played.read(&mut own.cursor, max_events);
        let bytes = response.encoded_len();
        own.answer(request_id, reply, Ok(Arc::new(response)), bytes);
        self.last = participant;
        self.phase = Phase::Acting(participant);
        self.called = WallTime::now();
    }

    /// Plays on to the end for a slice. Then it is judged.
    fn play_on(&mut self, until: Option<Instant>) {
        if self.played.step_to(until.map(Bound::until), &[]).is_none() {
            return;
        }
        if let Phase::Finishing { end, .. } = &mut self.phase
            && let Some(judged) = self.played.end(&self.referee)
        {
            *end = End::Judging(judged);
        }
    }

    /// It was judged.
    fn finish(&mut self, finished: v1::FinishSessionResponse, meter: Meter) {
        self.played.judged(meter);
        let finished: Response = Arc::new(finished);
        let phase = std::mem::replace(&mut self.phase, Phase::Finished(Arc::clone(&finished)));
        if let Phase::Finishing { by, reply, .. } = phase {
            self.participants[by].answer(String::new(), reply, Ok(finished), 0);
        }
        for own in &mut self.participants {
            if let Some(Waiting { request_id, until, reply, .. }) = own.waiting.take() {
                let response = until.stopped(Stop::End, &self.played);
                let bytes = response.encoded_len();
                own.answer(request_id, reply, Ok(Arc::new(response)), bytes);
            }
        }
        self.called = WallTime::now();
    }
}
