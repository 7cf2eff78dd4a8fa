//! What is claimed of a run as a whole.

use std::collections::BTreeMap;

use halfopen_scenario::{Wholeness, Window};
use halfopen_tcp::State;
use halfopen_trace::{ConnectionNumber, Decision, Finding, HostId};

use crate::check::Check;
use crate::claims::Evidence;
use crate::ends::End;

impl Evidence<'_> {
    /// Every connection is closed on every host, or gone with it.
    pub(crate) fn check_all_closed(&self) -> Check {
        let mut last: Option<Decision> = None;
        self.work.goes_on(self.ends.len());
        let mut ends: Vec<_> = self.ends.iter().collect();
        if ends.is_empty() {
            return Check::broken(Finding::NoConnection);
        }
        ends.sort_by_key(|end| end.host);
        for end in ends {
            let moment = end.last_transition();
            if let Some(state) = end.state()
                && state != State::Closed
            {
                return Check::new(false, Finding::NotClosed { host: end.host, state }, moment)
                    .by(end.number);
            }
            last = last.max(moment);
        }
        Check::new(true, Finding::AllClosed, last)
    }

    /// All that applications wrote, those of one host or of all, was read by their peers, or not all of it.
    pub(crate) fn check_data(&self, of: Option<HostId>, wholeness: Wholeness) -> Check {
        self.work.goes_on(self.ends.len());
        let mut written = BTreeMap::new();
        let mut readers: BTreeMap<ConnectionNumber, Vec<&End>> = BTreeMap::new();
        let mut ends: Vec<_> = self.ends.iter().collect();
        ends.sort_by_key(|end| end.host);
        if let Some(mistaken) = ends.iter().find(|end| end.mistaken) {
            return Check::broken(Finding::DataMistaken).by(mistaken.number);
        }
        for end in ends {
            let [local, _] = end.sockets;
            let sent: &mut (u64, HostId) = written.entry((end.first_number, local)).or_insert((0, end.host));
            sent.0 = sent.0.saturating_add(end.written);
            readers.entry(end.first_number).or_default().push(end);
        }
        written.retain(|_, (_, sender)| of.is_none_or(|of| of == *sender));
        for ((number, socket), (sent, sender)) in &written {
            // A middlebox may have translated the sender's address, so the reader's remote socket cannot identify it.
            let reads = |end: &&End| end.sockets[0] != *socket || end.sockets[1] == *socket;
            let peers = readers.get(number).into_iter().flatten().copied().filter(reads);
            let received = peers.fold(0_u64, |sum, end| sum.saturating_add(end.read));
            if received < *sent {
                let finding = Finding::DataMissing { sender: *sender, received, sent: *sent };
                return Check::new(wholeness == Wholeness::Incomplete, finding, None).by(*number);
            }
        }
        match written.values().fold(0_u64, |sum, (octets, _)| sum.saturating_add(*octets)) {
            0 => Check::broken(Finding::NoData),
            octets => Check::new(wholeness == Wholeness::Intact, Finding::DataIntact { octets }, None),
        }
    }

    pub(crate) fn check_virtual_time(&self, window: Window) -> Check {
        Check::new(window.contains(self.virtual_time), Finding::VirtualTime(self.virtual_time), None)
    }
}
