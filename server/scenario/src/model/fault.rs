//! What goes wrong, and when.

use std::time::Duration;

use halfopen_tcp::{Flags, State};

use super::{ConnectionRef, HostId, Location, Match, MiddleboxFault, MiddleboxId, Rewrite};

/// Something that goes wrong.
///
/// A fault that never was applied keeps the run from passing unless it [may](Fault::may_not_happen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub effect: Effect,
    /// When.
    pub when: When,
    /// Whether the run may pass without it.
    pub may_not_happen: bool,
    /// Where it stands in the text.
    pub location: Location,
    /// As it is written, on one line: `power-loss: client, at: 1s`.
    pub text: String,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something happens to segments when they are sent. A segment meets the faults in their order, and each that takes
    /// it acts, until one loses it. All look at it as its host sent it.
    Segment {
        /// Which segments it is about.
        matching: Match,
        /// So many of those are let through first, and not counted.
        skip: u64,
        /// Which of the rest.
        which: Which,
        /// What happens to them.
        action: SegmentAction,
    },
    /// A segment that no host sent arrives. It does not happen if there is no such connection then.
    Inject(Box<Forgery>),
    /// The host is gone without a word and never comes back.
    PowerLoss(HostId),
    /// The host is gone without a word, and comes back knowing nothing. Of its applications those start again that
    /// begin with `listen`.
    Reboot {
        /// Which.
        host: HostId,
        /// How long it is away.
        back_after: Duration,
    },
    /// Every process of the host dies; its kernel closes their sockets.
    Kill(HostId),
    /// The processes of the host do nothing any more; its kernel goes on.
    Freeze {
        /// Which host.
        host: HostId,
        /// When they go on; `None` is never.
        resumes_after: Option<Duration>,
    },
    /// The whole host does nothing any more. What comes to it waits, as far as there is room.
    Pause {
        /// Which.
        host: HostId,
        /// When it goes on; `None` is never.
        resumes_after: Option<Duration>,
        /// Whether its clock stands still meanwhile. Otherwise every timer that has become due is when it goes on.
        clock_stops: bool,
    },
    /// The clock that the host's TCP and its programs read goes forward.
    ClockJump {
        /// Of which host.
        host: HostId,
        /// By so much.
        by: Duration,
    },
    /// The host's cable is out: it sends into the void and hears nothing. What it has sent is on its way already.
    CablePull {
        /// Which host.
        host: HostId,
        /// When the cable is in again; `None` is never.
        replug_after: Option<Duration>,
    },
    /// Large IP datagrams are lost without a word.
    BlackHole {
        /// Which.
        hole: BlackHole,
        /// When all is well again; `None` is never.
        heals_after: Option<Duration>,
    },
    /// Nothing gets through; what is under way when it begins is lost too.
    Partition {
        /// Between whom.
        cut: Cut,
        /// When all is well again; `None` is never.
        heals_after: Option<Duration>,
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
            Effect::Kill(_) => "kill",
            Effect::Freeze { .. } => "freeze",
            Effect::Pause { .. } => "pause",
            Effect::ClockJump { .. } => "clock-jump",
            Effect::CablePull { .. } => "cable-pull",
            Effect::BlackHole { .. } => "blackhole",
            Effect::Partition { .. } => "partition",
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
        /// By so much, on top of the path's latency.
        by: Duration,
    },
    /// It arrives more than once.
    Duplicate {
        /// How many times more, at least 1.
        copies: u32,
        /// How long after one the next arrives.
        spacing: Duration,
    },
    /// It is overtaken: it arrives right after so many later segments of the same way have arrived. If they never come,
    /// neither does it.
    Reorder {
        /// How many, at least 1.
        behind: u32,
    },
    /// Octets change on the way: so many neighbouring bits of one 16-bit word of the TCP segment are flipped, which its
    /// checksum always shows.
    Corrupt {
        /// How many, from 1 to 15; of a field of one octet at most 7.
        bits: u32,
        /// Where; `None`: anywhere but in the data offset. A segment without the field is none of the fault's.
        field: Option<Field>,
    },
    /// Fields are rewritten on the way, and the checksum with them.
    Rewrite(Rewrite),
    /// It is lost, and a router says so to its sender: an ICMP message comes back by the way that answers come, after
    /// that way's latency.
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

