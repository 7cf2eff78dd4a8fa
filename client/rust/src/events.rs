//! The events of runs and sessions, as they come: whole, even if the server sends them in parts.

use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{Event, EventPart, ExecuteRunResponse, WatchSessionResponse};
use tonic::{Status, Streaming};

use crate::error::ClientError;

/// The events of a run, as they come. Those that the server sends in parts are whole here.
#[derive(Debug)]
pub struct EventStream(Joined<ExecuteRunResponse>);

impl EventStream {
    pub(crate) fn new(messages: Streaming<ExecuteRunResponse>) -> EventStream {
        EventStream(Joined::new(messages))
    }

    /// The next events; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Event>>, ClientError> {
        self.0.next().await.map_err(|status| ClientError::Ended(Box::new(status)))
    }
}

/// A message with consecutive events, or with a part of the next one.
pub(crate) trait Carrier {
    /// What it carries.
    fn unload(self) -> (Vec<Event>, Option<EventPart>);
}

impl Carrier for ExecuteRunResponse {
    fn unload(self) -> (Vec<Event>, Option<EventPart>) {
        (self.events, self.part)
    }
}

impl Carrier for WatchSessionResponse {
    fn unload(self) -> (Vec<Event>, Option<EventPart>) {
        (self.events, self.part)
    }
}

/// The events of a stream, whole.
#[derive(Debug)]
pub(crate) struct Joined<M> {
    messages: Streaming<M>,
    parts: Parts,
}

impl<M: Carrier> Joined<M> {
    pub(crate) fn new(messages: Streaming<M>) -> Joined<M> {
        Joined { messages, parts: Parts::default() }
    }

    /// The next events; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Event>>, Status> {
        while let Some(message) = self.messages.message().await? {
            let (mut events, part) = message.unload();
            self.parts.join(&mut events, part);
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }
}

/// The parts of the next event that have come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts(EventPart);

impl Parts {
    /// Takes what a message carries: the first of its events is whole then.
    pub(crate) fn join(&mut self, events: &mut [Event], part: Option<EventPart>) {
        if let Some(part) = part {
            self.0.settings.extend(part.settings);
            self.0.problems.extend(part.problems);
            self.0.final_states.extend(part.final_states);
        }
        if let Some(first) = events.first_mut() {
            let EventPart { settings, problems, final_states } = std::mem::take(&mut self.0);
            match &mut first.kind {
                Some(Kind::RunStarted(started)) => started.settings.splice(..0, settings).for_each(drop),
                Some(Kind::RunFinished(finished)) => {
                    finished.problems.splice(..0, problems);
                    finished.final_states.splice(..0, final_states);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_proto::v1::{FinalState, RunFinished, RunStarted, Setting};

    use super::*;

    fn setting(path: &str) -> Setting {
        Setting { path: path.to_owned(), value: None }
    }

    fn state(connection: u32) -> FinalState {
        FinalState { connection, ..FinalState::default() }
    }

    fn event(kind: Kind) -> Event {
        Event { kind: Some(kind), ..Event::default() }
    }

    #[test]
    fn an_event_that_comes_in_parts_is_whole() {
        let mut parts = Parts::default();
        let mut join = |part: EventPart, events: &[Event]| {
            let mut events = events.to_vec();
            parts.join(&mut events, Some(part));
            events
        };
        for path in ["a", "b"] {
            assert_eq!(join(EventPart { settings: vec![setting(path)], ..EventPart::default() }, &[]), []);
        }
        let started =
            |settings| event(Kind::RunStarted(Box::new(RunStarted { settings, ..RunStarted::default() })));
        let whole = join(
            EventPart::default(),
            &[started(vec![setting("c")]), event(Kind::RunStopped(Default::default()))],
        );
        assert_eq!(whole[0], started(["a", "b", "c"].map(setting).to_vec()));

        let finished =
            |final_states| event(Kind::RunFinished(RunFinished { final_states, ..RunFinished::default() }));
        assert_eq!(
            join(EventPart { final_states: vec![state(1), state(2)], ..EventPart::default() }, &[]),
            []
        );
        let whole = join(EventPart::default(), &[finished(Vec::new())]);
        assert_eq!(whole, [finished(vec![state(1), state(2)])]);
        assert_eq!(join(EventPart::default(), &[finished(Vec::new())]), [finished(Vec::new())]);
    }
}
