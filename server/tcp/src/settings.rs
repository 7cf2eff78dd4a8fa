//! Every number and every choice in which stacks differ.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::Errno;

/// The numbers and choices of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Keepalive of every socket of the host; `None` is off.
    pub keepalive: Option<KeepaliveSettings>,
    /// The numbers used where keepalive is switched on without any.
    pub keepalive_numbers: KeepaliveSettings,
    /// Whether a peer that answered no probe is sent a RST when the connection is given up, in case it lives and cannot
    /// answer (Linux `tcp_keepalive_timer`).
    pub reset_unresponsive_peer: bool,
    /// The retransmission timeout before the first measurement, and its bounds.
    pub rto: RtoSettings,
    /// Whether a round trip that is suddenly shorter counts an eighth as much toward RTTVAR as a longer one (Linux
    /// `tcp_rtt_estimator`); in RFC 6298 §2.3 both count alike.
    pub damp_rtt_drops: bool,
    /// What a delay counted in whole ticks takes longer than it says: the timer is set within a tick and fires at the
    /// end of its last (Linux `schedule_timeout`). Zero where time does not tick.
    pub timer_lateness: Duration,
    /// Added to the shortest timers of loss recovery, so that a tick cannot swallow them (Linux `TCP_TIMEOUT_MIN_US`).
    pub short_timer_margin: Duration,
    /// The bounds of the delay of acknowledgments; `None` sends each at once.
    pub delayed_ack: Option<DelayedAckSettings>,
    /// Which acknowledgments are delayed.
    pub ack_rule: AckRule,
    /// How long the acknowledgments of one gap wait for each other once three have been sent at once and SACK
    /// can say the rest (Linux `tcp_comp_sack_delay_ns`); `None` sends each at once (RFC 5681 §4.2).
    pub ack_compression: Option<Duration>,
    /// Whether a read advertises a larger window only once it has at least doubled (Linux `__tcp_cleanup_rbuf`);
    /// otherwise at each step that avoids a silly window (RFC 9293 §3.8.6.2.2).
    pub window_update_doubles: bool,
    /// Whether small segments wait while data is unacknowledged (RFC 9293 §3.7.4).
    pub nagle: bool,
    /// Whether they wait only while another small segment is unacknowledged (Minshall's variant; Linux
    /// `tcp_minshall_check`).
    pub minshall: bool,
    /// Whether data that fills half of the largest window ever offered is sent though it fills no segment
    /// (RFC 9293 §3.8.6.2.1, rule 3); otherwise only whole segments are sent, of which none takes more than half of that
    /// window (Linux `tcp_snd_wnd_test`, `tcp_bound_to_half_wnd`).
    pub half_window_segments: bool,
    /// How often a SYN is sent again (Linux `tcp_syn_retries`).
    pub syn_retries: u32,
    /// How many SYNs are sent again before the timeout backs off (Linux `tcp_syn_linear_timeouts`).
    pub syn_linear_timeouts: u32,
    /// How soon the SYN is sent again after an unacceptable acknowledgment, unless it has been sent again before: the peer
    /// had an old connection, which our RST ends (Linux `tcp_rcv_synsent_state_process`, `TCP_TIMEOUT_MIN`). `None` waits for
    /// the retransmission timeout (RFC 9293 §3.10.7.3, first).
    pub unacceptable_ack_hastens_syn: Option<Duration>,
    /// The longest an active open takes, whatever `syn_retries` says; `None` is no such limit.
    pub connect_timeout: Option<Duration>,
    /// How often a SYN+ACK is sent again (Linux `tcp_synack_retries`).
    pub synack_retries: u32,
    /// Whether a SYN received again in SYN-RECEIVED restarts the retransmission timer of the SYN+ACK that answers it
    /// (Linux `tcp_check_req`).
    pub repeated_syn_restarts_timer: bool,
    /// Whether another SYN in SYN-RECEIVED is answered by RST as a passive open returns to LISTEN (Linux
    /// `tcp_check_req`); RFC 9293 §3.10.7.4, fourth, returns in silence.
    pub reset_for_syn_in_handshake: bool,
    /// When unacknowledged data ends the connection.
    pub give_up: GiveUp,
    /// The same for a connection that the application has closed (Linux `tcp_orphan_retries`).
    pub orphan_give_up: GiveUp,
    /// Replaces `orphan_give_up` once the timeout has doubled to its maximum: an orphan is given up after this many
    /// doublings, even if the peer answers its window probes (Linux `tcp_orphan_retries`, `tcp_probe_timer`). `None` is no
    /// such limit: answered probes go on for ever (RFC 9293 §3.8.6.1, MUST-37).
    pub orphan_retries_at_max_rto: Option<u32>,
    /// How long data may stay unacknowledged, counted from the first timeout. Replaces `give_up` and the count of
    /// keepalive probes (Linux TCP_USER_TIMEOUT).
    pub user_timeout: Option<Duration>,
    /// How long an orphan stays in FIN-WAIT-2; `None` is for ever (Linux `tcp_fin_timeout`).
    pub fin_timeout: Option<Duration>,
    /// Whether an orphan in FIN-WAIT-2 judges RST and SYN as TIME-WAIT does: any RST in the window ends it, and so does
    /// a SYN, which is answered by RST (Linux `tcp_timewait_state_process`).
    pub orphan_fin_wait_2_yields: bool,
    /// How long TIME-WAIT lasts: 2 MSL.
    pub time_wait: Duration,
    /// Whether an acceptable RST ends TIME-WAIT (RFC 1337; Linux `tcp_rfc1337` = 0).
    pub reset_ends_time_wait: bool,
    /// Whether a RST with the sequence number of the peer's FIN is acceptable after that FIN (Linux `tcp_reset_check`):
    /// a peer that closes and is then sent data gives both the same number.
    pub reset_at_fin: bool,
    /// Whether a RST with the sequence number after the highest data received beyond a gap is acceptable (Linux
    /// `tcp_validate_incoming`): the peer sent it after data that was lost. RFC 5961 §3.2 accepts `rcv.nxt` alone.
    pub reset_at_sack_edge: bool,
    /// What the application's next call fails with after a RST in CLOSE-WAIT. RFC 9293 §3.10.7.4, second, says
    /// "connection reset"; Linux `tcp_reset` says EPIPE.
    pub close_wait_reset: Errno,
    /// Whether the end of the stream, once received, is read even after a RST (Linux `tcp_recvmsg_locked`); otherwise
    /// the error comes first.
    pub fin_hides_reset: bool,
    /// Whether data that arrives after `shutdown(SHUT_RD)`, while our FIN has been sent, resets the connection (Linux
    /// `tcp_rcv_state_process`); otherwise it is acknowledged and never read.
    pub reset_after_shutdown_read: bool,
    /// Whether the SYN+ACK of a simultaneous open offers all that its SYN did (Linux `tcp_send_synack`); otherwise what the
    /// peer's SYN offered, too (RFC 7323 §2.2, §3.2).
    pub simultaneous_open_offers_all: bool,
    /// Whether a listener drops a SYN with a FIN (Linux `tcp_rcv_state_process`); RFC 9293 §3.10.7.2 answers it.
    pub drop_syn_fin: bool,
    /// Whether a segment that ends beyond the window is trimmed to it (RFC 9293 §3.10.7.4, first); otherwise it is dropped
    /// and answered, or taken whole if nothing is unread (Linux `tcp_sequence`).
    pub trim_to_window: bool,
    /// Whether the window begins at the last acknowledgment sent (Linux `tcp_sequence`): a segment that ends there or later
    /// acknowledges data though all of its own was received. In RFC 9293 §3.10.7.4, first, it begins at `rcv.nxt`, and such a
    /// segment is only answered.
    pub window_begins_at_last_ack: bool,
    /// Whether the sequence numbers of segments without data keep to a window that the peer has taken back, so that it
    /// accepts them (Linux `tcp_acceptable_seq`); otherwise they are `snd.nxt` (RFC 9293 §3.10.7.4).
    pub numbers_keep_to_window: bool,
    /// Whether timestamps are offered (RFC 7323).
    pub timestamps: bool,
    /// Whether the SYN of a connection that takes the place of one in TIME-WAIT echoes the last timestamp of that one (Linux
    /// `tcp_twsk_unique`); RFC 7323 §3.2 sends 0.
    pub syn_echoes_time_wait: bool,
    /// Whether SACK is offered (RFC 2018).
    pub sack: bool,
    /// Whether acknowledgments report duplicates (RFC 2883; Linux `tcp_dsack`).
    pub dsack: bool,
    /// How many duplicates prove a loss at most, where reordering asks for more than three (Linux `tcp_max_reordering`). Three
    /// is what RFC 5681 §3.2 and RFC 8985 §6.2 say.
    pub max_dup_thresh: u32,
    /// Whether spurious timeouts are detected (F-RTO, RFC 5682; Linux `tcp_frto`).
    pub frto: bool,
    /// Whether a small segment is merged with those behind it when it is sent again, up to a full segment
    /// (RFC 9293 §3.8.1; Linux `tcp_retrans_collapse`).
    pub collapse: bool,
    /// Whether an acknowledgment without data counts although its timestamp is older than the last: others overtook it
    /// (Linux `tcp_disordered_ack_check`). RFC 7323 §5.3 answers and drops it.
    pub late_acks: bool,
    /// The congestion control algorithm.
    pub congestion: CongestionAlgorithm,
    /// Whether CUBIC grows as fast as Reno once it is where the last loss was, and takes back a loss that was none (RFC 9438
    /// §4.3, §4.9). Linux `tcp_cubic` does neither.
    pub cubic_follows_rfc: bool,
    /// Whether CUBIC ends slow start when the acknowledgments of a round trip take half of it, or round trips become longer
    /// (HyStart; Linux `hystart_update`).
    pub hystart: bool,
    /// Whether the congestion window of an idle connection falls to the initial window (RFC 5681 §4.1).
    pub slow_start_after_idle: bool,
    /// Whether it falls by half for each RTO without data, and halfway to what is used for each RTO in which less is used
    /// (RFC 2861; Linux `tcp_cwnd_restart`, `tcp_cwnd_application_limited`); otherwise at once, and only when nothing was sent
    /// (RFC 5681 §4.1).
    pub window_validation: bool,
    /// Whether several segments leave the stack as one packet that is cut up below it: only the last of them gets PSH
    /// (Linux TSO and GSO, `tcp_tso_autosize`).
    pub segmentation_offload: bool,
    /// Whether a tail loss probe precedes the retransmission timeout (RFC 8985 §7; Linux `tcp_early_retrans`).
    pub tail_loss_probe: bool,
    /// The window scale offered; `None` offers none (RFC 7323).
    pub window_scale: Option<WindowScale>,
    /// Whether packets count against the buffers with all the memory they take, so that the window follows from it and
    /// the send buffer grows with the congestion window (Linux `__tcp_select_window`, `tcp_sndbuf_expand`).
    pub packet_memory: bool,
    /// Room for received data, octets: the largest window, at first if it grows.
    pub receive_buffer: u32,
    /// How far that room grows with what the application reads in a round trip, octets; `None` is not at all. It grows
    /// only where packets count with their memory (Linux `tcp_moderate_rcvbuf`, `tcp_rmem[2]`).
    pub receive_buffer_max: Option<u32>,
    /// Whether the window of a SYN is a whole number of segments (Linux `tcp_select_initial_window`).
    pub whole_segment_window: bool,
    /// Room for data not yet acknowledged, octets: at first, if it grows.
    pub send_buffer: u32,
    /// How far that room grows with the congestion window, octets; `None` is not at all. It grows only where packets count
    /// with their memory (Linux `tcp_sndbuf_expand`, `tcp_wmem[2]`).
    pub send_buffer_max: Option<u32>,
    /// Segments that may be sent before the first acknowledgment (RFC 6928).
    pub initial_window: u32,
    /// Whether the initial window stays as it is if the SYN or SYN+ACK is sent again no more than once (Linux
    /// `tcp_init_transfer`); RFC 5681 §3.1 makes it one segment.
    pub lost_syn_keeps_window: bool,
    /// The largest MSS that is announced to the peer or accepted from it, octets (Linux TCP_MAXSEG); `None` is what the path MTU allows.
    pub mss: Option<u16>,
    /// The largest IP datagram that the host sends, octets.
    pub mtu: u16,
    /// The smallest path MTU that a router is believed, octets (RFC 1191 §3; Linux `min_pmtu`).
    pub min_path_mtu: u16,
    /// How long a path MTU learned from a router is kept (RFC 1191 §6.3; Linux `mtu_expires`).
    pub path_mtu_lifetime: Duration,
    /// Whether the path MTU is searched for with segments of different sizes (RFC 4821; Linux `tcp_mtu_probing`).
    pub mtu_probing: MtuProbing,
    /// Whether connections use explicit congestion notification (RFC 3168; Linux `tcp_ecn`).
    pub ecn: Ecn,
    /// Which ICMP errors end a connection; the others are only reported.
    pub icmp: IcmpErrors,
    /// The least time between two challenge ACKs of a connection (Linux `tcp_invalid_ratelimit`).
    pub challenge_ack_interval: Duration,
    /// The most connections that a listener holds in SYN-RECEIVED, as far as `syn_queue_limit` says so.
    pub syn_backlog: u32,
    /// What limits the connections that a listener holds in SYN-RECEIVED.
    pub syn_queue_limit: SynQueueLimit,
    /// When a listener answers SYNs without remembering them (RFC 4987 §3.6; Linux `tcp_syncookies`).
    pub syn_cookies: SynCookies,
    /// Whether the acknowledgment that completes a handshake is answered by RST if the accept queue is full (Linux
    /// `tcp_abort_on_overflow`); otherwise it is dropped, and the peer may try again.
    pub abort_on_overflow: bool,
    /// Whether a listener that closes resets its connections in SYN-RECEIVED, as it resets those that nobody has accepted.
    /// Otherwise nothing is sent: each ends when its timer fires, or when a segment arrives for it, which then belongs to
    /// no connection (Linux `reqsk_timer_handler`, `tcp_v4_rcv`).
    pub closing_listener_resets_embryonic: bool,
    /// For how long a listener waits for data before it hands a connection over (Linux TCP_DEFER_ACCEPT); `None` is
    /// not at all.
    pub defer_accept: Option<Duration>,
    /// Connections that the accept queue takes beyond the backlog of `listen` (Linux `sk_acceptq_is_full`: one).
    pub accept_queue_extra: u32,
    /// Ports for active opens that name none (RFC 6335 §6).
    pub ephemeral_ports: RangeInclusive<u16>,
    /// Whether every other ephemeral port is tried before those between (Linux `__inet_hash_connect`).
    pub alternate_ephemeral_ports: bool,
    /// A fixed initial sequence number instead of one from clock and secret: for examples.
    pub initial_sequence: Option<u32>,
}

