//! Folds connections that go the same way: the first of them stands for all, and the others have one row.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::fold;
use super::layout::{ItemWhat, Layout};
use super::row::Alike;
use super::slot::{Group, Slot};
use crate::timeline::EntryKind;
use crate::words;

/// How many connections must go the same way to be folded.
const FEWEST: usize = 4;
/// How many of them are named one by one.
const NAMED: usize = 4;

/// The groups of connections whose items differ in nothing but times and numbers, in the order of their first rows.
pub(super) fn groups(layout: &Layout<'_>, kept: &[usize]) -> Vec<Group> {
    let mut ways: BTreeMap<u32, (DefaultHasher, Duration)> = BTreeMap::new();
    for index in kept {
        let item = &layout.items[*index];
        if item.connection != 0 {
            let way = ways.entry(item.connection);
            hash(layout, *index, &mut way.or_insert((DefaultHasher::new(), item.time)).0);
        }
    }
    let mut same: BTreeMap<u64, Vec<(u32, Duration)>> = BTreeMap::new();
    for (connection, (way, begin)) in ways {
        same.entry(way.finish()).or_default().push((connection, begin));
    }
    let groups = same.into_values().filter(|group| group.len() >= FEWEST);
    let mut groups: Vec<Group> = groups.filter_map(|group| Group::new(layout, kept, &group)).collect();
    groups.sort_by_key(|group| group.items.first().copied());
    groups
}

impl Group {
    fn new(layout: &Layout<'_>, kept: &[usize], group: &[(u32, Duration)]) -> Option<Group> {
        let ((like, _), others) = group.split_first()?;
        let connections: BTreeSet<u32> = others.iter().map(|(connection, _)| *connection).collect();
        let of_them = |index: &&usize| connections.contains(&layout.items[**index].connection);
        let items = kept.iter().filter(of_them).copied().collect();
        let begins = group.iter().map(|(_, begin)| *begin).collect();
        Some(Group {
            alike: Alike { like: *like, connections: connections.into_iter().collect() },
            items,
            begins,
        })
    }

    /// What they are, in words: `55 more connections like #1, every 1s: #2 to #56`.
    pub(super) fn text(&self) -> String {
        let Alike { like, connections } = &self.alike;
        let gaps: Vec<Duration> =
            self.begins.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let count = words::count(connections.len() as u64, "more connection");
        format!("{count} like #{like}, {}: {}", fold::pace(&gaps), numbers(connections))
    }
}

/// The numbers of connections: `#2 to #56`, `#2, #5, #6 and #9`.
fn numbers(connections: &[u32]) -> String {
    let consecutive = connections.windows(2).all(|pair| pair[1] == pair[0] + 1);
    match connections {
        [first, .., last] if consecutive => format!("#{first} to #{last}"),
        few if few.len() <= NAMED => {
            few.iter().map(|number| format!("#{number}")).collect::<Vec<_>>().join(", ")
        }
        many => {
            let named: Vec<String> = many[..NAMED].iter().map(|number| format!("#{number}")).collect();
            format!("{} and {} more", named.join(", "), many.len() - NAMED)
        }
    }
}

/// The slots without those of other connections, with a slot for each group where it begins.
pub(super) fn insert(slots: Vec<Slot>, groups: Vec<Group>) -> Vec<Slot> {
    let mut result = Vec::with_capacity(slots.len() + groups.len());
    let mut groups = groups.into_iter().peekable();
    for slot in slots {
        let begin = match &slot {
            Slot::Item(index) | Slot::Silence(index, _) => Some(*index),
            Slot::Folded(items, _) => items.first().copied(),
            Slot::Alike(group) => group.items.first().copied(),
        };
        while let Some(group) = groups.next_if(|group| group.items.first().copied() < begin) {
            result.push(Slot::Alike(group));
        }
        result.push(slot);
    }
    result.extend(groups.map(Slot::Alike));
    result
}

/// All that an item shows but for its time, its sequence numbers and the number of its connection.
fn hash(layout: &Layout<'_>, index: usize, hasher: &mut DefaultHasher) {
    let item = &layout.items[index];
    (layout.arrives_at(item) == item.connection).hash(hasher);
    let states = |entry| layout.end(entry).states.into_iter().map(i32::from).collect::<Vec<i32>>();
    match &item.what {
        ItemWhat::Sent { entry, whole } => {
            let arrival = layout.sent(*entry, *whole).and_then(|(_, arrival)| arrival);
            (0, states(*entry), arrival.map(states)).hash(hasher);
            fold::hash_sent(layout, *entry, *whole, hasher);
        }
        ItemWhat::Arrived { entry, sent } => {
            (1, states(*entry)).hash(hasher);
            fold::hash_arrival(layout, *entry, hasher);
            layout
                .timeline
                .segment(*sent)
                .into_iter()
                .for_each(|segment| fold::hash_segment(segment, hasher));
        }
        ItemWhat::Notes { host, notes, becomes } => {
            (2, host, becomes.is_some()).hash(hasher);
            for (_, entry) in layout.notes(notes) {
                match &entry.kind {
                    EntryKind::Transition { to, cause, .. } => {
                        (i32::from(*to), words::cause(cause)).hash(hasher);
                    }
                    EntryKind::Error(errno) => errno.hash(hasher),
                    // The end of a loop around connections is not part of the last one.
                    EntryKind::Application { error, .. } if entry.connection == 0 && error.is_empty() => {}
                    EntryKind::Application { error, end_of_stream, .. } => {
                        (error, end_of_stream).hash(hasher);
                        fold::hash_note(&entry.kind, hasher);
                    }
                    // What strikes a connection from outside does so once.
                    EntryKind::Fault(_) | EntryKind::Host(_) | EntryKind::End => index.hash(hasher),
                    kind => _ = fold::hash_note(kind, hasher),
                }
            }
        }
    }
}
