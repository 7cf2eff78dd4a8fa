//! Every number and every choice in which stacks differ.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::profiles;

/// A stack whose numbers and choices an endpoint takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Linux 6.18, held to recordings of the real kernel.
    #[default]
    Linux,
    /// RFC 9293 and the RFCs it names, at their recommended values.
    Rfc9293,
    /// FreeBSD 14, by its sources.
    FreeBsd,
    /// Windows since Vista, by Microsoft's documents.
    Windows,
    /// macOS, by the sources of its kernel.
    MacOs,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Profile; 5] =
        [Profile::Linux, Profile::Rfc9293, Profile::FreeBsd, Profile::Windows, Profile::MacOs];

    /// The name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Linux => "linux",
            Profile::Rfc9293 => "rfc9293",
            Profile::FreeBsd => "freebsd",
            Profile::Windows => "windows",
            Profile::MacOs => "macos",
        }
    }

    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Profile> {
        Profile::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// Its numbers and choices.
    pub const fn settings(self) -> Settings {
        match self {
            Profile::Linux => profiles::LINUX,
            Profile::Rfc9293 => profiles::RFC9293,
            Profile::FreeBsd => profiles::FREEBSD,
            Profile::Windows => profiles::WINDOWS,
            Profile::MacOs => profiles::MACOS,
        }
    }
}

/// The numbers and choices of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Keepalive of every socket of the host; `None` is off.
    pub keepalive: Option<KeepaliveSettings>,
    /// The numbers of a keepalive that is switched on without any.
    pub keepalive_numbers: KeepaliveSettings,
    /// Retransmission timeout before the first measurement, and its bounds.
    pub rto: RtoSettings,
    /// Acknowledgments that wait for company; `None` sends each at once.
    pub delayed_ack: Option<DelayedAckSettings>,
    /// Whether small segments wait while data is unacknowledged (RFC 9293 §3.7.4).
    pub nagle: bool,
    /// Whether only another small segment under way makes one wait (Minshall's variant of Nagle's algorithm; Linux).
    pub minshall: bool,
    /// How often a SYN is sent again (Linux `tcp_syn_retries`).
    pub syn_retries: u32,
    /// How many of them come without backoff first (Linux `tcp_syn_linear_timeouts`).
    pub syn_linear_timeouts: u32,
    /// How long an active open may take at most, whatever the retries say.
    pub connect_timeout: Option<Duration>,
    /// How often a SYN+ACK is sent again (Linux `tcp_synack_retries`).
    pub synack_retries: u32,
    /// When data that nobody acknowledges ends the connection.
    pub give_up: GiveUp,
    /// The same for a connection whose application has closed (Linux `tcp_orphan_retries`).
    pub orphan_give_up: GiveUp,
    /// How long data may stay unacknowledged, counted from the first timeout; takes the place of `give_up`, and of the count
    /// of keepalive probes (Linux TCP_USER_TIMEOUT).
    pub user_timeout: Option<Duration>,
    /// How long an orphan waits in FIN-WAIT-2; `None` is for ever (Linux `tcp_fin_timeout`).
    pub fin_timeout: Option<Duration>,
    /// How long TIME-WAIT lasts: 2 MSL.
    pub time_wait: Duration,
    /// Whether an acceptable RST ends TIME-WAIT (RFC 1337; Linux `tcp_rfc1337` = 0).
    pub reset_ends_time_wait: bool,
    /// Whether timestamps are offered (RFC 7323).
    pub timestamps: bool,
    /// Whether SACK is offered (RFC 2018).
    pub sack: bool,
    /// Whether an acknowledgment reports what arrived twice (RFC 2883; Linux `tcp_dsack`).
    pub dsack: bool,
    /// Whether a timeout is checked for having been spurious (RFC 5682; Linux `tcp_frto`).
    pub frto: bool,
    /// Whether a small segment that is sent again takes those behind it along, as far as one segment goes (RFC 9293 §3.8.1;
    /// Linux `tcp_retrans_collapse`).
    pub collapse: bool,
    /// Whether an acknowledgment without data counts although others overtook it (Linux `tcp_disordered_ack_check`): its
    /// timestamp is old, and by RFC 7323 §5.3 it would be answered.
    pub late_acks: bool,
    /// How the congestion window moves.
    pub congestion: CongestionAlgorithm,
    /// Whether a connection that was idle begins with the initial window again (RFC 5681 §4.1).
    pub slow_start_after_idle: bool,
    /// Whether several segments leave the stack as one and are cut up below it: only the last of each gets PSH (Linux TSO and
    /// GSO, `tcp_tso_autosize`).
    pub segmentation_offload: bool,
    /// Whether the end of a flight is probed before the retransmission timeout (RFC 8985 §7; Linux `tcp_early_retrans`).
    pub tail_loss_probe: bool,
    /// The window scale that is offered; `None` offers none (RFC 7323).
    pub window_scale: Option<u8>,
    /// Whether packets count against the buffers with all the memory they take, and the send buffer grows with the
    /// congestion window (Linux).
    pub packet_memory: bool,
    /// Room for received data, octets: the largest window.
    pub receive_buffer: u32,
    /// Room for data not yet acknowledged, octets.
    pub send_buffer: u32,
    /// Segments that may be sent before the first acknowledgment (RFC 6928).
    pub initial_window: u32,
    /// Largest segment announced, octets; `None` is what the path's MTU allows.
    pub mss: Option<u16>,
    /// Largest IP datagram the host sends, octets.
    pub mtu: u16,
    /// Which ICMP errors end a connection; the others are only reported.
    pub icmp: IcmpErrors,
    /// Least time between two challenge ACKs of a connection (Linux `tcp_invalid_ratelimit`).
    pub challenge_ack_interval: Duration,
    /// Connections a listener holds in SYN-RECEIVED.
    pub syn_backlog: u32,
    /// Ports for active opens that name none.
    pub ephemeral_ports: RangeInclusive<u16>,
    /// A fixed initial sequence number instead of one from clock and secret: for examples.
    pub initial_sequence: Option<u32>,
}

