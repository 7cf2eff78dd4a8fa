//! Which connections programs opened.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use halfopen_scenario::{ConnectionRef, Slot};

use crate::{ConnectionNumber, ConnectionOpened};

/// Every connection that a program opened, in the order of opening: what the names in a scenario refer to.
#[derive(Clone, Debug, Default)]
pub struct OpenedConnections {
    /// By program and slot: the connection, and how many were opened under that name when it was.
    opened: BTreeSet<(usize, Slot, ConnectionNumber, NonZeroU32)>,
    /// How many were opened, by program and slot.
    counts: BTreeMap<(usize, Slot), NonZeroU32>,
    /// The newest, by program and slot.
    newest: BTreeMap<(usize, Slot), ConnectionNumber>,
}

impl OpenedConnections {
    /// A program opened a connection.
    pub fn open(&mut self, opened: ConnectionOpened, number: ConnectionNumber) {
        let ConnectionRef { program, connection, .. } = opened.reference();
        let key = (program, connection);
        let nth = self.counts.get(&key).map_or(NonZeroU32::MIN, |count| count.saturating_add(1));
        self.counts.insert(key, nth);
        self.newest.insert(key, number);
        self.opened.insert((program, connection, number, nth));
    }

    /// Whether a connection was opened under that reference.
    pub fn is(&self, meant: ConnectionRef, number: ConnectionNumber) -> bool {
        let key = |nth| (meant.program, meant.connection, number, nth);
        match meant.nth {
            Some(nth) => self.opened.contains(&key(nth)),
            None => self.opened.range(key(NonZeroU32::MIN)..=key(NonZeroU32::MAX)).next().is_some(),
        }
    }

    /// The connection that was last opened under that reference.
    pub fn newest_of(&self, meant: ConnectionRef) -> Option<ConnectionNumber> {
        let newest = self.newest.get(&(meant.program, meant.connection)).copied();
        if meant.nth.is_none() {
            return newest;
        }
        let first = ConnectionNumber(NonZeroU32::MIN);
        let from = (meant.program, meant.connection, first, NonZeroU32::MIN);
        let of_name = self
            .opened
            .range(from..)
            .take_while(|(program, slot, ..)| (*program, *slot) == (meant.program, meant.connection));
        of_name.filter(|(.., nth)| Some(*nth) == meant.nth).map(|(_, _, number, _)| *number).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: usize) -> ConnectionNumber {
        ConnectionNumber::new(number).unwrap()
    }

    #[test]
    fn a_reference_means_all_that_were_opened_under_a_name_or_one_of_them() {
        let mut opened = OpenedConnections::default();
        let pool = ConnectionOpened { program: 0, slot: 1 };
        for connection in [4, 2, 9] {
            opened.open(pool, number(connection));
        }
        opened.open(ConnectionOpened { program: 1, slot: 1 }, number(7));
        let all = pool.reference();
        let nth = |nth| ConnectionRef { nth: NonZeroU32::new(nth), ..all };
        for (connection, place) in [(4, 1), (2, 2), (9, 3)] {
            assert!(opened.is(all, number(connection)));
            for other in 1..=4 {
                assert_eq!(opened.is(nth(other), number(connection)), other == place);
            }
            assert_eq!(opened.newest_of(nth(place)), Some(number(connection)));
        }
        assert!(!opened.is(all, number(7)));
        assert_eq!(opened.newest_of(all), Some(number(9)), "the last, whatever its number");
        assert_eq!(opened.newest_of(nth(4)), None);
    }
}
