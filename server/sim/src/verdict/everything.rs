//! What is claimed of a run as a whole.

use std::collections::BTreeMap;

use halfopen_scenario::Window;
use halfopen_tcp::State;
use halfopen_units::{format_count, format_duration};

use super::claims::{Evidence, Finding};
use super::history::Moment;
use crate::trace::HostId;

impl Evidence<'_> {
    /// Every connection is closed on every host, or gone with it.
    pub(super) fn check_all_closed(&self) -> Finding {
        let mut last: Option<Moment> = None;
        let mut any = false;
        for host in (0..).map(HostId).take(self.scenario.hosts.len()) {
            for (end, history) in self.meant(host, None) {
                any = true;
                let moment = history.states.last().map(|(_, moment)| *moment);
                if let Some((state, _)) = end.state
                    && state != State::Closed
                {
                    let actual = format!("{} in {state} (connection {})", self.host(host), end.number.0);
                    return Finding { passed: false, actual, decided: moment };
                }
                last = last.max(moment);
            }
        }
        match any {
            true => Finding { passed: true, actual: "every connection closed".to_owned(), decided: last },
            false => Finding::broken("there was no connection"),
        }
    }

    /// All that applications wrote was read by their peers.
    pub(super) fn check_data(&self) -> Finding {
        let (mut written, mut read, mut garbled) = (BTreeMap::new(), BTreeMap::new(), None);
        for end in (0..).map(HostId).take(self.scenario.hosts.len()).flat_map(|h| self.connections.of_host(h))
        {
            let [local, remote] = end.sockets;
            let sent: &mut (u64, HostId) =
                written.entry((end.number, local, remote)).or_insert((0, end.host));
            sent.0 += end.written.octets();
            let received: &mut u64 = read.entry((end.number, remote, local)).or_default();
            *received += end.received.map_or(0, |(octets, _)| octets);
            garbled = garbled.or(end.garbled.then_some(end.number));
        }
        if let Some(number) = garbled {
            return Finding::broken(format!("something else was received (connection {})", number.0));
        }
        let all: u64 = written.values().map(|(octets, _)| octets).sum();
        let lost = written.iter().find_map(|(way, (octets, host))| {
            let arrived = read.get(way).copied().unwrap_or_default();
            (arrived < *octets).then(|| {
                let (octets, name) = (format_count(*octets, "octet"), self.host(*host));
                format!("{arrived} of {octets} from {name} received (connection {})", way.0.0)
            })
        });
        match lost {
            Some(lost) => Finding::broken(lost),
            None if all == 0 => Finding::broken("nothing was sent"),
            None => Finding {
                passed: true,
                actual: format!("{} received", format_count(all, "octet")),
                decided: None,
            },
        }
    }

    pub(super) fn check_virtual_time(&self, window: Window) -> Finding {
        Finding { passed: window.contains(self.time), actual: format_duration(self.time), decided: None }
    }
}
