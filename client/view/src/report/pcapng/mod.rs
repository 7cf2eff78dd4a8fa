//! Runs as captures for Wireshark, tshark and tcpdump, in the pcapng format.
//!
//! A run has one capture per host, as if tcpdump ran there, and a merged one, in which every host is an interface. A
//! host's capture has every segment that the host sent, when it was sent, even if it was lost, and every segment that
//! arrived, when and as it arrived. A segment that a fault or a middlebox injected appears only where it arrived,
//! because nothing captures inside a middlebox. Frames are Ethernet, which every reader knows. Times are virtual, to
//! the nanosecond, and the run begins at the start of the year 2000 (UTC), so that the time of day is the time of the
//! run (`tshark -t ud`). The names of the hosts are in the file, for readers that resolve addresses (`tshark -N n`).
//! Comments say what cannot be seen in the bytes: faults, losses, why a segment was retransmitted, and why TCP did
//! not use it.
//!
//! The merged capture has most segments twice, once at each end. What analyzes TCP (Wireshark, tcptrace) takes the
//! second for a retransmission: give it the capture of one host.

mod blocks;
mod capture;
mod ethernet;

use std::time::Duration;

pub use capture::Captures;

/// How many bytes of each frame are kept: what tcpdump keeps, and more than any frame has.
pub const SNAPSHOT_LENGTH: u32 = 262_144;

/// The beginning of the run: 2000-01-01 00:00:00 UTC, since 1970. Not 0, which Wireshark takes for an unknown time.
pub const START: Duration = Duration::from_secs(946_684_800);
