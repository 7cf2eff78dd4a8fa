//! What was lost on the way, or believed to be, and was sent again until it was acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::{TcpDropReason, TcpFlags, TcpPurpose, UnreachableCode};

use super::phrases::{self, Reasons};
use crate::timeline::{EntryIndex, EntryKind, HostIndex, Segment, Timeline};

/// Segments of a host that were lost or sent again, until all of them were acknowledged.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Recovery {
    pub(super) host: HostIndex,
    /// What was lost or sent again, by its sequence number.
    pub(super) pieces: BTreeMap<u32, Piece>,
    /// Why what was lost was lost.
    pub(super) lost: Reasons,
    /// How often it was sent again for which reason.
    pub(super) again: Again,
    /// The sequence number that acknowledges all of it.
    end: u32,
    /// Where all of it was acknowledged.
    pub(super) acknowledged: Option<EntryIndex>,
}

/// A piece of the stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) label: String,
    pub(super) flags: TcpFlags,
    pub(super) octets: u32,
    /// Where it was sent, the first time and again.
    pub(super) sent: Vec<EntryIndex>,
    /// Those of them that arrived nowhere.
    pub(super) lost: usize,
}

impl Piece {
    /// Whether it is data alone, of which there may be several bytes.
    pub(super) const fn is_plural(&self) -> bool {
        self.octets > 1 && !self.flags.syn && !self.flags.fin
    }

    /// What stands for it as an object: `it`, or `them`.
    pub(super) const fn pronoun(&self) -> &'static str {
        if self.is_plural() { "them" } else { "it" }
    }

    /// The control bit for which it takes sequence space, if it does.
    pub(super) const fn control(&self) -> Option<Control> {
        match (self.flags.syn, self.flags.ack, self.flags.fin) {
            (true, false, _) => Some(Control::Syn),
            (true, true, _) => Some(Control::SynAck),
            (false, _, true) => Some(Control::Fin),
            (false, _, false) => None,
        }
    }
}

/// A segment that opens or closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Syn,
    SynAck,
    Fin,
}

impl Control {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Control::Syn => "SYN",
            Control::SynAck => "SYN+ACK",
            Control::Fin => "FIN",
        }
    }
}

/// Why segments were sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Again {
    pub(super) by_timer: usize,
    pub(super) fast: usize,
    pub(super) probes: usize,
    /// Because a router reported the MTU of its next link.
    pub(super) too_large: usize,
    pub(super) other: usize,
}

impl Again {
    fn add(&mut self, purpose: TcpPurpose) {
        *match purpose {
            TcpPurpose::Retransmission => &mut self.by_timer,
            TcpPurpose::FastRetransmission => &mut self.fast,
            TcpPurpose::TailLossProbe => &mut self.probes,
            _ => &mut self.other,
        } += 1;
    }

    pub(super) const fn count(self) -> usize {
        self.by_timer + self.fast + self.probes + self.too_large + self.other
    }
}

impl Recovery {
    /// Where the first of it was sent first.
    pub(super) fn first(&self) -> Option<EntryIndex> {
        self.pieces.values().filter_map(|piece| piece.sent.first().copied()).min()
    }

    /// Octets of data in it, each counted once, however they were divided into segments.
    pub(super) fn octets(&self) -> u64 {
        let mut reached = 0;
        let mut octets = 0;
        for (seq, piece) in &self.pieces {
            let (from, until) = (u64::from(*seq), u64::from(*seq) + u64::from(piece.octets));
            octets += until.saturating_sub(from.max(reached));
            reached = reached.max(until);
        }
        octets
    }

    /// Where the last of it was sent last.
    pub(super) fn last(&self) -> Option<EntryIndex> {
        self.pieces.values().filter_map(|piece| piece.sent.last().copied()).max()
    }

    fn note(&mut self, timeline: &Timeline, index: EntryIndex, segment: &Segment) {
        let end = segment.seq.wrapping_add(phrases::space(segment));
        if self.pieces.is_empty() || (end.wrapping_sub(self.end) as i32) > 0 {
            self.end = end;
        }
        let piece = self.pieces.entry(segment.seq).or_insert_with(|| Piece {
            label: phrases::label(segment),
            flags: segment.flags,
            octets: segment.length,
            sent: Vec::new(),
            lost: 0,
        });
        piece.octets = piece.octets.max(segment.length);
        piece.sent.push(index);
        if is_lost(segment) {
            piece.lost += 1;
            self.lost.add(timeline, segment);
        }
    }
}

