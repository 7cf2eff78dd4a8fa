//! What is made of a run's events: pictures, explanations, differences and reports.
//!
//! A run is a list of events, which are messages of `halfopen_proto`. [`record`] keeps one with its result, [`recording`] reads
//! one that was written down, [`timeline`] joins its parts, [`picture`] and [`report`] write it down, [`explain`] describes it in
//! sentences, and [`diff`] finds where two of them differ.
//!
//! Nothing here talks to a server, opens a file or reads a clock: what is written goes to a [`std::io::Write`]. It builds for
//! `wasm32-unknown-unknown`.

pub mod columns;
pub mod describe;
pub mod diff;
pub mod explain;
mod markup;
mod pattern;
pub mod picture;
pub mod record;
pub mod recording;
pub mod report;
mod stall;
mod stopped;
pub mod timeline;
pub mod words;

pub use stopped::Stopped;
