//! Events in messages, each of which is smaller than 1 MiB.

use std::vec;

use halfopen_proto::v1::{Event, EventPart};

use super::MESSAGE_BYTES;
use super::parts::take_parts;

/// Consecutive events, or a part of the one that comes next, for one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Batch {
    pub(crate) events: Vec<Event>,
    pub(crate) part: Option<EventPart>,
}

/// Puts consecutive events into messages. One that is too large goes ahead in parts.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    /// The parts that are left of an event, and what is left of itself.
    in_parts: Option<(vec::IntoIter<EventPart>, Event)>,
}

impl Packer {
    /// Whether it keeps an event whose parts go ahead.
    pub(crate) fn is_in_parts(&self) -> bool {
        self.in_parts.is_some()
    }

    /// The next batch: of what it keeps, and of events with their sizes in bytes. It has at most `max` events, and gets no further one
    /// once these have `enough_bytes`. It is empty only if there are no events.
    pub(crate) fn pack(
        &mut self,
        mut events: impl Iterator<Item = (Event, usize)>,
        max: usize,
        enough_bytes: usize,
    ) -> Batch {
        if let Some((parts, _)) = &mut self.in_parts
            && let Some(part) = parts.next()
        {
            return Batch { events: Vec::new(), part: Some(part) };
        }
        let mut packed = Vec::with_capacity(max.min(1 + events.size_hint().0));
        packed.extend(self.in_parts.take().map(|(_, rest)| rest));
        let mut bytes = 0;
        while packed.len() < max && bytes < enough_bytes {
            let Some((mut event, size)) = events.next() else { break };
            let mut parts = match size > MESSAGE_BYTES {
                true => take_parts(&mut event).into_iter(),
                false => Vec::new().into_iter(),
            };
            if parts.as_slice().is_empty() {
                packed.push(event);
                bytes += size;
                continue;
            }
            // What came before goes first.
            let part = if packed.is_empty() { parts.next() } else { None };
            self.in_parts = Some((parts, event));
            return Batch { events: packed, part };
        }
        Batch { events: packed, part: None }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_proto::v1::event::Kind;
    use halfopen_proto::v1::{FinalState, RunFinished};
    use prost::Message;

    use super::*;

    /// Events with these numbers; the one with the number 5 has that many final states.
    fn events(numbers: std::ops::RangeInclusive<u64>, states: usize) -> impl Iterator<Item = (Event, usize)> {
        let state = FinalState { host: "a".repeat(60), connection: 1, state: 5 };
        numbers.map(move |sequence| {
            let final_states = if sequence == 5 { vec![state.clone(); states] } else { Vec::new() };
            let finished = RunFinished { final_states, ..RunFinished::default() };
            let event = Event { sequence, kind: Some(Kind::RunFinished(finished)), ..Event::default() };
            let size = event.encoded_len();
            (event, size)
        })
    }

    fn numbers(batch: &Batch) -> Vec<u64> {
        batch.events.iter().map(|event| event.sequence).collect()
    }

    #[test]
    fn a_batch_has_no_more_events_and_bytes_than_wanted() {
        let mut source = events(1..=9, 1000);
        let mut packer = Packer::default();
        let batches = [(3, 1000), (2, 1000), (9, 1), (9, 1000)].map(|(max, bytes)| {
            let batch = packer.pack(&mut source, max, bytes);
            assert!(batch.part.is_none() && !packer.is_in_parts());
            numbers(&batch)
        });
        assert_eq!(batches, [vec![1, 2, 3], vec![4, 5], vec![6], vec![7, 8, 9]]);
        assert_eq!(packer.pack(source, 9, 1000), Batch::default());
    }

    #[test]
    fn the_parts_of_a_large_event_stand_alone_between_what_comes_before_and_itself() {
        let mut source = events(1..=9, 20_000);
        let mut packer = Packer::default();
        let mut batches = Vec::new();
        loop {
            let batch = packer.pack(&mut source, 9, MESSAGE_BYTES);
            if batch == Batch::default() {
                break;
            }
            assert_eq!(packer.is_in_parts(), numbers(&batch).last().is_none_or(|last| *last < 5));
            batches.push(batch);
        }
        let (first, rest) = batches.split_first().expect("the events before it");
        let (last, parts) = rest.split_last().expect("the event itself");
        assert_eq!((numbers(first), numbers(last)), (vec![1, 2, 3, 4], vec![5, 6, 7, 8, 9]));
        assert!(first.part.is_none() && last.part.is_none());
        let states = parts.iter().flat_map(|batch| batch.part.as_ref()).map(|part| part.final_states.len());
        assert_eq!(states.clone().sum::<usize>(), 20_000);
        assert!(states.clone().count() == parts.len() && parts.len() > 4, "{} parts", parts.len());
    }
}
