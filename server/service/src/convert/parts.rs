//! Events that are too large for one message.

use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{Event, EventPart};
use prost::Message;

/// The size, in bytes, that the lists of an event may have in all before each goes ahead in parts, and the size of a part.
const MAX_LISTS: usize = 256 * 1024;

/// The size, in bytes, of a list that is shortened.
const MAX_SHORTENED: usize = 384 * 1024;

/// Takes from an event the lists that make it too large for one message, and returns them in parts, which go ahead of it. Every message is
/// smaller than 1 MiB, because no other field is large.
pub(super) fn take_parts(event: &mut Event) -> Vec<EventPart> {
    let mut parts = Vec::new();
    match &mut event.kind {
        Some(Kind::RunStarted(started)) => {
            parts.extend(split(&mut started.settings, |settings| EventPart {
                settings,
                ..EventPart::default()
            }));
        }
        Some(Kind::RunFinished(finished)) => {
            parts.extend(split(&mut finished.problems, |problems| EventPart {
                problems,
                ..EventPart::default()
            }));
            parts.extend(split(&mut finished.final_states, |final_states| EventPart {
                final_states,
                ..EventPart::default()
            }));
        }
        _ => {}
    }
    parts
}

/// Leaves out the last items of a list if a message with another such list has no room for them; whether it did.
pub(crate) fn shorten<T: Message>(list: &mut Vec<T>) -> bool {
    let mut bytes = 0;
    let has_room = |item: &&T| {
        bytes += item.encoded_len();
        bytes <= MAX_SHORTENED
    };
    let before = list.len();
    list.truncate(list.iter().take_while(has_room).count());
    list.len() < before
}

/// Empties a list that is too large, into parts.
fn split<T: Message>(list: &mut Vec<T>, part: impl Fn(Vec<T>) -> EventPart) -> Vec<EventPart> {
    let size: usize = list.iter().map(Message::encoded_len).sum();
    if size <= MAX_LISTS {
        return Vec::new();
    }
    let (mut parts, mut items, mut bytes) = (Vec::new(), Vec::new(), 0);
    for item in std::mem::take(list) {
        bytes += item.encoded_len();
        items.push(item);
        if bytes >= MAX_LISTS {
            parts.push(part(std::mem::take(&mut items)));
            bytes = 0;
        }
    }
    parts.extend((!items.is_empty()).then(|| part(items)));
    parts
}

#[cfg(test)]
mod tests {
    use halfopen_proto::v1::{FinalState, Problem, RunFinished, RunStarted, Setting, problem, setting};

    use super::*;

    fn event(kind: Kind) -> Event {
        Event { kind: Some(kind), ..Event::default() }
    }

    fn states(count: u32) -> Vec<FinalState> {
        (1..=count).map(|connection| FinalState { host: "a".repeat(60), connection, state: 5 }).collect()
    }

    #[test]
    fn an_event_that_fits_stays_whole() {
        let finished = RunFinished { final_states: states(3000), ..RunFinished::default() };
        let mut whole = event(Kind::RunFinished(finished.clone()));
        assert_eq!(take_parts(&mut whole), []);
        assert_eq!(whole, event(Kind::RunFinished(finished)));
    }

    #[test]
    fn a_list_is_shortened_only_if_it_is_too_large() {
        let mut list = states(5000);
        assert!(!shorten(&mut list));
        assert_eq!(list, states(5000));
        list = states(50_000);
        assert!(shorten(&mut list));
        let bytes: usize = list.iter().map(Message::encoded_len).sum();
        assert!(bytes <= MAX_SHORTENED && bytes + 100 > MAX_SHORTENED, "{bytes} bytes");
        assert_eq!(list, states(list.len() as u32));
    }

    #[test]
    fn each_list_that_is_too_large_goes_ahead_whole_and_in_order() {
        let problems = vec![Problem { kind: Some(problem::Kind::Stopped(true)) }];
        let finished = RunFinished {
            problems: problems.clone(),
            final_states: states(50_000),
            ..RunFinished::default()
        };
        let mut last = event(Kind::RunFinished(finished));
        let parts = take_parts(&mut last);
        assert!(parts.len() > 10 && parts.iter().all(|part| part.encoded_len() < 1 << 20));
        let sent: Vec<FinalState> = parts.into_iter().flat_map(|part| part.final_states).collect();
        assert_eq!(sent, states(50_000));
        let rest = RunFinished { problems, ..RunFinished::default() };
        assert_eq!(last, event(Kind::RunFinished(rest)));

        let settings: Vec<Setting> = (0..20_000)
            .map(|number| Setting {
                path: format!("applications.client[{number}].send"),
                value: Some(setting::Value::Number(number)),
            })
            .collect();
        let started = RunStarted { settings: settings.clone(), ..RunStarted::default() };
        let mut first = event(Kind::RunStarted(Box::new(started)));
        let sent: Vec<Setting> = take_parts(&mut first).into_iter().flat_map(|part| part.settings).collect();
        assert_eq!(sent, settings);
        assert_eq!(first, event(Kind::RunStarted(Box::default())));
    }
}
