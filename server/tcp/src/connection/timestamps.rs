//! Both clocks of the timestamps option (RFC 7323).

use std::time::Duration;

use crate::{Header, Instant, Timestamps, syn_cookie};

/// What a connection knows of both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimestampState {
    /// `TS.Recent`: the peer's newest timestamp, which ours echo (RFC 7323 §4.3).
    pub(super) recent: u32,
    /// Whether that is known from a connection whose place this one takes.
    pub(super) is_recalled: bool,
    /// Added to our clock, so that connections do not share it (RFC 7323 §5.4).
    offset: u32,
}

impl TimestampState {
    /// `recalled` is the peer's last timestamp on the connection whose place this one takes, if it does.
    pub(super) fn new(offset: u32, recalled: Option<u32>) -> TimestampState {
        TimestampState { recent: recalled.unwrap_or(0), is_recalled: recalled.is_some(), offset }
    }

    /// Our timestamp at a time: milliseconds.
    pub(super) fn value(&self, now: Instant) -> u32 {
        ((now.as_nanos() / 1_000_000) as u32).wrapping_add(self.offset)
    }

    /// The last moment at which our clock showed this; `None` if that is still to come or was never.
    pub(super) fn shown_until(&self, now: Instant, value: u32) -> Option<Instant> {
        let elapsed = u64::try_from(self.value(now).wrapping_sub(value).cast_signed()).ok()?;
        let millis = (now.as_nanos() / 1_000_000).checked_sub(elapsed)?;
        Some(Instant::from_nanos(millis * 1_000_000 + 999_999))
    }

    /// The option of a segment that is sent now.
    pub(super) fn option(&self, now: Instant) -> Timestamps {
        Timestamps { value: self.value(now), echo: self.recent }
    }

    /// Our timestamp now, with what a SYN cookie keeps of a SYN.
    pub(super) fn cookie(&self, now: Instant, kept: &Header) -> u32 {
        let clock = self.value(now).wrapping_sub(self.offset);
        syn_cookie::stamp(clock, kept).wrapping_add(self.offset)
    }

    /// How long ago our timestamp had this value; `None` if it is one of the future.
    pub(super) fn age(&self, now: Instant, value: u32) -> Option<Duration> {
        let elapsed = self.value(now).wrapping_sub(value);
        i32::try_from(elapsed).is_ok().then(|| Duration::from_millis(u64::from(elapsed)))
    }

    /// Whether a segment has a newer timestamp than any before.
    pub(super) fn is_newer(&self, header: &Header) -> bool {
        header.options.timestamps.is_some_and(|timestamps| is_later(timestamps.value, self.recent))
    }
}

/// Whether timestamp `a` is later than `b`, modulo 2^32.
pub(super) fn is_later(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}