/// The window scale that is offered (RFC 7323 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowScale {
    /// This shift count, at most 14.
    Shift(u8),
    /// What the largest window of the receive buffer needs (Linux `tcp_select_initial_window`).
    ForBuffer,
}

impl WindowScale {
    /// The largest shift count (RFC 7323 §2.3).
    const MAX: u8 = 14;

    /// The shift count for a buffer that has this many octets at most.
    pub(crate) fn shift_for(self, largest: u32) -> u8 {
        let shift = match self {
            WindowScale::Shift(shift) => shift,
            WindowScale::ForBuffer => {
                u8::try_from(largest.max(1).ilog2().saturating_sub(15)).unwrap_or(WindowScale::MAX)
            }
        };
        shift.min(WindowScale::MAX)
    }
}

/// What limits the connections that a listener holds in SYN-RECEIVED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynQueueLimit {
    /// `syn_backlog`.
    SynBacklog,
    /// The backlog of `listen`, and one more. Without SYN cookies three quarters of `syn_backlog`, too: the rest is for
    /// peers that are known to be alive (Linux `tcp_conn_request`).
    ListenBacklog,
}

/// When a listener answers a SYN with a SYN cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynCookies {
    /// Never.
    Off,
    /// While it holds as many connections in SYN-RECEIVED as it may.
    WhenFull,
    /// Always.
    Always,
}

