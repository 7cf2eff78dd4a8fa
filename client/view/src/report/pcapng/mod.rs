//! Runs as captures for Wireshark, tshark and tcpdump, in the pcapng format.
//!
//! Every host is an interface, named after it. The interface has every segment that the host sent, when it was sent,
//! even if it was lost, and every segment that arrived, when and as it arrived. A segment that a fault or a middlebox
//! injected appears only where it arrived, because nothing captures inside a middlebox. Times are virtual, to the
//! nanosecond, and the run begins at the start of the year 2000 (UTC), so that the time of day is the time of the run
//! (`tshark -t ud`). The names of the hosts are in the file, for readers that resolve addresses (`tshark -N n`).
//! Comments say what cannot be seen in the bytes: faults, losses, why a segment was retransmitted, and why TCP did
//! not use it.
//!
//! A reader sees most segments twice, at both ends. `frame.interface_name == "client"` shows one end; the TCP
//! analysis of Wireshark (retransmissions, duplicate ACKs) is right only in a capture of one end: `tshark -r
//! RUN.pcapng -Y 'frame.interface_name == "client"' -w client.pcapng`.

mod blocks;
mod capture;

use std::time::Duration;

pub use capture::write;

/// How many bytes of each datagram are kept: what tcpdump keeps, and more than any datagram has.
pub const SNAPSHOT_LENGTH: u32 = 262_144;

/// The beginning of the run: 2000-01-01 00:00:00 UTC, since 1970. Not 0, which Wireshark takes for an unknown time.
pub const START: Duration = Duration::from_secs(946_684_800);
