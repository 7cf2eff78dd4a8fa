//! What a scenario says, loaded, checked and resolved: all that a run needs and nothing of YAML.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use halfopen_tcp::{Errno, Flags, KeepaliveSettings, Profile, State};

pub use crate::tcp_settings::{DelayedAck, Keepalive, TcpSettings};

/// A scenario, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its id: the name of its file without `.yaml`.
    pub id: String,
    /// One line on what happens.
    pub title: String,
    /// Where the problem and its numbers come from; may be empty.
    pub source: String,
    /// The comment at the head of the text, without `#`; may be empty.
    pub description: String,
    /// The hosts, in the order of the text. A [`HostId`] is an index into it.
    pub hosts: Vec<Host>,
    /// What lies between the hosts.
    pub network: Network,
    /// What the applications do, in the order of the text.
    pub programs: Vec<Program>,
    /// What goes wrong, in the order of the text.
    pub faults: Vec<Fault>,
    /// What must come out, in the order of the text.
    pub expectations: Vec<Expectation>,
    /// When the run ends on purpose, whatever is still going on; idle time up to then passes too.
    /// Without it the run ends when nothing can happen any more.
    pub until: Option<Duration>,
    /// When the run is given up as not finished.
    pub limits: Limits,
}

impl Scenario {
    /// The host of that id.
    ///
    /// # Panics
    /// With an id of another scenario.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// The host that has this address.
    pub fn host_of(&self, address: IpAddr) -> Option<HostId> {
        self.hosts.iter().position(|host| host.addresses.contains(&address)).map(HostId)
    }
}

/// Names a host of the scenario: its position in [`Scenario::hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// Names a connection of a program: the n-th `connect` or `accept` in it, from 0. See [`Program::connections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub usize);

/// A place in the text of the scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Counted from 1.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Whose numbers and choices its TCP has.
    pub profile: Profile,
    /// What differs from the profile.
    pub tcp: TcpSettings,
    /// Its addresses, at least one; the first of a family is where its connections come from.
    /// Without any in the text, the n-th host has 10.0.0.n.
    pub addresses: Vec<IpAddr>,
    /// Where it stands in the text.
    pub location: Location,
}

impl Host {
    /// The numbers and choices of its TCP: the profile's, with the host's own laid over them.
    pub fn settings(&self) -> halfopen_tcp::Settings {
        self.tcp.over(self.profile.settings())
    }
}

/// What lies between any two hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// How long a segment is under way, one way.
    pub latency: Duration,
    /// At most so much more or less, evenly spread; never more than `latency`.
    pub jitter: Duration,
    /// Largest IP datagram, octets.
    pub mtu: u16,
}

impl Network {
    /// Latency when the text says none.
    pub const DEFAULT_LATENCY: Duration = Duration::from_millis(1);
    /// MTU when the text says none.
    pub const DEFAULT_MTU: u16 = 1500;
}

impl Default for Network {
    fn default() -> Network {
        Network { latency: Network::DEFAULT_LATENCY, jitter: Duration::ZERO, mtu: Network::DEFAULT_MTU }
    }
}

/// What one application does: one step after the other, from time 0.
///
/// A step that fails ends the program. A step that has not ended when the run does (but for [`Action::Hold`]), or was
/// never begun, keeps the run from passing unless it [may](Step::may_not_happen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name; the host's where the text gives none.
    pub name: String,
    /// Where it runs.
    pub host: HostId,
    /// Its connections in the order in which it opens them, each with the name it has if it has one.
    pub connections: Vec<Option<String>>,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