/// Whether the path MTU is searched for with segments of different sizes (RFC 4821).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MtuProbing {
    /// It is not: only routers are believed.
    Off,
    /// Once the same data has timed out again and again, as where a router drops what is too large and reports nothing.
    AfterBlackHole,
    /// From the beginning, with small segments first.
    Always,
}

/// Whether connections use explicit congestion notification (RFC 3168).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecn {
    /// Never.
    Off,
    /// If the peer asks for it.
    Passive,
    /// Active opens ask for it, too.
    On,
}

/// Which acknowledgments are delayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckRule {
    /// All but that of every second full-sized segment (RFC 9293 §3.8.6.3, SHLD-18 and SHLD-19).
    SecondSegment,
    /// As the connection is used: those of an interactive one wait for the answer that carries them, and the delay
    /// follows the time between segments (Linux `__tcp_ack_snd_check`, `tcp_event_data_recv`, `tcp_send_delayed_ack`).
    Adaptive,
}

/// A congestion control algorithm.
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
    /// Any of an active open, and of a passive one those that say in IPv4 that the peer cannot be reached, in IPv6 that it
    /// refuses; none after the handshake (Linux `tcp_v4_err`, `tcp_v6_err`, `tcp_req_err`).
    InHandshake,
    /// Hard errors: no such protocol or port there (RFC 9293 §3.9.2.2).
    Hard,
}

