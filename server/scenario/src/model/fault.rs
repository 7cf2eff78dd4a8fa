//! Faults: what goes wrong, and when.

use std::time::Duration;

use halfopen_tcp::{Flags, State};

use super::{
    AddressMove, ConnectionRef, HostId, Location, Match, MiddleboxFault, MiddleboxId, Payload, Rewrite,
};

/// Something that goes wrong.
///
/// A run in which a fault never happened does not pass, unless the fault [may not happen](Fault::may_not_happen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub effect: Effect,
    /// When.
    pub when: When,
    /// Whether the run may pass if it never happens.
    pub may_not_happen: bool,
    /// Its place in the text.
    pub location: Location,
    /// Its text, on one line: `power-loss: client, at: 1s`.
    pub text: String,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something happens to segments when they are sent. Faults are applied to a segment in their order, each that matches,
    /// until one drops it. All are matched against the segment as its host sent it.
    Segment {
        /// Which segments may be affected.
        matching: Match,
        /// How many matches pass before any counts.
        skip: u64,
        /// Which of the remaining matches are affected.
        which: Which,
        /// What happens to them.
        action: SegmentAction,
    },
    /// A segment that no host sent arrives. It does not happen if the connection does not exist then.
    Inject(Box<Forgery>),
    /// The host loses power and never returns.
    PowerLoss(HostId),
    /// The host loses power, and returns without any state. Applications that begin with `listen` start again.
    Reboot {
        /// Which.
        host: HostId,
        /// How long it is down.
        back_after: Duration,
    },
    /// Processes of the host die. Its kernel closes their sockets, and forgets nothing: connections that are not closed
    /// everywhere, and those in TIME-WAIT, stay. It does not happen if none of them runs.
    Kill {
        /// Which host.
        host: HostId,
        /// The program that dies: its position in [`Scenario::programs`](super::Scenario::programs). `None`: all of the host.
        program: Option<usize>,
        /// When those that died start again, from their first step; `None` is never.
        restarts_after: Option<Duration>,
    },
    /// The processes of the host stop; its kernel keeps running.
    Freeze {
        /// Which host.
        host: HostId,
        /// When they continue; `None` is never.
        resumes_after: Option<Duration>,
    },
    /// The whole host stops. Datagrams for it wait, as far as there is room.
    Pause {
        /// Which.
        host: HostId,
        /// When it continues; `None` is never.
        resumes_after: Option<Duration>,
        /// Whether its clock stops meanwhile. Otherwise every timer that has expired meanwhile fires when it continues.
        clock_stops: bool,
    },
    /// The clock that the host's TCP and its programs read jumps forward.
    ClockJump {
        /// The host.
        host: HostId,
        /// How far.
        by: Duration,
    },
    /// The host's cable is pulled: nothing it sends leaves it and nothing reaches it. What it has sent before still arrives.
    CablePull {
        /// Which host.
        host: HostId,
        /// When the cable is plugged in again; `None` is never.
        replug_after: Option<Duration>,
    },
    /// Large IP datagrams are silently lost.
    BlackHole {
        /// Which.
        hole: BlackHole,
        /// When this ends; `None` is never.
        heals_after: Option<Duration>,
    },
    /// Nothing gets through; what is in flight when it begins is lost too.
    Partition {
        /// Who is cut off from whom.
        cut: Cut,
        /// When this ends; `None` is never.
        heals_after: Option<Duration>,
    },
    /// An address changes hands, or is lost. The connections of the host that had it stay, and cannot send.
    Address {
        /// Which, and whose it becomes.
        change: AddressMove,
        /// When the host that had it has it again; `None` is never.
        returns_after: Option<Duration>,
    },
    /// Something happens to a middlebox.
    Middlebox {
        /// Which.
        middlebox: MiddleboxId,
        /// What.
        fault: MiddleboxFault,
    },
}

impl Effect {
    /// The word for it in scenarios: `power-loss`.
    pub const fn name(&self) -> &'static str {
        match self {
            Effect::Segment { action: SegmentAction::Drop, .. } => "drop",
            Effect::Segment { action: SegmentAction::Delay { .. }, .. } => "delay",
            Effect::Segment { action: SegmentAction::Duplicate { .. }, .. } => "duplicate",
            Effect::Segment { action: SegmentAction::Reorder { .. }, .. } => "reorder",
            Effect::Segment { action: SegmentAction::Corrupt { .. }, .. } => "corrupt",
            Effect::Segment { action: SegmentAction::Rewrite(_), .. } => "rewrite",
            Effect::Segment { action: SegmentAction::Unreachable(_), .. } => "unreachable",
            Effect::Inject(_) => "inject",
            Effect::PowerLoss(_) => "power-loss",
            Effect::Reboot { .. } => "reboot",
            Effect::Kill { .. } => "kill",
            Effect::Freeze { .. } => "freeze",
            Effect::Pause { .. } => "pause",
            Effect::ClockJump { .. } => "clock-jump",
            Effect::CablePull { .. } => "cable-pull",
            Effect::BlackHole { .. } => "blackhole",
            Effect::Partition { .. } => "partition",
            Effect::Address { change: AddressMove { to: Some(_), .. }, .. } => "move-address",
            Effect::Address { change: AddressMove { to: None, .. }, .. } => "lose-address",
            Effect::Middlebox { fault, .. } => fault.name(),
        }
    }
}