/// How soon after a recovery of data a loss belongs to it: one disturbance, described once.
const SOON: Duration = Duration::from_secs(2);

/// The recoveries of a connection.
#[derive(Debug, Default)]
pub(super) struct Recoveries {
    /// All of them, in the order of their beginnings.
    pub(super) all: Vec<Recovery>,
    /// The one of each host that goes on, or was the last.
    current: BTreeMap<HostIndex, usize>,
    /// Where each sequence number was sent first.
    first: BTreeMap<(HostIndex, u32), EntryIndex>,
}

impl Recoveries {
    /// A host sent sequence space. Returns the number of the recovery that this belongs to, if any.
    pub(super) fn sent(&mut self, timeline: &Timeline, index: EntryIndex, host: HostIndex) -> Option<usize> {
        let segment = timeline.segment(index)?;
        let first = *self.first.entry((host, segment.seq)).or_insert(index);
        // In a simultaneous open the SYN goes again in the answer to the peer's.
        let answers = segment.flags.syn
            && segment.flags.ack
            && timeline.segment(first).is_some_and(|first| first.flags.syn && !first.flags.ack);
        let again = match segment.purpose {
            TcpPurpose::Retransmission | TcpPurpose::FastRetransmission | TcpPurpose::TailLossProbe => true,
            _ => first != index && !answers,
        };
        if !is_lost(segment) && !again {
            return None;
        }
        let number = match self.current.get(&host) {
            Some(number) if self.goes_on(timeline, *number, index) => *number,
            _ => {
                self.all.push(Recovery { host, ..Recovery::default() });
                self.all.len() - 1
            }
        };
        self.current.insert(host, number);
        let recovery = &mut self.all[number];
        recovery.acknowledged = None;
        if again && first != index && !recovery.pieces.contains_key(&segment.seq) {
            // It had arrived, as far as anybody knew then.
            if let Some(segment) = timeline.segment(first) {
                recovery.note(timeline, first, segment);
            }
        }
        recovery.note(timeline, index, segment);
        if again && is_too_large(timeline, index) {
            recovery.again.too_large += 1;
        } else if again {
            recovery.again.add(segment.purpose);
        }
        Some(number)
    }

    /// Whether what is sent now still belongs to a recovery.
    fn goes_on(&self, timeline: &Timeline, number: usize, index: EntryIndex) -> bool {
        let recovery = &self.all[number];
        let Some(acknowledged) = recovery.acknowledged else { return true };
        let data = |segment: &Segment| !segment.flags.syn && !segment.flags.fin;
        let since = timeline.entries[index].time.saturating_sub(timeline.entries[acknowledged].time);
        let last = recovery.last().and_then(|last| timeline.segment(last));
        since <= SOON && last.is_some_and(data) && timeline.segment(index).is_some_and(data)
    }

    /// An acknowledgment arrived at the host. Returns the number of the recovery that this ends, if any.
    pub(super) fn acknowledged(&mut self, index: EntryIndex, host: HostIndex, ack: u32) -> Option<usize> {
        let number = *self.current.get(&host)?;
        let recovery = &mut self.all[number];
        // As TCP compares them: they may have wrapped.
        if recovery.acknowledged.is_some() || (ack.wrapping_sub(recovery.end) as i32) < 0 {
            return None;
        }
        recovery.acknowledged = Some(index);
        Some(number)
    }

    /// The host's end is gone, and its recovery with it.
    pub(super) fn ended(&mut self, host: HostIndex) {
        self.current.remove(&host);
    }
}

/// Whether a router reported to the sender, at the moment of sending, that its segments are too large.
fn is_too_large(timeline: &Timeline, sent: EntryIndex) -> bool {
    let entry = &timeline.entries[sent];
    let earlier = timeline.entries[..sent].iter().rev().take_while(|other| other.time == entry.time);
    earlier.filter(|other| other.host == entry.host && other.connection == entry.connection).any(|other| {
        matches!(
            other.kind,
            EntryKind::Unreachable {
                code: UnreachableCode::FragmentationNeeded,
                dropped: TcpDropReason::Unspecified,
                ..
            }
        )
    })
}

/// Whether a segment was lost, and no copy of it arrived.
pub(super) fn is_lost(segment: &Segment) -> bool {
    segment.arrivals.is_empty() && !segment.losses.is_empty()
}
