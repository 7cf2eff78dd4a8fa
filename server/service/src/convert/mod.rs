//! The trace as messages of the protocol; no other module knows both.

mod addresses;
mod converter;
mod enums;
mod event;
mod fault;
mod library;
mod segment;
mod segment_match;
mod tcp_info;
mod values;
mod verdict;

pub(crate) use converter::Converter;
pub(crate) use library::{diagnostic, summary, variants};

#[cfg(test)]
mod tests;
