//! Compares runs that are repeated with the same seed.

use halfopen_proto::v1::Event;
use halfopen_view::record::Difference;

/// Compares each run of a scenario and seed with the first of them.
#[derive(Debug, Default)]
pub(crate) struct Repetitions {
    /// Which runs are being compared.
    of: Option<Key>,
    /// All events of the first run that reached its end.
    first: Vec<Event>,
    /// Whether `first` is complete.
    is_complete: bool,
    /// How many events of the current run were compared.
    compared: usize,
    difference: Option<Difference>,
}

/// The place of the scenario in the plan, and the seed. Equal for runs that must not differ.
pub(crate) type Key = (usize, Option<u64>);

impl Repetitions {
    /// Takes the next events of the current run.
    pub(crate) fn events(&mut self, of: Key, events: &[Event]) {
        if self.of != Some(of) {
            *self = Repetitions { of: Some(of), ..Repetitions::default() };
        }
        if !self.is_complete {
            self.first.extend_from_slice(events);
            return;
        }
        for now in events {
            let before = self.first.get(self.compared);
            if before != Some(now) && self.difference.is_none() {
                self.difference = Some(Difference::new(before, Some(now)));
            }
            self.compared += 1;
        }
    }

    /// The current run is over; `finished`: it reached its end. Returns where it differs from the first.
    pub(crate) fn over(&mut self, finished: bool) -> Option<Difference> {
        if !self.is_complete {
            self.is_complete = finished;
            if !finished {
                self.first.clear();
            }
            return None;
        }
        let missing = self.first.get(self.compared).filter(|_| finished);
        let missing = missing.map(|before| Difference::new(Some(before), None));
        self.compared = 0;
        self.difference.take().or(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64, host: &str) -> Event {
        Event { sequence, host: host.to_owned(), ..Event::default() }
    }

    /// The sequence number at which each of these runs of one seed differs, given the hosts of their events, and
    /// whether they reached their end.
    fn compared(runs: &[(&[&str], bool)]) -> Vec<Option<u64>> {
        let mut repetitions = Repetitions::default();
        let of = |(hosts, finished): &(&[&str], bool)| {
            for (index, host) in hosts.iter().enumerate() {
                repetitions.events((0, Some(1)), &[event(index as u64 + 1, host)]);
            }
            repetitions.over(*finished).map(|difference| difference.event)
        };
        runs.iter().map(of).collect()
    }

    #[test]
    fn each_run_is_compared_with_the_first_that_came_to_its_end() {
        let (same, other): (&[&str], &[&str]) = (&["a", "b", "c"], &["a", "x", "y"]);
        for (runs, expected) in [
            (vec![(same, true), (same, true), (same, true)], vec![None, None, None]),
            (vec![(same, true), (other, true), (same, true)], vec![None, Some(2), None]),
            (vec![(same, true), (&same[..2], true)], vec![None, Some(3)]),
            (vec![(&same[..2], true), (same, true)], vec![None, Some(3)]),
            (vec![(same, true), (&same[..2], false)], vec![None, None]),
            (vec![(same, true), (&other[..2], false)], vec![None, Some(2)]),
            (
                vec![(other, false), (same, true), (same, true), (other, true)],
                vec![None, None, None, Some(2)],
            ),
        ] {
            assert_eq!(compared(&runs), expected, "{runs:?}");
        }
    }

    #[test]
    fn another_seed_is_another_run() {
        let mut repetitions = Repetitions::default();
        for (seed, host) in [(1, "a"), (2, "b")] {
            repetitions.events((0, Some(seed)), &[event(1, host)]);
            assert_eq!(repetitions.over(true).map(|difference| difference.event), None);
        }
    }
}
