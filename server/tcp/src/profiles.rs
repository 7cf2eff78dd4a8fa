//! The numbers and choices of each profile. docs/profiles.md names the source of each, and how sure it is.

use std::time::Duration;

use crate::{
    AckRule, CongestionAlgorithm, DelayedAckSettings, Ecn, Errno, GiveUp, IcmpErrors, KeepaliveSettings,
    MtuProbing, RtoMin, RtoSettings, Settings, SynCookies, SynQueueLimit, WindowScale,
};

/// A stack whose numbers and choices an endpoint follows.
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

    /// The profile's numbers and choices.
    pub const fn settings(self) -> Settings {
        match self {
            Profile::Linux => LINUX,
            Profile::Rfc9293 => RFC9293,
            Profile::FreeBsd => FREEBSD,
            Profile::Windows => WINDOWS,
            Profile::MacOs => MACOS,
        }
    }
}

/// Linux 6.18 in a fresh network namespace. Each value was read by sysctl or measured on the wire, unless a comment
/// says otherwise.
const LINUX: Settings = Settings {
    keepalive: None,
    keepalive_numbers: KeepaliveSettings {
        idle: Duration::from_secs(7200),
        interval: Duration::from_secs(75),
        probes: 9,
    },
    reset_unresponsive_peer: true,
    rto: RtoSettings {
        initial: Duration::from_secs(1),
        min: Duration::from_millis(200),
        max: Duration::from_secs(120),
        min_applies: RtoMin::Variance,
        retries_base: Duration::from_millis(200),
        // CONFIG_HZ=250.
        granularity: Duration::from_millis(4),
    },
    damp_rtt_drops: true,
    timer_lateness: Duration::from_millis(1),
    short_timer_margin: Duration::from_millis(2),
    delayed_ack: Some(DelayedAckSettings {
        min: Duration::from_millis(40),
        // One tick less than the least RTO (`tcp_delack_max`).
        max: Duration::from_millis(196),
        quick: 16,
    }),
    ack_rule: AckRule::Adaptive,
    ack_compression: Some(Duration::from_millis(1)),
    window_update_doubles: true,
    nagle: true,
    minshall: true,
    half_window_segments: false,
    syn_retries: 6,
    syn_linear_timeouts: 4,
    // Two ticks (`TCP_TIMEOUT_MIN`).
    unacceptable_ack_hastens_syn: Some(Duration::from_millis(8)),
    connect_timeout: None,
    synack_retries: 5,
    repeated_syn_restarts_timer: true,
    reset_for_syn_in_handshake: true,
    give_up: GiveUp::Retries(15),
    // tcp_orphan_retries = 0 means 8 while the peer is believed alive.
    orphan_give_up: GiveUp::Retries(8),
    orphan_retries_at_max_rto: Some(0),
    user_timeout: None,
    fin_timeout: Some(Duration::from_secs(60)),
    orphan_fin_wait_2_yields: true,
    time_wait: Duration::from_secs(60),
    reset_ends_time_wait: true,
    reset_at_fin: true,
    reset_at_sack_edge: true,
    close_wait_reset: Errno::BrokenPipe,
    fin_hides_reset: true,
    reset_after_shutdown_read: true,
    simultaneous_open_offers_all: true,
    drop_syn_fin: true,
    trim_to_window: false,
    window_begins_at_last_ack: true,
    numbers_keep_to_window: true,
    timestamps: true,
    syn_echoes_time_wait: true,
    sack: true,
    dsack: true,
    max_dup_thresh: 300,
    frto: true,
    late_acks: true,
    collapse: true,
    congestion: CongestionAlgorithm::Cubic,
    cubic_follows_rfc: false,
    hystart: true,
    slow_start_after_idle: true,
    window_validation: true,
    segmentation_offload: true,
    packet_memory: true,
    tail_loss_probe: true,
    window_scale: Some(WindowScale::ForBuffer),
    // Half of tcp_rmem[1]: the other half is for the kernel's own use (tcp_adv_win_scale = 1).
    receive_buffer: 65_536,
    // Half of tcp_rmem[2].
    receive_buffer_max: Some(16_777_216),
    whole_segment_window: true,
    // Half of tcp_wmem[1], and of tcp_wmem[2].
    send_buffer: 8192,
    send_buffer_max: Some(2_097_152),
    initial_window: 10,
    lost_syn_keeps_window: true,
    mss: None,
    mtu: 1500,
    min_path_mtu: 552,
    path_mtu_lifetime: Duration::from_secs(600),
    mtu_probing: MtuProbing::Off,
    ecn: Ecn::Passive,
    icmp: IcmpErrors::InHandshake,
    challenge_ack_interval: Duration::from_millis(500),
    syn_backlog: 2048,
    syn_queue_limit: SynQueueLimit::ListenBacklog,
    syn_cookies: SynCookies::WhenFull,
    abort_on_overflow: false,
    closing_listener_resets_embryonic: false,
    defer_accept: None,
    accept_queue_extra: 1,
    ephemeral_ports: 32_768..=60_999,
    alternate_ephemeral_ports: true,
    initial_sequence: None,
};

