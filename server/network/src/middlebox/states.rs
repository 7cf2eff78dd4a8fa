//! The state of a connection in a middlebox, and how segments change it: the table of Linux's nf_conntrack.

use halfopen_scenario::TrackedState as State;
use halfopen_tcp::Flags;

/// The kind of a segment by its control bits: the first that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rst,
    SynAck,
    Syn,
    Fin,
    Ack,
    /// None of these; no TCP sends such a segment.
    Bare,
}

impl Kind {
    pub(super) fn of(flags: Flags) -> Kind {
        let has = |flag| flags.contains(flag);
        match () {
            () if has(Flags::RST) => Kind::Rst,
            () if has(Flags::SYN | Flags::ACK) => Kind::SynAck,
            () if has(Flags::SYN) => Kind::Syn,
            () if has(Flags::FIN) => Kind::Fin,
            () if has(Flags::ACK) => Kind::Ack,
            () => Kind::Bare,
        }
    }
}

/// What follows from a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The connection is in this state now.
    To(State),
    /// A new connection begins.
    Anew,
    /// The segment passes and changes nothing, not even the timer: the ends may know better.
    Ignored,
    /// The segment is invalid in this state.
    Invalid,
}

/// The sender of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The end that sent the first segment that the middlebox saw.
    Opener {
        /// Whether the other end has sent anything yet.
        heard: bool,
    },
    /// The other end.
    Peer,
}

/// The step from a state.
pub(super) fn step(state: State, sender: Sender, kind: Kind) -> Step {
    use State::{CloseWait, Closed, Established, FinWait, LastAck, SynReceived, SynSent, TimeWait};
    match (kind, state) {
        (Kind::Bare, _) => Step::Invalid,
        (Kind::Rst, _) => Step::To(Closed),

        (Kind::Syn, TimeWait | Closed) => Step::Anew,
        // From the peer it is a simultaneous open.
        (Kind::Syn, SynSent) => Step::To(SynSent),
        (Kind::Syn, SynReceived | Established | FinWait | CloseWait | LastAck) => Step::Ignored,

        (Kind::SynAck, SynSent) if sender == (Sender::Opener { heard: false }) => Step::Invalid,
        (Kind::SynAck, SynSent) => Step::To(SynReceived),
        (Kind::SynAck, SynReceived | Established | FinWait | CloseWait | LastAck | TimeWait | Closed) => {
            Step::Ignored
        }

        (Kind::Fin, SynSent) => Step::Invalid,
        (Kind::Fin, SynReceived | Established) => Step::To(FinWait),
        // Nothing checks whose FIN it is: a retransmission counts as the peer's.
        (Kind::Fin, FinWait | CloseWait | LastAck) => Step::To(LastAck),

        (Kind::Ack, SynSent) if sender != Sender::Peer => Step::Invalid,
        // It may show the opener that the connection is half-open.
        (Kind::Ack, SynSent) => Step::Ignored,
        (Kind::Ack, SynReceived) if sender != Sender::Peer => Step::To(Established),
        (Kind::Ack, SynReceived) => Step::To(SynReceived),
        (Kind::Ack, Established) => Step::To(Established),
        (Kind::Ack, FinWait | CloseWait) => Step::To(CloseWait),
        (Kind::Ack, LastAck | TimeWait) => Step::To(TimeWait),
        (Kind::Fin, TimeWait) => Step::To(TimeWait),
        (Kind::Fin | Kind::Ack, Closed) => Step::To(Closed),
    }
}
