//! Matching segments.

use halfopen_tcp::{Flags, State};

use super::{ConnectionRef, HostId};

/// Which segments match: those that meet every condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Sent by this host.
    pub from: Option<HostId>,
    /// On its way to this host.
    pub to: Option<HostId>,
    /// With these control bits.
    pub flags: Option<FlagsMatch>,
    /// Of one of these connections, which can be recognized once their `connect` or `accept` has begun; of any, if the list
    /// is empty.
    pub connections: Vec<ConnectionRef>,
    /// With this much data.
    pub payload: Option<PayloadMatch>,
    /// Whose IP datagram has this size.
    pub size: Option<SizeMatch>,
    /// With this sequence number, relative to the sender's initial one: the SYN has 0.
    pub sequence: Option<u32>,
    /// With this acknowledgment number, relative to the receiver's initial sequence number: that of its SYN is 1.
    pub acknowledgment: Option<u32>,
    /// Sent while this host, at either end, has the connection in this state. A connection has no state before its first
    /// transition or while it is embryonic.
    pub state: Option<(HostId, State)>,
    /// With this window, as the peer interprets it.
    pub window: Option<SizeMatch>,
    /// With this MSS option, in octets; `Some(None)`: without one.
    pub mss: Option<Option<u16>>,
    /// With this window scale option: its shift count; `Some(None)`: without one.
    pub window_scale: Option<Option<u8>>,
    /// Whether it has the option SACK permitted.
    pub sack_permitted: Option<bool>,
    /// Whether it has SACK blocks.
    pub sack: Option<bool>,
    /// Whether it has timestamps.
    pub timestamps: Option<bool>,
    /// Whether any of it was sent before, for whatever reason.
    pub retransmission: Option<bool>,
    /// Whether it is a keepalive probe.
    pub keepalive_probe: Option<bool>,
    /// Whether it is a zero-window probe.
    pub window_probe: Option<bool>,
}

impl Match {
    /// Whether a segment matches. `is_of` says whether it belongs to a connection.
    pub fn matches(&self, segment: &SegmentFacts, is_of: impl Fn(ConnectionRef) -> bool) -> bool {
        self.from.is_none_or(|from| segment.from == Some(from))
            && self.to.is_none_or(|to| segment.to == Some(to))
            && self.flags.is_none_or(|flags| flags.matches(segment.flags))
            && self.payload.is_none_or(|payload| payload.matches(segment.octets))
            && self.size.is_none_or(|size| size.matches(segment.size))
            && self.sequence.is_none_or(|sequence| segment.sequence == sequence)
            && self.acknowledgment.is_none_or(|number| segment.acknowledgment == Some(number))
            && self.state.is_none_or(|(host, state)| segment.is_in(host, state))
            && self.window.is_none_or(|window| window.matches(segment.window))
            && self.mss.is_none_or(|mss| segment.mss == mss)
            && self.window_scale.is_none_or(|shift| segment.window_scale == shift)
            && self.sack_permitted.is_none_or(|permitted| segment.sack_permitted == permitted)
            && self.sack.is_none_or(|sack| segment.sack == sack)
            && self.timestamps.is_none_or(|timestamps| segment.timestamps == timestamps)
            && self.retransmission.is_none_or(|retransmission| segment.retransmission == retransmission)
            && self.keepalive_probe.is_none_or(|probe| segment.keepalive_probe == probe)
            && self.window_probe.is_none_or(|probe| segment.window_probe == probe)
            && (self.connections.is_empty() || self.connections.iter().copied().any(is_of))
    }
}