/// One step of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// Whether the run may pass without this step being done.
    pub may_not_happen: bool,
    /// Where it stands in the text.
    pub location: Location,
    /// As it is written, on one line: `receive: 1 KiB`.
    pub text: String,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Passive open on every address of the host.
    Listen {
        /// The port.
        port: u16,
        /// How many established connections may wait for `accept`.
        backlog: u32,
    },
    /// Waits for a connection and takes it.
    Accept {
        /// The port that an earlier `listen` of the program opened.
        port: u16,
        /// The connection this makes.
        connection: Slot,
    },
    /// Active open; waits for the outcome.
    Connect {
        /// To where. Nobody need have the address.
        to: SocketAddr,
        /// From this port, or any.
        local_port: Option<u16>,
        /// The connection this makes.
        connection: Slot,
    },
    /// Sends, and goes on once the last octet is in the send buffer.
    Send {
        /// On which connection.
        connection: Slot,
        /// What, each time.
        payload: Payload,
        /// How often, at least 1.
        times: u32,
        /// From one time to the next. Zero: as fast as the send buffer takes it.
        every: Duration,
    },
    /// Receives.
    Receive {
        /// On which connection.
        connection: Slot,
        /// Until when.
        amount: Amount,
    },
    /// Does nothing for so long.
    Wait(Duration),
    /// Does nothing for ever and keeps every connection. Always the last step.
    Hold,
    /// Half-close: will send no more.
    ShutdownWrite {
        /// On which connection.
        connection: Slot,
    },
    /// Is done with the connection.
    Close {
        /// Which.
        connection: Slot,
    },
    /// Resets the connection.
    Abort {
        /// Which.
        connection: Slot,
    },
    /// Sets socket options.
    Set {
        /// Of which connection.
        connection: Slot,
        /// The options; at least one.
        options: SocketOptions,
    },
}

impl Action {
    /// The word for it in scenarios, and the call it makes: `connect`.
    pub const fn name(&self) -> &'static str {
        match self {
            Action::Listen { .. } => "listen",
            Action::Accept { .. } => "accept",
            Action::Connect { .. } => "connect",
            Action::Send { .. } => "send",
            Action::Receive { .. } => "receive",
            Action::Wait(_) => "wait",
            Action::Hold => "hold",
            Action::ShutdownWrite { .. } => "shutdown",
            Action::Close { .. } => "close",
            Action::Abort { .. } => "abort",
            Action::Set { .. } => "set",
        }
    }
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// So many octets, at least 1; which, the run chooses, and checks that they arrive.
    Octets(u64),
    /// This text in UTF-8, not empty.
    Text(String),
}

impl Payload {
    /// How many octets.
    pub fn octets(&self) -> u64 {
        match self {
            Payload::Octets(octets) => *octets,
            Payload::Text(text) => text.len() as u64,
        }
    }
}

/// How much is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Exactly so many octets, at least 1. End of stream before that is a failure.
    Octets(u64),
    /// Whatever comes next: some octets, or the end of the stream.
    Next,
    /// Everything until the end of the stream. An error ends it just as well: it is reported, the step is done and
    /// the program goes on.
    End,
}

/// Options of a socket; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// SO_KEEPALIVE with its numbers; `Some(None)` switches it off.
    pub keepalive: Option<Option<KeepaliveSettings>>,
    /// TCP_NODELAY.
    pub nodelay: Option<bool>,
}

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
    /// Something happens to segments on their way. Each segment meets the faults in their order; the first that
    /// takes it decides.
    Segment {
        /// Which segments it is about.
        matching: Match,
        /// Which of those.
        which: Which,
        /// What happens to them.
        action: SegmentAction,
    },
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
    /// Nothing gets through; what is under way when it begins is lost too.
    Partition {
        /// Between whom.
        cut: Cut,
        /// When all is well again; `None` is never.
        heals_after: Option<Duration>,
    },
}

