//! Hosts without a TCP: faults say what they send, and they answer nothing.

use std::net::SocketAddr;

use halfopen_scenario::Scenario;
use halfopen_tcp::{Arrival, Disposition, Endpoint, Instant, Seq, read_segment};
use halfopen_trace::HostId;

use crate::connections::{EndId, Origin};
use crate::shared::{Run, Shared};

/// The first local port of connections that such a host opens.
const FIRST_PORT: u16 = 40_000;
/// The window field of its first segment, if the scenario says nothing.
const WINDOW: u16 = u16::MAX;

/// A datagram arrives at a host: its TCP takes it, if it has one.
pub(crate) fn hand_over(
    shared: &Shared,
    host: HostId,
    endpoint: &mut Endpoint,
    now: Instant,
    datagram: &[u8],
) -> Arrival {
    if !shared.scenario.hosts[host.index()].is_scripted {
        return endpoint.handle_datagram(now, datagram);
    }
    shared.run.borrow_mut().take_scripted(host, datagram);
    Arrival { connection: None, disposition: Disposition::Accepted }
}

impl Run {
    /// A segment arrives at a host without a TCP, which thereby has an end of the connection.
    fn take_scripted(&mut self, host: HostId, datagram: &[u8]) {
        let Ok((source, destination, _)) = read_segment(datagram) else { return };
        let (peer, _) = self.network.route(host, [destination, source]);
        if !self.connections.has_end(destination, peer) {
            self.attach_scripted(host, [destination, source], peer, Origin::Segment);
        }
    }

    /// A host without a TCP asks another for a connection. `None` if they have no addresses of one family.
    pub(crate) fn open_scripted(
        &mut self,
        scenario: &Scenario,
        [from, to]: [HostId; 2],
        port: u16,
    ) -> Option<EndId> {
        let [here, there] = [from, to].map(|host| &scenario.hosts[host.index()]);
        let number = u16::try_from(self.connections.count()).unwrap_or(u16::MAX);
        let local = SocketAddr::new(here.address_from(there)?, FIRST_PORT.saturating_add(number));
        let remote = SocketAddr::new(there.address_from(here)?, port);
        Some(self.attach_scripted(from, [local, remote], remote, Origin::Call))
    }

    fn attach_scripted(
        &mut self,
        host: HostId,
        sockets: [SocketAddr; 2],
        peer: SocketAddr,
        origin: Origin,
    ) -> EndId {
        let id = self.connections.attach(host, sockets, peer, origin);
        let iss = Seq(self.scripted.next_u64() as u32);
        let end = self.connections.end_mut(id);
        (end.iss, end.window, end.timestamp) = (Some(iss), WINDOW, Some(0));
        id
    }
}