/// What is known of a segment that a [`Match`] may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SegmentFacts {
    /// The sender.
    pub from: Option<HostId>,
    /// The host that has the destination address.
    pub to: Option<HostId>,
    /// Its control bits.
    pub flags: Flags,
    /// How many octets of data it has.
    pub octets: u64,
    /// The size of its IP datagram, in octets.
    pub size: u64,
    /// Its relative sequence number.
    pub sequence: u32,
    /// Its relative acknowledgment number; `None` without the ACK bit.
    pub acknowledgment: Option<u32>,
    /// Its window as the peer interprets it, in octets.
    pub window: u64,
    /// The value of its MSS option, in octets, if it has one.
    pub mss: Option<u16>,
    /// The shift count of its window scale option, if it has one.
    pub window_scale: Option<u8>,
    /// Whether it has the option SACK permitted.
    pub sack_permitted: bool,
    /// Whether it has SACK blocks.
    pub sack: bool,
    /// Whether it has timestamps.
    pub timestamps: bool,
    /// The state of its connection at the sender, if it has one.
    pub from_state: Option<State>,
    /// The same at the receiver.
    pub to_state: Option<State>,
    /// Whether any of its sequence space was sent before.
    pub retransmission: bool,
    /// Whether it is a keepalive probe.
    pub keepalive_probe: bool,
    /// Whether it is a zero-window probe.
    pub window_probe: bool,
}

impl SegmentFacts {
    fn is_in(&self, host: HostId, state: State) -> bool {
        let at = |end, at| end == Some(host) && at == Some(state);
        at(self.from, self.from_state) || at(self.to, self.to_state)
    }
}

/// Which control bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagsMatch {
    /// At least these: `FIN` matches FIN+ACK too.
    AtLeast(Flags),
    /// Exactly these, ignoring PSH: `only ACK`.
    Only(Flags),
}

impl FlagsMatch {
    /// Whether these control bits match.
    pub fn matches(self, flags: Flags) -> bool {
        match self {
            FlagsMatch::AtLeast(wanted) => flags.contains(wanted),
            FlagsMatch::Only(wanted) => flags.without(Flags::PSH) == wanted.without(Flags::PSH),
        }
    }
}

/// How much data a segment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadMatch {
    /// None.
    None,
    /// Some.
    Any,
    /// An amount.
    Octets(SizeMatch),
}

/// A condition on a size, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeMatch {
    /// Exactly this size.
    Exactly(u64),
    /// Larger than this.
    Larger(u64),
    /// Smaller than this.
    Smaller(u64),
}

impl SizeMatch {
    /// Whether a size matches.
    pub const fn matches(self, octets: u64) -> bool {
        match self {
            SizeMatch::Exactly(wanted) => octets == wanted,
            SizeMatch::Larger(than) => octets > than,
            SizeMatch::Smaller(than) => octets < than,
        }
    }
}

