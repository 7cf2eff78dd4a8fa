//! How durations, sizes, bandwidths and percentages are read and written: the same way in a scenario, a verdict, a
//! picture and an option.
//!
//! Each has a `parse_…` and a `format_…`, and what is written is read back as the same value. Values are whole numbers
//! of the smallest unit (nanoseconds, bytes, bits per second, millionths), never floats: a fraction such as `1.5s` is
//! read only if it is exact. A number always has its unit, with or without a space between them.

mod bandwidth;
mod duration;
mod error;
mod parse;
mod percentage;
mod quantity;
mod size;

pub use bandwidth::{bandwidth_pattern, format_bandwidth, parse_bandwidth};
pub use duration::{duration_pattern, format_duration, parse_duration};
pub use error::{ParseError, Reason};
pub use percentage::{format_percentage, parse_percentage, percentage_pattern};
pub use size::{format_size, parse_size, size_pattern};

/// A number with its noun: `1 probe`, `10 probes`.
pub fn format_count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
