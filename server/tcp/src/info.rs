//! What a connection knows of itself and its path (Linux TCP_INFO, tcp(7)).

use std::time::Duration;

use crate::State;

/// A snapshot of a connection. Fields have the names that Linux gives them (`struct tcp_info`), without `tcpi_`; segments
/// are counted where it counts segments. The lengths of the two queues are those of the ioctls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    /// The state.
    pub state: State,
    /// Whether a loss is being repaired.
    pub ca_state: RecoveryPhase,
    /// The congestion window, segments; `u32::MAX` without congestion control.
    pub snd_cwnd: u32,
    /// The slow start threshold, segments; `u32::MAX` before the first loss.
    pub snd_ssthresh: u32,
    /// The smoothed round-trip time; `None` before the first measurement.
    pub rtt: Option<Duration>,
    /// Its variation; `None` before the first measurement.
    pub rttvar: Option<Duration>,
    /// The shortest round trip; `None` before the first measurement.
    pub min_rtt: Option<Duration>,
    /// The retransmission timeout, with its backoff.
    pub rto: Duration,
    /// How often the retransmission timeout, or the time between two window probes, was doubled.
    pub backoff: u32,
    /// Retransmission timeouts since new data was last acknowledged.
    pub retransmits: u32,
    /// Probes of an idle peer or a closed window without an answer.
    pub probes: u32,
    /// Octets of data in a full-sized segment.
    pub snd_mss: u32,
    /// The window that the peer offers, octets.
    pub snd_wnd: u32,
    /// The window that is offered to the peer, octets.
    pub rcv_wnd: u32,
    /// The path MTU, octets.
    pub pmtu: u16,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Of those, segments that the peer reported with SACK.
    pub sacked: u32,
    /// Of those, segments believed lost, sent again or not.
    pub lost: u32,
    /// Of those, segments sent again and still under way.
    pub retrans: u32,
    /// Segments that must have been delivered after another before it counts as lost.
    pub reordering: u32,
    /// Octets written and never sent.
    pub notsent_bytes: u32,
    /// Octets written and not acknowledged, sent or not (SIOCOUTQ).
    pub outq: u32,
    /// Octets received in order and not read (SIOCINQ).
    pub inq: u32,
    /// Segments and octets since the connection was created.
    pub totals: Totals,
    /// How long data was in the send buffer or in flight.
    pub busy_time: Duration,
    /// Of that, how long the peer's window was what limited it.
    pub rwnd_limited: Duration,
    /// Of that, how long the send buffer was what limited it: everything in it was in flight, and the application waited.
    pub sndbuf_limited: Duration,
}

/// Whether a loss is being repaired (Linux `tcp_ca_state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecoveryPhase {
    /// Nothing is missing.
    #[default]
    Open,
    /// Something arrived out of order, which may be no loss.
    Disorder,
    /// The peer echoes that a router has marked congestion (RFC 3168).
    Cwr,
    /// A segment was lost, and later ones arrive.
    Recovery,
    /// The retransmission timer fired.
    Loss,
}

impl RecoveryPhase {
    /// Whether the congestion window is being reduced (Linux `tcp_in_cwnd_reduction`).
    pub(crate) fn reduces_window(self) -> bool {
        match self {
            RecoveryPhase::Cwr | RecoveryPhase::Recovery => true,
            RecoveryPhase::Open | RecoveryPhase::Disorder | RecoveryPhase::Loss => false,
        }
    }
}

/// What a connection has sent and received in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Segments sent.
    pub segs_out: u64,
    /// Of those, segments with data.
    pub data_segs_out: u64,
    /// Segments received.
    pub segs_in: u64,
    /// Of those, segments with data.
    pub data_segs_in: u64,
    /// Octets of data sent, each as often as it was sent.
    pub bytes_sent: u64,
    /// Of those, octets sent again.
    pub bytes_retrans: u64,
    /// Sequence numbers that the peer acknowledged: octets, and one each for FIN and the SYN of an active open.
    pub bytes_acked: u64,
    /// Sequence numbers received in order after the SYN: octets, and one for FIN.
    pub bytes_received: u64,
    /// Segments sent again.
    pub total_retrans: u32,
    /// Segments that the peer has received, by acknowledgment or SACK.
    pub delivered: u32,
    /// Duplicates that the peer reported with D-SACK.
    pub dsack_dups: u32,
}