/// What happens to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentAction {
    /// It is lost.
    Drop,
    /// It takes longer.
    Delay {
        /// How much longer than the path's latency.
        by: Duration,
    },
    /// It arrives more than once.
    Duplicate {
        /// The number of additional copies, at least 1.
        copies: u32,
        /// The time from one copy to the next.
        spacing: Duration,
    },
    /// It is overtaken: it arrives right after this many later segments of the same direction. If those never arrive,
    /// neither does it.
    Reorder {
        /// How many, at least 1.
        behind: u32,
    },
    /// Adjacent bits of one 16-bit word of the TCP segment are flipped on the way, which its checksum always detects.
    Corrupt {
        /// How many, from 1 to 15; at most 7 in a field of one octet.
        bits: u32,
        /// Where; `None`: anywhere but in the data offset. A segment without the field is not affected.
        field: Option<Field>,
    },
    /// Fields are rewritten on the way, and the checksum with them.
    Rewrite(Rewrite),
    /// It is lost, and a router reports that to its sender: an ICMP message returns on the reverse path, after that path's
    /// latency.
    Unreachable(Unreachable),
}

/// A part of a segment (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The sequence number.
    Sequence,
    /// The acknowledgment number.
    Acknowledgment,
    /// The control bits.
    Flags,
    /// The window.
    Window,
    /// The checksum itself.
    Checksum,
    /// The urgent pointer.
    Urgent,
    /// The data.
    Payload,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 7] = [
        Field::Sequence,
        Field::Acknowledgment,
        Field::Flags,
        Field::Window,
        Field::Checksum,
        Field::Urgent,
        Field::Payload,
    ];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Field::Sequence => "sequence",
            Field::Acknowledgment => "acknowledgment",
            Field::Flags => "flags",
            Field::Window => "window",
            Field::Checksum => "checksum",
            Field::Urgent => "urgent",
            Field::Payload => "payload",
        }
    }
}

/// Why a router cannot deliver a segment (RFC 792, RFC 4443 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreachable {
    /// There is no route to the network: type 3 code 0; in IPv6, type 1 code 0.
    Net,
    /// There is a route, but the host does not answer: type 3 code 1; in IPv6, type 1 code 3.
    #[default]
    Host,
    /// The host answers that nothing receives on the port: type 3 code 3; in IPv6, type 1 code 4.
    Port,
    /// The datagram exceeds the MTU of the next link: type 3 code 4 (RFC 1191); in IPv6, packet too big, type 2
    /// (RFC 8201).
    FragmentationNeeded {
        /// That MTU, in octets.
        mtu: u16,
    },
}

impl Unreachable {
    /// All of them. The MTU is 0, as from a router that does not report it (RFC 1191 §4).
    pub const ALL: [Unreachable; 4] =
        [Unreachable::Net, Unreachable::Host, Unreachable::Port, Unreachable::FragmentationNeeded { mtu: 0 }];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Unreachable::Net => "net",
            Unreachable::Host => "host",
            Unreachable::Port => "port",
            Unreachable::FragmentationNeeded { .. } => "fragmentation-needed",
        }
    }
}

/// A segment that no host sent: forged by somebody on the path, or anywhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgery {
    /// The host that it seems to come from.
    pub from: HostId,
    /// The host that it arrives at: the other end of the connection.
    pub to: HostId,
    /// Of which connection; `None`: the newest that the two have had.
    pub connection: Option<ConnectionRef>,
    /// With a SYN of a host without a TCP: it asks for a new connection to this port.
    pub port: Option<u16>,
    /// Its control bits.
    pub flags: Flags,
    /// Its sequence number.
    pub sequence: Number,
    /// Its acknowledgment number; there if it has the ACK bit.
    pub acknowledgment: Option<Number>,
    /// Its window in octets, as the receiver interprets it; `None`: that of the last segment of `from`.
    pub window: Option<u32>,
    /// Its data.
    pub payload: Option<Payload>,
    /// Whether the receiver's application may read the data. Otherwise the run does not pass if it does.
    pub is_unchecked: bool,
    /// Its options.
    pub options: ForgedOptions,
}

