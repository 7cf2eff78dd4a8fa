//! The events of a run, as they come.

use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{Event, EventPart, ExecuteRunResponse};
use tonic::Streaming;

use crate::error::ClientError;

/// The events of a run, as they come. Those that the server sends in parts are whole here.
#[derive(Debug)]
pub struct EventStream {
    messages: Streaming<ExecuteRunResponse>,
    parts: Parts,
}

impl EventStream {
    pub(crate) fn new(messages: Streaming<ExecuteRunResponse>) -> EventStream {
        EventStream { messages, parts: Parts::default() }
    }

    /// The next events; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Event>>, ClientError> {
        loop {
            match self.messages.message().await {
                Ok(None) => return Ok(None),
                Ok(Some(message)) => {
                    let events = self.parts.join(message);
                    if !events.is_empty() {
                        return Ok(Some(events));
                    }
                }
                Err(status) => return Err(ClientError::Ended(Box::new(status))),
            }
        }
    }
}

/// The parts of the next event that have come.
#[derive(Debug, Default)]
struct Parts(EventPart);

impl Parts {
    /// The events of a message, the first of them whole.
    fn join(&mut self, message: ExecuteRunResponse) -> Vec<Event> {
        let ExecuteRunResponse { mut events, part } = message;
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
        events
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
            parts.join(ExecuteRunResponse { events: events.to_vec(), part: Some(part) })
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
