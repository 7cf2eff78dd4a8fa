//! The client of halfopen: talks to the service, and makes pictures and reports of what it says.
//!
//! A run is a list of events. [`client`] fetches it, [`record`] keeps it with its result, [`timeline`] joins its parts, and
//! [`ladder`] and [`report`] write it down.

pub mod client;
pub mod ladder;
pub mod record;
pub mod report;
pub mod timeline;
pub mod words;
