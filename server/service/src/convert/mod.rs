//! The trace as messages of the protocol; no other module knows both.

mod addresses;
mod converter;
mod enums;
mod event;
mod fault;
mod library;
mod packer;
mod parts;
mod segment;
mod segment_match;
mod session;
mod tcp_info;
mod values;
mod verdict;

pub(crate) use converter::Converter;
pub(crate) use enums::{state, tcp_state};
pub(crate) use library::{diagnostic, summary, variants};
pub(crate) use packer::{Batch, Packer};
pub(crate) use parts::shorten;
pub(crate) use session::session_hosts;
pub(crate) use tcp_info::tcp_info;
pub(crate) use values::{duration, micros, time, timestamp};
pub(crate) use verdict::limit;

/// The maximum number of events in a message of a stream.
pub(crate) const MESSAGE_EVENTS: usize = 512;
/// The size, in bytes, at which such a message takes no further event.
pub(crate) const MESSAGE_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