/// How the congestion window moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CongestionAlgorithm {
    /// RFC 9438.
    Cubic,
    /// RFC 5681 and RFC 6582.
    NewReno,
    /// No congestion control: only the peer's window limits.
    None,
}

impl CongestionAlgorithm {
    /// Every algorithm.
    pub const ALL: [CongestionAlgorithm; 3] =
        [CongestionAlgorithm::Cubic, CongestionAlgorithm::NewReno, CongestionAlgorithm::None];

    /// The name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            CongestionAlgorithm::Cubic => "cubic",
            CongestionAlgorithm::NewReno => "newreno",
            CongestionAlgorithm::None => "none",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &str) -> Option<CongestionAlgorithm> {
        CongestionAlgorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Which ICMP errors end a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpErrors {
    /// Any in SYN-SENT, none later (Linux `tcp_v4_err`).
    InHandshake,
    /// Those that say that nobody takes the segment there (RFC 9293 §3.9.2.2: hard errors).
    Hard,
}

/// Keepalive (RFC 9293 §3.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepaliveSettings {
    /// Time without anything received before the first probe.
    pub idle: Duration,
    /// Time from one unanswered probe to the next.
    pub interval: Duration,
    /// Unanswered probes that end the connection, one interval after the last.
    pub probes: u32,
}

/// The retransmission timeout (RFC 6298).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtoSettings {
    /// Before the first measurement.
    pub initial: Duration,
    /// Never less.
    pub min: Duration,
    /// Never more.
    pub max: Duration,
    /// What the lower bound applies to.
    pub min_applies: RtoMin,
    /// The clock's granularity G (RFC 6298 §2.3): timeouts are whole numbers of it, rounded up. Zero is exact.
    pub granularity: Duration,
}

/// What the lower bound of the RTO applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtoMin {
    /// The whole: max(min, SRTT + 4 RTTVAR) (RFC 6298 §2.4).
    Total,
    /// The variance term: SRTT + max(min, 4 RTTVAR) (Linux).
    Variance,
    /// It is added: SRTT + 4 RTTVAR + min (the slop of BSD).
    Slop,
}

/// Delayed acknowledgments (RFC 9293 §3.8.6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayedAckSettings {
    /// The shortest delay.
    pub min: Duration,
    /// The longest delay.
    pub max: Duration,
    /// Segments of a new connection that are acknowledged at once (Linux quick ACKs).
    pub quick: u32,
}

/// When retransmitting ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// At the first expiry after the time that so many doublings of the least RTO take, counted from
    /// the first retransmission (Linux `tcp_retries2`).
    Retries(u32),
    /// After so many retransmissions, at the next expiry (BSD, Windows).
    Count(u32),
    /// At the first expiry after this long.
    After(Duration),
}
