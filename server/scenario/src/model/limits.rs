//! Limits on a text and on a run.

use std::time::Duration;

/// When a run is abandoned as unfinished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Virtual time.
    pub virtual_time: Duration,
    /// Events in the trace.
    pub events: u64,
}

impl Limits {
    /// The default virtual time; longer if `until` is later.
    pub const DEFAULT_VIRTUAL_TIME: Duration = Duration::from_secs(24 * 60 * 60);
    /// The longest virtual time that a text may ask for: a hundred years.
    pub const MAX_VIRTUAL_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    /// The default number of events.
    pub const DEFAULT_EVENTS: u64 = 1_000_000;
    /// The largest number of events that a text may ask for.
    pub const MAX_EVENTS: u64 = 10_000_000;
    /// Octets of a text.
    pub const MAX_TEXT: usize = 1 << 20;
    /// The depth of nested maps and lists.
    pub const MAX_DEPTH: usize = 32;
    /// Maps, lists and scalars of a text, with each alias counted as what it refers to.
    pub const MAX_NODES: usize = 100_000;
    /// Variants of a text.
    pub const MAX_VARIANTS: usize = 100;
    /// Axes of a matrix.
    pub const MAX_AXES: usize = 8;
    /// Maps, lists and scalars of all variants together.
    pub const MAX_VARIANT_NODES: usize = 1_000_000;
    /// Hosts.
    pub const MAX_HOSTS: usize = 32;
    /// Items of `links`.
    pub const MAX_LINKS: usize = 1_000;
    /// Middleboxes.
    pub const MAX_MIDDLEBOXES: usize = 16;
    /// Steps of all programs together.
    pub const MAX_STEPS: usize = 10_000;
    /// Calls.
    pub const MAX_CALLS: usize = 10_000;
    /// Octets that one call receives.
    pub const MAX_RECEIVED: u32 = 1 << 20;
    /// Faults, with those that calls add.
    pub const MAX_FAULTS: usize = 1_000;
    /// Copies that a fault makes of one segment.
    pub const MAX_COPIES: u32 = 100;
    /// Expectations.
    pub const MAX_EXPECTATIONS: usize = 1_000;
    /// Segments of one order, and gaps of one spacing.
    pub const MAX_ORDER: usize = 100;
    /// Octets of a forged segment: what fits a frame of Ethernet behind the longest headers.
    pub const MAX_FORGED_OCTETS: u16 = 1400;
    /// The smallest MSS, octets. RFC 9293 §3.7.1: every host accepts 536, but Linux allows 48.
    pub const MIN_MSS: u16 = 48;
    /// The smallest buffer of a socket, octets.
    pub const MIN_BUFFER: u32 = 256;
    /// The largest buffer of a socket, octets.
    pub const MAX_BUFFER: u32 = 1 << 30;
    /// Octets that one step sends or receives, repetitions included.
    pub const MAX_OCTETS: u64 = 1 << 30;
}

impl Limits {
    /// The limits, by default, of a run that ends at this time.
    pub(crate) fn for_run_until(until: Option<Duration>) -> Limits {
        let mut limits = Limits::default();
        limits.virtual_time = limits.virtual_time.max(until.unwrap_or_default());
        limits
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { virtual_time: Limits::DEFAULT_VIRTUAL_TIME, events: Limits::DEFAULT_EVENTS }
    }
}