/// The values that RFC 9293 and the RFCs it names recommend. What all profiles have in common is as in Linux.
const RFC9293: Settings = Settings {
    keepalive: None,
    // RFC 9293 §3.8.4 gives the two hours; interval and count are those of most stacks.
    keepalive_numbers: KeepaliveSettings {
        idle: Duration::from_secs(7200),
        interval: Duration::from_secs(75),
        probes: 9,
    },
    reset_unresponsive_peer: true,
    rto: RtoSettings {
        // RFC 6298 §2.1, §2.4, §2.5.
        initial: Duration::from_secs(1),
        min: Duration::from_secs(1),
        max: Duration::from_secs(60),
        min_applies: RtoMin::Total,
        retries_base: Duration::from_secs(1),
        granularity: Duration::ZERO,
    },
    damp_rtt_drops: false,
    timer_lateness: Duration::ZERO,
    short_timer_margin: Duration::ZERO,
    // RFC 9293 §3.8.6.3: less than 0.5 s, and every second full-sized segment.
    delayed_ack: Some(DelayedAckSettings {
        min: Duration::from_millis(200),
        max: Duration::from_millis(200),
        quick: 0,
    }),
    ack_rule: AckRule::SecondSegment,
    ack_compression: None,
    window_update_doubles: true,
    nagle: true,
    minshall: false,
    half_window_segments: true,
    // RFC 9293 §3.8.3: R2 for a SYN is at least 3 minutes: 1 + 2 + 4 + ... + 32 + 60 + 60 s.
    syn_retries: 7,
    syn_linear_timeouts: 0,
    unacceptable_ack_hastens_syn: None,
    connect_timeout: None,
    synack_retries: 7,
    repeated_syn_restarts_timer: true,
    reset_for_syn_in_handshake: false,
    // The user timeout of OPEN (RFC 9293 §3.9.1.1): five minutes.
    give_up: GiveUp::After(Duration::from_secs(300)),
    orphan_give_up: GiveUp::After(Duration::from_secs(300)),
    orphan_retries_at_max_rto: None,
    user_timeout: None,
    // The RFC knows no timer in FIN-WAIT-2.
    fin_timeout: None,
    orphan_fin_wait_2_yields: true,
    // 2 MSL, MSL being 2 minutes (RFC 9293 §3.4.2).
    time_wait: Duration::from_secs(240),
    // RFC 1337 §3 and RFC 9293 §3.10.7.4 differ; this is the latter.
    reset_ends_time_wait: true,
    reset_at_fin: true,
    reset_at_sack_edge: false,
    close_wait_reset: Errno::ConnectionReset,
    fin_hides_reset: true,
    reset_after_shutdown_read: true,
    simultaneous_open_offers_all: false,
    drop_syn_fin: false,
    trim_to_window: true,
    window_begins_at_last_ack: false,
    numbers_keep_to_window: false,
    timestamps: true,
    syn_echoes_time_wait: false,
    sack: true,
    dsack: true,
    max_dup_thresh: 3,
    // RFC 5682 is on the standards track, but RFC 9293 does not ask for it.
    frto: false,
    late_acks: false,
    collapse: false,
    // RFC 9293 §3.8.2, MUST-19: RFC 5681.
    congestion: CongestionAlgorithm::NewReno,
    cubic_follows_rfc: true,
    hystart: false,
    slow_start_after_idle: true,
    window_validation: false,
    segmentation_offload: false,
    packet_memory: false,
    tail_loss_probe: false,
    window_scale: Some(WindowScale::Shift(7)),
    receive_buffer: 65_536,
    receive_buffer_max: None,
    whole_segment_window: true,
    send_buffer: 65_536,
    send_buffer_max: None,
    initial_window: 10,
    lost_syn_keeps_window: false,
    mss: None,
    mtu: 1500,
    min_path_mtu: 552,
    path_mtu_lifetime: Duration::from_secs(600),
    mtu_probing: MtuProbing::Off,
    ecn: Ecn::Passive,
    icmp: IcmpErrors::Hard,
    // RFC 5961 §7: ten in five seconds.
    challenge_ack_interval: Duration::from_millis(500),
    syn_backlog: 128,
    syn_queue_limit: SynQueueLimit::SynBacklog,
    syn_cookies: SynCookies::Off,
    abort_on_overflow: false,
    closing_listener_resets_embryonic: true,
    defer_accept: None,
    accept_queue_extra: 1,
    // RFC 6335 §6.
    ephemeral_ports: 49_152..=65_535,
    alternate_ephemeral_ports: true,
    initial_sequence: None,
};