/// The options of a forged segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForgedOptions {
    /// The maximum segment size, in octets.
    pub mss: Option<u16>,
    /// The shift count of the window scale.
    pub window_scale: Option<u8>,
    /// Whether it has SACK permitted.
    pub sack_permitted: bool,
    /// SACK blocks, at most four, each from its left to its right edge. Like an acknowledgment number, the edges are of what
    /// the receiver has sent.
    pub sack: Vec<[Number; 2]>,
    /// The timestamps.
    pub timestamps: Option<ForgedTimestamps>,
}

/// Forged timestamps, in ticks of the clocks that they come from: milliseconds for most stacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ForgedTimestamps {
    /// How much later than the value of the last segment of `from`; earlier if it is negative.
    pub value: i64,
    /// How much later than the value of the last segment of `to` the echo reply is.
    pub echo: i64,
}

/// A forged sequence or acknowledgment number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// What it is relative to.
    pub base: Base,
    /// How much more, or less.
    pub plus: i64,
}

/// What a [`Number`] is counted from. The variables are those of the host that the segment arrives at (RFC 9293 §3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The initial sequence number that it is relative to everywhere else.
    Initial,
    /// `snd.una`: the oldest unacknowledged number that it sent.
    SndUna,
    /// `snd.nxt`: the next number that it will send.
    SndNxt,
    /// `rcv.nxt`: the next number that it expects.
    RcvNxt,
}

impl Base {
    /// The variables.
    pub const VARIABLES: [Base; 3] = [Base::SndUna, Base::SndNxt, Base::RcvNxt];

    /// The word for it in scenarios; empty for the initial number.
    pub const fn name(self) -> &'static str {
        match self {
            Base::Initial => "",
            Base::SndUna => "snd.una",
            Base::SndNxt => "snd.nxt",
            Base::RcvNxt => "rcv.nxt",
        }
    }
}

/// Whom a partition separates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// These hosts cannot reach one another, in either direction. At least two.
    Between(Vec<HostId>),
    /// Nothing from one host reaches the other; the opposite direction works.
    OneWay {
        /// From here.
        from: HostId,
        /// To here.
        to: HostId,
    },
    /// The host reaches no other, and no other reaches it.
    Isolate(HostId),
}

impl Cut {
    /// Whether it stops what is sent from one host to another.
    pub fn stops(&self, source: HostId, destination: HostId) -> bool {
        source != destination
            && match self {
                Cut::Between(hosts) => hosts.contains(&source) && hosts.contains(&destination),
                Cut::OneWay { from, to } => *from == source && *to == destination,
                Cut::Isolate(host) => *host == source || *host == destination,
            }
    }
}

/// Where large datagrams vanish: a path whose MTU is smaller than its ends assume, and where ICMP is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlackHole {
    /// The largest IP datagram that gets through, in octets.
    pub larger_than: u64,
    /// Those sent by this host; `None`: by any.
    pub from: Option<HostId>,
    /// Those sent to this host; `None`: to any.
    pub to: Option<HostId>,
}

impl BlackHole {
    /// Whether an IP datagram of this size, sent from one host to another, vanishes.
    pub fn takes(&self, source: HostId, destination: HostId, octets: u64) -> bool {
        octets > self.larger_than
            && self.from.is_none_or(|from| from == source)
            && self.to.is_none_or(|to| to == destination)
    }
}

/// Which of the segments that match while the fault is active and are not skipped. They are counted from 1, in the order
/// in which they are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// All.
    #[default]
    All,
    /// The first N.
    First(u64),
    /// The Nth only.
    Nth(u64),
    /// Every Nth: with 3, the third, the sixth, …
    Every(u64),
    /// Each with this probability, in millionths.
    Probability(u32),
}

/// When a fault is active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Always. Only for faults on segments.
    #[default]
    Always,
    /// From this time on; a fault on a host happens exactly then.
    At(Duration),
    /// From the first of these times until the second, exclusive. Only for faults on segments.
    Between(Duration, Duration),
    /// While the host has a connection that has been in this state for some time. A fault on a host happens once, as soon
    /// as that is so.
    State {
        /// The host.
        host: HostId,
        /// The state.
        state: State,
        /// How long without interruption; zero is at once.
        lasted: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_stops_the_right_directions() {
        let [a, b, c] = [HostId(0), HostId(1), HostId(2)];
        let between = Cut::Between(vec![a, b]);
        assert!(between.stops(a, b) && between.stops(b, a) && !between.stops(a, c));
        let one_way = Cut::OneWay { from: a, to: b };
        assert!(one_way.stops(a, b) && !one_way.stops(b, a));
        let alone = Cut::Isolate(a);
        assert!(alone.stops(a, c) && alone.stops(b, a) && !alone.stops(b, c) && !alone.stops(a, a));
    }
}
