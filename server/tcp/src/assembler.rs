//! Reassembly: octets that arrived out of order.

use std::collections::BTreeMap;

use crate::memory::RANGE;

/// How many ranges are kept in the order of arrival: as many as a SACK option has blocks (RFC 2018 §3).
const RECENT: usize = 4;

/// Octets by their offset in the stream. Ranges never touch or overlap: neighbours are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assembler {
    /// First octet's offset in the stream → octets.
    ranges: BTreeMap<u64, Vec<u8>>,
    /// Offsets of the ranges that grew last, the latest first: the order of SACK blocks (RFC 2018 §4).
    recent: Vec<u64>,
    /// Octets in all ranges.
    octets: u64,
}

impl Assembler {
    /// Whether there is no range.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The memory that it takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.octets + self.ranges.len() as u64 * RANGE
    }

    /// Inserts `octets` at stream offset `start`. Octets that are already there stay.
    pub(crate) fn insert(&mut self, start: u64, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        let end = start + octets.len() as u64;
        let mut merged_start = start;
        let mut merged = octets.to_vec();
        // Every range that touches [start, end] is joined into one.
        let touching: Vec<u64> = self
            .ranges
            .range(..=end)
            .rev()
            .take_while(|(at, range)| **at + range.len() as u64 >= start)
            .map(|(at, _)| *at)
            .collect();
        for at in touching {
            let range = self.ranges.remove(&at).expect("just found");
            self.recent.retain(|recent| *recent != at);
            self.octets -= range.len() as u64;
            let range_end = at + range.len() as u64;
            let merged_end = merged_start + merged.len() as u64;
            if range_end > merged_end {
                merged.extend_from_slice(&range[(merged_end - at.min(merged_end)) as usize..]);
            }
            if at < merged_start {
                let head = (merged_start - at) as usize;
                let mut joined = range;
                joined.truncate(head);
                joined.extend_from_slice(&merged);
                merged = joined;
                merged_start = at;
            }
        }
        self.recent.insert(0, merged_start);
        self.recent.truncate(RECENT);
        self.octets += merged.len() as u64;
        self.ranges.insert(merged_start, merged);
    }

    /// Takes the octets at stream offset `next`, if there are any; those before it are dropped.
    pub(crate) fn take(&mut self, next: u64) -> Option<Vec<u8>> {
        while let Some((&at, _)) = self.ranges.first_key_value() {
            if at > next {
                return None;
            }
            let (_, mut range) = self.ranges.pop_first().expect("just seen");
            self.recent.retain(|recent| *recent != at);
            self.octets -= range.len() as u64;
            let known = (next - at) as usize;
            if known < range.len() {
                return Some(range.split_off(known));
            }
        }
        None
    }

    /// Where the last range ends; 0 if there is none.
    pub(crate) fn end(&self) -> u64 {
        self.ranges.last_key_value().map_or(0, |(at, range)| at + range.len() as u64)
    }

    /// The ranges as (start, end), those that grew last first, then by position.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let bounds = |(at, range): (&u64, &Vec<u8>)| (*at, at + range.len() as u64);
        let recent = self.recent.iter().filter_map(|at| self.ranges.get_key_value(at));
        recent.chain(self.ranges.iter().filter(|(at, _)| !self.recent.contains(at))).map(bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::Assembler;
    use proptest::prelude::*;

    fn octet(offset: u64) -> u8 {
        (offset % 251) as u8
    }

    fn octets(start: u64, end: u64) -> Vec<u8> {
        (start..end).map(octet).collect()
    }

    #[test]
    fn neighbours_are_joined_and_the_latest_comes_first() {
        let mut assembler = Assembler::default();
        assembler.insert(10, &octets(10, 20));
        assembler.insert(40, &octets(40, 50));
        assembler.insert(20, &octets(20, 30));
        assert_eq!(assembler.ranges().collect::<Vec<_>>(), [(10, 30), (40, 50)]);
        assembler.insert(45, &octets(45, 60));
        assert_eq!(assembler.ranges().collect::<Vec<_>>(), [(40, 60), (10, 30)]);
        for start in [80, 70, 90, 100] {
            assembler.insert(start, &octets(start, start + 5));
        }
        let newest_first = [(100, 105), (90, 95), (70, 75), (80, 85), (10, 30), (40, 60)];
        assert_eq!(assembler.ranges().collect::<Vec<_>>(), newest_first);
        for start in [80, 70, 90, 100] {
            assembler.insert(start + 5, &octets(start + 5, start + 10));
        }
        assert_eq!(assembler.ranges().collect::<Vec<_>>(), [(70, 110), (10, 30), (40, 60)]);
        assert_eq!(assembler.take(9), None);
        assert_eq!(assembler.take(10), Some(octets(10, 30)));
        assert_eq!(assembler.take(45), Some(octets(45, 60)));
        assert_eq!(assembler.take(70), Some(octets(70, 110)));
        assert!(assembler.is_empty());
    }

    proptest! {
        /// Any pieces in any order, overlapping or not: what comes out is the stream, once.
        #[test]
        fn the_stream_comes_out_once(
            pieces in proptest::collection::vec((0_u64..200, 1_u64..40), 1..60),
        ) {
            let mut assembler = Assembler::default();
            let mut next = 0;
            let mut stream = Vec::new();
            let mut seen = std::collections::BTreeSet::new();
            for (start, len) in pieces {
                let (start, end) = (start.max(next), (start + len).max(next));
                seen.extend(start..end);
                assembler.insert(start, &octets(start, end));
                let ranges: Vec<_> = assembler.ranges().collect();
                let mut sorted = ranges.clone();
                sorted.sort_unstable();
                prop_assert!(sorted.windows(2).all(|pair| pair[0].1 < pair[1].0), "{sorted:?}");
                prop_assert_eq!(assembler.octets, sorted.iter().map(|(start, end)| end - start).sum::<u64>());
                while let Some(taken) = assembler.take(next) {
                    next += taken.len() as u64;
                    stream.extend(taken);
                }
            }
            let whole = (0..).take_while(|offset| seen.contains(offset)).count() as u64;
            prop_assert_eq!(stream, octets(0, whole));
        }
    }
}
