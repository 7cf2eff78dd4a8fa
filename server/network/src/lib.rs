//! What lies between the hosts of a run: rules over segments, links, middleboxes, and every datagram under way.
//!
//! [`Network`] has no clock, thread or socket. Hosts hand it what they send, time is an argument, and whoever runs it asks what
//! arrives, what happened and when to ask again. Everything random follows from one seed ([`random`]).

mod addresses;
mod connections;
mod event;
mod flight;
mod icmp;
mod middlebox;
mod neighbours;
mod network;
mod path;
pub mod random;
mod rules;
mod wire;

pub use connections::Connections;
pub use event::{Event, EventKind, ResetSent};
pub use flight::{Delivery, Flight, Loss, Outgoing};
pub use network::{Applied, Command, MAX_UNDER_WAY, Network, NetworkFault};