/// Keepalive (RFC 9293 §3.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepaliveSettings {
    /// The time without anything received before the first probe.
    pub idle: Duration,
    /// The time from one unanswered probe to the next.
    pub interval: Duration,
    /// How many unanswered probes end the connection, one interval after the last.
    pub probes: u32,
}

/// The retransmission timeout (RFC 6298).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtoSettings {
    /// The timeout before the first measurement.
    pub initial: Duration,
    /// The lower bound.
    pub min: Duration,
    /// The upper bound.
    pub max: Duration,
    /// What the lower bound applies to.
    pub min_applies: RtoMin,
    /// What [`GiveUp::Retries`] counts doublings of, whatever the lower bound is set to (Linux `TCP_RTO_MIN`).
    pub retries_base: Duration,
    /// The clock's granularity G (RFC 6298 §2.3): timeouts are whole multiples of it, rounded up. Zero is exact.
    pub granularity: Duration,
}

/// What the lower bound of the RTO applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtoMin {
    /// The sum: max(min, SRTT + 4 RTTVAR) (RFC 6298 §2.4).
    Total,
    /// The variance term: SRTT + max(min, 4 RTTVAR), where RTTVAR is the largest of late and falls by a quarter a round
    /// trip at most (Linux `mdev_max_us`, `tcp_rtt_estimator`).
    Variance,
    /// It is added: SRTT + 4 RTTVAR + min (the slop of BSD, `TCP_REXMTVAL`).
    Slop,
}

/// Delayed acknowledgments (RFC 9293 §3.8.6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayedAckSettings {
    /// The shortest delay.
    pub min: Duration,
    /// The longest delay.
    pub max: Duration,
    /// How many segments of a new connection are acknowledged at once (Linux quick ACKs, `tcp_incr_quickack`).
    pub quick: u32,
}

/// When retransmission ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// At the first expiry after the time that this many doublings of [`RtoSettings::retries_base`] take, counted from the first
    /// retransmission. Probes of a closed window end after this many without an answer, and the time between them
    /// doubles no more often (Linux `tcp_retries2`).
    Retries(u32),
    /// At the expiry after this many retransmissions (BSD, Windows).
    Count(u32),
    /// At the first expiry after this time.
    After(Duration),
}

impl GiveUp {
    /// How often the time between two probes of a closed window may double.
    pub(crate) fn max_probe_backoff(self) -> u32 {
        match self {
            GiveUp::Retries(retries) => retries.min(32),
            GiveUp::Count(_) | GiveUp::After(_) => 32,
        }
    }
}
