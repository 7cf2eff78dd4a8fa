//! Which segments are meant.

use halfopen_tcp::Flags;

use super::HostId;

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
}