impl PayloadMatch {
    /// Whether this much data matches, in octets.
    pub fn matches(self, octets: u64) -> bool {
        match self {
            PayloadMatch::None => octets == 0,
            PayloadMatch::Any => octets > 0,
            PayloadMatch::Octets(size) => size.matches(octets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Slot;

    fn means(matching: &Match, segment: &SegmentFacts) -> bool {
        matching.matches(segment, |_| false)
    }

    /// A FIN of the first host.
    fn fin() -> SegmentFacts {
        SegmentFacts {
            from: Some(HostId(0)),
            to: Some(HostId(1)),
            flags: Flags::FIN | Flags::ACK,
            octets: 0,
            size: 40,
            sequence: 1025,
            acknowledgment: Some(1),
            window: 64_240,
            mss: None,
            window_scale: None,
            sack_permitted: false,
            sack: false,
            timestamps: false,
            from_state: Some(State::FinWait1),
            to_state: Some(State::Established),
            retransmission: false,
            keepalive_probe: false,
            window_probe: false,
        }
    }

    #[test]
    fn a_match_means_segments_for_which_everything_holds() {
        let fin = fin();
        let of = |flags| Match { flags: Some(flags), ..Match::default() };
        assert!(means(&Match::default(), &fin));
        assert!(means(&of(FlagsMatch::AtLeast(Flags::FIN)), &fin));
        assert!(!means(&of(FlagsMatch::Only(Flags::FIN)), &fin));
        assert!(means(&of(FlagsMatch::Only(Flags::FIN | Flags::ACK)), &fin));
        assert!(!means(&Match { from: Some(HostId(1)), ..Match::default() }, &fin));
        assert!(!means(&Match { payload: Some(PayloadMatch::Any), ..Match::default() }, &fin));
        assert!(!means(&Match { retransmission: Some(true), ..Match::default() }, &fin));
        assert!(!means(&Match { window_probe: Some(true), ..Match::default() }, &fin));
    }

    #[test]
    fn numbers_are_exact_and_a_state_is_that_of_its_host() {
        let plain = SegmentFacts { flags: Flags::ACK, ..fin() };
        let sequence = |sequence| Match { sequence: Some(sequence), ..Match::default() };
        assert!(means(&sequence(1025), &plain) && !means(&sequence(1024), &plain));
        let acknowledgment = |number| Match { acknowledgment: Some(number), ..Match::default() };
        assert!(means(&acknowledgment(1), &plain) && !means(&acknowledgment(2), &plain));
        let no_ack = SegmentFacts { acknowledgment: None, ..plain };
        assert!(!means(&acknowledgment(0), &no_ack), "without the bit there is no number");
        let state = |host, state| Match { state: Some((HostId(host), state)), ..Match::default() };
        assert!(means(&state(0, State::FinWait1), &plain) && means(&state(1, State::Established), &plain));
        assert!(!means(&state(1, State::FinWait1), &plain) && !means(&state(2, State::FinWait1), &plain));
        let size = |size| Match { size: Some(size), ..Match::default() };
        assert!(
            means(&size(SizeMatch::Exactly(40)), &plain) && !means(&size(SizeMatch::Exactly(41)), &plain)
        );
        assert!(means(&size(SizeMatch::Larger(39)), &plain) && !means(&size(SizeMatch::Larger(40)), &plain));
        assert!(
            means(&size(SizeMatch::Smaller(41)), &plain) && !means(&size(SizeMatch::Smaller(40)), &plain)
        );
        let [mine, theirs] = [0, 1].map(|program| ConnectionRef { program, connection: Slot(0), nth: None });
        let named = Match { connections: vec![mine, theirs], ..Match::default() };
        assert!(
            named.matches(&plain, |asked| asked == mine) && named.matches(&plain, |asked| asked == theirs)
        );
        assert!(!means(&named, &plain));
        let new = SegmentFacts { to_state: None, ..plain };
        assert!(!means(&state(1, State::Established), &new));
    }

    #[test]
    fn an_option_has_its_value_or_is_not_there() {
        let syn = SegmentFacts { flags: Flags::SYN, mss: Some(1460), window_scale: Some(7), ..fin() };
        let cases = [
            (Match { window: Some(SizeMatch::Exactly(64_240)), ..Match::default() }, true),
            (Match { window: Some(SizeMatch::Smaller(64_240)), ..Match::default() }, false),
            (Match { mss: Some(Some(1460)), ..Match::default() }, true),
            (Match { mss: Some(Some(536)), ..Match::default() }, false),
            (Match { mss: Some(None), ..Match::default() }, false),
            (Match { window_scale: Some(Some(7)), ..Match::default() }, true),
            (Match { window_scale: Some(None), ..Match::default() }, false),
            (Match { sack_permitted: Some(false), ..Match::default() }, true),
            (Match { sack_permitted: Some(true), ..Match::default() }, false),
            (Match { sack: Some(false), ..Match::default() }, true),
            (Match { sack: Some(true), ..Match::default() }, false),
            (Match { timestamps: Some(false), ..Match::default() }, true),
            (Match { timestamps: Some(true), ..Match::default() }, false),
        ];
        for (matching, expected) in cases {
            assert_eq!(means(&matching, &syn), expected, "{matching:?}");
        }
    }
}