impl Effect {
    /// The word for it in scenarios: `power-loss`.
    pub const fn name(&self) -> &'static str {
        match self {
            Effect::Segment { action: SegmentAction::Drop, .. } => "drop",
            Effect::Segment { action: SegmentAction::Delay { .. }, .. } => "delay",
            Effect::Segment { action: SegmentAction::Duplicate { .. }, .. } => "duplicate",
            Effect::PowerLoss(_) => "power-loss",
            Effect::Reboot { .. } => "reboot",
            Effect::Kill(_) => "kill",
            Effect::Partition { .. } => "partition",
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

/// Which segments: those for which everything said here holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Sent by this host.
    pub from: Option<HostId>,
    /// On its way to this host.
    pub to: Option<HostId>,
    /// With these control bits.
    pub flags: Option<FlagsMatch>,
    /// With so much data.
    pub payload: Option<PayloadMatch>,
    /// Whether it was sent before, in whole or in part, for whatever reason.
    pub retransmission: Option<bool>,
    /// Whether it is keepalive's question to an idle peer.
    pub keepalive_probe: Option<bool>,
}

impl Match {
    /// Whether a segment is meant.
    pub fn matches(&self, segment: &SegmentFacts) -> bool {
        self.from.is_none_or(|from| segment.from == Some(from))
            && self.to.is_none_or(|to| segment.to == Some(to))
            && self.flags.is_none_or(|flags| flags.matches(segment.flags))
            && self.payload.is_none_or(|payload| payload.matches(segment.octets))
            && self.retransmission.is_none_or(|retransmission| segment.retransmission == retransmission)
            && self.keepalive_probe.is_none_or(|probe| segment.keepalive_probe == probe)
    }
}

/// What a [`Match`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    /// The sender.
    pub from: Option<HostId>,
    /// The host that has the destination address.
    pub to: Option<HostId>,
    /// Its control bits.
    pub flags: Flags,
    /// Octets of data.
    pub octets: u64,
    /// Whether any of its sequence space was sent before.
    pub retransmission: bool,
    /// Whether it is keepalive's question to an idle peer.
    pub keepalive_probe: bool,
}

/// Which control bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagsMatch {
    /// At least these: `FIN` means FIN+ACK too.
    AtLeast(Flags),
    /// These and no others, PSH aside: `only ACK`.
    Only(Flags),
}

impl FlagsMatch {
    /// Whether a segment with these control bits is meant.
    pub fn matches(self, flags: Flags) -> bool {
        match self {
            FlagsMatch::AtLeast(wanted) => flags.contains(wanted),
            FlagsMatch::Only(wanted) => flags.without(Flags::PSH) == wanted.without(Flags::PSH),
        }
    }
}

/// How much data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadMatch {
    /// None.
    None,
    /// Some.
    Any,
    /// Exactly so many octets.
    Octets(u64),
}

impl PayloadMatch {
    /// Whether a segment with so many octets of data is meant.
    pub fn matches(self, octets: u64) -> bool {
        match self {
            PayloadMatch::None => octets == 0,
            PayloadMatch::Any => octets > 0,
            PayloadMatch::Octets(wanted) => octets == wanted,
        }
    }
}

/// Which of the segments that match while the fault is active, counted from 1 in the order they are sent.
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

/// Something that must come out of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What.
    pub claim: Claim,
    /// When what decides it must happen; `None` is at any time. What decides: the last transition of a path, the
    /// transition into the last state, keepalive's outcome, the error, the octet that completes what is received,
    /// the last of the segments. Never there for [`HostClaim::Never`].
    pub at: Option<Window>,
    /// Where it stands in the text.
    pub location: Location,
    /// As it is written, on one line: `server: {error: ETIMEDOUT}`.
    pub text: String,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// About a host.
    Host {
        /// Which.
        host: HostId,
        /// Which of its connections; `None`: each it ever had, and it must have had one.
        connection: Option<ConnectionRef>,
        /// What.
        claim: HostClaim,
    },
    /// About the wire: how many segments like this were sent, lost ones and retransmissions included. A copy
    /// that a fault makes does not count.
    Segments {
        /// Which.
        matching: Match,
        /// How many.
        count: Count,
    },
}

/// Names a connection of a host by the program that opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionRef {
    /// Position in [`Scenario::programs`].
    pub program: usize,
    /// Which of its connections.
    pub connection: Slot,
}

/// What is claimed about a connection of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostClaim {
    /// It went through exactly these states, the one it began in (LISTEN or CLOSED) included, to its last.
    States(Vec<PathItem>),
    /// It was in this state when the run ended.
    Ends(State),
    /// It never was in one of these.
    Never(Vec<State>),
    /// What keepalive found out in the end.
    Keepalive {
        /// What.
        outcome: KeepaliveOutcome,
        /// Probes sent since anything was last received.
        probes: Option<u32>,
        /// Time since anything was last received.
        after: Option<Window>,
    },
    /// TCP gave this error to the application (the first, if there were several).
    Error(Errno),
    /// The application received exactly so many octets.
    Received(u64),
}

