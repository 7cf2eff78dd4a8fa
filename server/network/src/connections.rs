//! What the network asks about the hosts' connections.

use std::net::SocketAddr;

use halfopen_scenario::ConnectionRef;
use halfopen_tcp::{Instant, State};
use halfopen_trace::{ConnectionNumber, HostId};

/// The connections of a run, as far as the network depends on them.
pub trait Connections {
    /// Since when the host has had, without a break, a connection in this state; `None` if it has none. Rules and faults ask
    /// only for states that the scenario waits for.
    fn in_state_since(&self, host: HostId, state: State) -> Option<Instant>;

    /// Whether an application opened the connection under this reference.
    fn is(&self, meant: ConnectionRef, number: ConnectionNumber) -> bool;

    /// The newest connection between two sockets.
    fn newest_between(&self, sockets: [SocketAddr; 2]) -> Option<ConnectionNumber>;
}

/// No host has a connection.
#[cfg(test)]
pub(crate) struct NoConnections;

#[cfg(test)]
impl Connections for NoConnections {
    fn in_state_since(&self, _: HostId, _: State) -> Option<Instant> {
        None
    }

    fn is(&self, _: ConnectionRef, _: ConnectionNumber) -> bool {
        false
    }

    fn newest_between(&self, _: [SocketAddr; 2]) -> Option<ConnectionNumber> {
        None
    }
}