/// Why a router can not deliver a segment (RFC 792, RFC 4443 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unreachable {
    /// There is no way to the network: type 3 code 0; in IPv6, type 1 code 0.
    Net,
    /// There is a way, but the host is not there: type 3 code 1; in IPv6, type 1 code 3.
    #[default]
    Host,
    /// The host is there, but nobody takes it: type 3 code 3; in IPv6, type 1 code 4.
    Port,
    /// The next link takes no datagram of this size: type 3 code 4 (RFC 1191); in IPv6, packet too big, type 2
    /// (RFC 8201).
    FragmentationNeeded {
        /// What that link takes, octets.
        mtu: u16,
    },
}

impl Unreachable {
    /// All of them. The MTU is 0: that of a router which does not say it (RFC 1191 §4).
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

/// A segment that no host sent: made up by somebody on the path, or anywhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgery {
    /// The host that it seems to come from.
    pub from: HostId,
    /// The host that it arrives at: the other end of the connection.
    pub to: HostId,
    /// Of which connection; `None`: the newest that the two have had.
    pub connection: Option<ConnectionRef>,
    /// Its control bits.
    pub flags: Flags,
    /// Its sequence number.
    pub sequence: Number,
    /// Its acknowledgment number; there if it has the ACK bit.
    pub acknowledgment: Option<Number>,
    /// Octets of data.
    pub octets: u16,
    /// Whether it has timestamps: the value that the last segment of `from` had, and in return that of `to`.
    pub timestamps: bool,
}

/// A sequence or acknowledgment number that is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// From here.
    pub base: Base,
    /// So much more, or less.
    pub plus: i64,
}

/// What a [`Number`] is counted from. The variables are those of the host that the segment arrives at (RFC 9293 §3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The initial sequence number that it is relative to everywhere else.
    Initial,
    /// `snd.una`: the oldest number that it sent and nobody has acknowledged.
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

/// Whom a partition divides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// These hosts can not reach one another, in neither direction. At least two.
    Between(Vec<HostId>),
    /// Nothing from the one reaches the other; the other way is fine.
    OneWay {
        /// From here.
        from: HostId,
        /// To here.
        to: HostId,
    },
    /// The host reaches nobody and nobody reaches it.
    Isolate(HostId),
}

impl Cut {
    /// Whether it stops what goes from the one to the other.
    pub fn stops(&self, source: HostId, destination: HostId) -> bool {
        source != destination
            && match self {
                Cut::Between(hosts) => hosts.contains(&source) && hosts.contains(&destination),
                Cut::OneWay { from, to } => *from == source && *to == destination,
                Cut::Isolate(host) => *host == source || *host == destination,
            }
    }
}

/// What takes large datagrams: a way whose MTU is smaller than its ends believe, where ICMP is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlackHole {
    /// IP datagrams of more octets are lost.
    pub larger_than: u64,
    /// On the way from here; `None`: from anywhere.
    pub from: Option<HostId>,
    /// On the way to here; `None`: to anywhere.
    pub to: Option<HostId>,
}

impl BlackHole {
    /// Whether it takes an IP datagram of so many octets that goes from the one to the other.
    pub fn takes(&self, source: HostId, destination: HostId, octets: u64) -> bool {
        octets > self.larger_than
            && self.from.is_none_or(|from| from == source)
            && self.to.is_none_or(|to| to == destination)
    }
}

/// Which of the segments that match while the fault is active and are not skipped, counted from 1 in the order they are
/// sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// Each.
    #[default]
    All,
    /// So many, then no more.
    First(u64),
    /// This one alone.
    Nth(u64),
    /// Every so manieth: with 3, the third, the sixth, …
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
    /// From then on; a fault on a host happens at that very time.
    At(Duration),
    /// From the first to the last of these, the last not included. Only for faults on segments.
    Between(Duration, Duration),
    /// While the host has a connection that has been in this state for so long. A fault on a host happens at the
    /// first such moment, once.
    State {
        /// The host.
        host: HostId,
        /// The state.
        state: State,
        /// For so long without a break; zero is at once.
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