/// A part of a path of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathItem {
    /// This state.
    State(State),
    /// Any states, or none: `…`.
    Gap,
}

/// What keepalive found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepaliveOutcome {
    /// A probe was answered, and nothing worse came after.
    Alive,
    /// Nobody answered.
    Dead,
    /// A probe was answered by RST.
    Reset,
    /// Not a single probe was sent.
    Silent,
}

impl KeepaliveOutcome {
    /// Every outcome.
    pub const ALL: [KeepaliveOutcome; 4] =
        [KeepaliveOutcome::Alive, KeepaliveOutcome::Dead, KeepaliveOutcome::Reset, KeepaliveOutcome::Silent];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            KeepaliveOutcome::Alive => "alive",
            KeepaliveOutcome::Dead => "dead",
            KeepaliveOutcome::Reset => "reset",
            KeepaliveOutcome::Silent => "silent",
        }
    }
}

/// From one time to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub from: Duration,
    /// Not after.
    pub to: Duration,
}

impl Window {
    /// Whether it is then.
    pub fn contains(self, time: Duration) -> bool {
        self.from <= time && time <= self.to
    }
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly.
    Exactly(u64),
    /// So many or more.
    AtLeast(u64),
    /// So many or fewer.
    AtMost(u64),
}

impl Count {
    /// Whether so many are right.
    pub fn contains(self, count: u64) -> bool {
        match self {
            Count::Exactly(wanted) => count == wanted,
            Count::AtLeast(wanted) => count >= wanted,
            Count::AtMost(wanted) => count <= wanted,
        }
    }
}

/// When a run is given up as not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Virtual time.
    pub virtual_time: Duration,
    /// Events in the trace.
    pub events: u64,
}

impl Limits {
    /// Virtual time when the text says none; more if `until` is later.
    pub const DEFAULT_VIRTUAL_TIME: Duration = Duration::from_secs(24 * 60 * 60);
    /// The most virtual time a text may ask for: a hundred years.
    pub const MAX_VIRTUAL_TIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    /// Events when the text says none.
    pub const DEFAULT_EVENTS: u64 = 1_000_000;
    /// The most events a text may ask for.
    pub const MAX_EVENTS: u64 = 10_000_000;
    /// Octets of a text.
    pub const MAX_TEXT: usize = 1 << 20;
    /// Maps and lists inside one another.
    pub const MAX_DEPTH: usize = 32;
    /// Maps, lists and scalars of a text, each alias counted as what it stands for.
    pub const MAX_NODES: usize = 100_000;
    /// Hosts.
    pub const MAX_HOSTS: usize = 32;
    /// Steps of all programs together.
    pub const MAX_STEPS: usize = 10_000;
    /// Faults.
    pub const MAX_FAULTS: usize = 1_000;
    /// Expectations.
    pub const MAX_EXPECTATIONS: usize = 1_000;
    /// Octets that one step sends or receives, repetitions included.
    pub const MAX_OCTETS: u64 = 1 << 30;
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { virtual_time: Limits::DEFAULT_VIRTUAL_TIME, events: Limits::DEFAULT_EVENTS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_means_segments_for_which_everything_holds() {
        let fin = SegmentFacts {
            from: Some(HostId(0)),
            to: Some(HostId(1)),
            flags: Flags::FIN | Flags::ACK,
            octets: 0,
            retransmission: false,
            keepalive_probe: false,
        };
        let of = |flags| Match { flags: Some(flags), ..Match::default() };
        assert!(Match::default().matches(&fin));
        assert!(of(FlagsMatch::AtLeast(Flags::FIN)).matches(&fin));
        assert!(!of(FlagsMatch::Only(Flags::FIN)).matches(&fin));
        assert!(of(FlagsMatch::Only(Flags::FIN | Flags::ACK)).matches(&fin));
        assert!(!Match { from: Some(HostId(1)), ..Match::default() }.matches(&fin));
        assert!(!Match { payload: Some(PayloadMatch::Any), ..Match::default() }.matches(&fin));
        assert!(!Match { retransmission: Some(true), ..Match::default() }.matches(&fin));
    }

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
