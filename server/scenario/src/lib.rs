//! The scenario language.

mod model;
mod tcp_settings;

pub use model::*;
