//! Runs as captures for Wireshark, tshark and tcpdump: a pcapng file each.
//!
//! Every host is an interface of its own, named after it. It has what the host sent when it sent it, even if it was lost, and
//! what arrived when it arrived, as it arrived. A segment that a fault or a middlebox made up is only where it arrived, for
//! nothing captures inside of a box. Times are virtual, to the nanosecond, and the run begins with the year 2000 (UTC), so that the time
//! of day is the time of the run (`tshark -t ud`). The hosts' names are in the file, for their addresses and for readers that
//! resolve names (`tshark -N n`). What cannot be seen in the octets is said in comments: faults, losses, why a segment
//! was sent again, and why TCP did not use it.
//!
//! A reader sees most segments twice, at both ends. `frame.interface_name == "client"` shows one end; Wireshark's analysis of TCP
//! (retransmissions, duplicate ACKs) is right only in a capture of one end: `tshark -r RUN.pcapng -Y 'frame.interface_name ==
//! "client"' -w client.pcapng`.

mod blocks;
mod capture;

use std::time::Duration;

pub use capture::write;

/// Octets kept of each datagram: what tcpdump keeps, and more than any datagram has.
pub const SNAPSHOT_LENGTH: u32 = 262_144;

/// The run's beginning: 2000-01-01 00:00:00 UTC, since 1970. Not 0, which Wireshark takes for a time that is not known.
pub const START: Duration = Duration::from_secs(946_684_800);