/// FreeBSD 14.
const FREEBSD: Settings = Settings {
    keepalive: None,
    keepalive_numbers: KeepaliveSettings {
        idle: Duration::from_secs(7200),
        interval: Duration::from_secs(75),
        probes: 8,
    },
    rto: RtoSettings {
        initial: Duration::from_secs(1),
        min: Duration::from_millis(200),
        max: Duration::from_secs(64),
        min_applies: RtoMin::Slop,
        retries_base: Duration::from_millis(200),
        granularity: Duration::ZERO,
    },
    delayed_ack: Some(DelayedAckSettings {
        min: Duration::from_millis(40),
        max: Duration::from_millis(40),
        quick: 0,
    }),
    // The first SYNs at an even pace, and the connection given up after 75 s.
    syn_retries: 12,
    syn_linear_timeouts: 4,
    connect_timeout: Some(Duration::from_secs(75)),
    synack_retries: 3,
    give_up: GiveUp::Count(12),
    orphan_give_up: GiveUp::Count(12),
    fin_timeout: Some(Duration::from_secs(60)),
    time_wait: Duration::from_secs(60),
    frto: false,
    late_acks: false,
    collapse: false,
    congestion: CongestionAlgorithm::Cubic,
    tail_loss_probe: false,
    window_scale: Some(WindowScale::Shift(6)),
    receive_buffer: 65_536,
    send_buffer: 32_768,
    icmp: IcmpErrors::InHandshake,
    ephemeral_ports: 10_000..=65_535,
    ..RFC9293
};

/// macOS.
const MACOS: Settings = Settings {
    delayed_ack: Some(DelayedAckSettings {
        min: Duration::from_millis(100),
        max: Duration::from_millis(100),
        quick: 0,
    }),
    time_wait: Duration::from_secs(30),
    receive_buffer: 131_072,
    send_buffer: 131_072,
    ephemeral_ports: 49_152..=65_535,
    ..FREEBSD
};

/// Windows since Vista.
const WINDOWS: Settings = Settings {
    keepalive: None,
    keepalive_numbers: KeepaliveSettings {
        idle: Duration::from_secs(7200),
        interval: Duration::from_secs(1),
        probes: 10,
    },
    rto: RtoSettings {
        initial: Duration::from_secs(3),
        min: Duration::from_millis(300),
        max: Duration::from_secs(240),
        min_applies: RtoMin::Total,
        retries_base: Duration::from_millis(300),
        granularity: Duration::ZERO,
    },
    delayed_ack: Some(DelayedAckSettings {
        min: Duration::from_millis(200),
        max: Duration::from_millis(200),
        quick: 0,
    }),
    // 3 + 6 + 12 = 21 s.
    syn_retries: 2,
    syn_linear_timeouts: 0,
    connect_timeout: None,
    synack_retries: 2,
    give_up: GiveUp::Count(5),
    orphan_give_up: GiveUp::Count(5),
    fin_timeout: Some(Duration::from_secs(240)),
    time_wait: Duration::from_secs(120),
    frto: false,
    late_acks: false,
    collapse: false,
    congestion: CongestionAlgorithm::Cubic,
    tail_loss_probe: false,
    timestamps: false,
    window_scale: Some(WindowScale::Shift(8)),
    receive_buffer: 65_536,
    send_buffer: 65_536,
    icmp: IcmpErrors::InHandshake,
    ephemeral_ports: 49_152..=65_535,
    ..RFC9293
};
