//! Recoveries and probes in sentences.

use std::time::Duration;

use super::beats::Probes;
use super::fate::fate;
use super::phrases::{self, about, times};
use super::recovery::{Control, Piece, Recovery};
use super::sentences::Sentences;
use crate::timeline::EntryKind;
use crate::words;

impl Sentences<'_> {
    pub(super) fn recovery(&self, recovery: &Recovery) -> String {
        let host = self.host(recovery.host);
        let mut pieces = recovery.pieces.values();
        match (pieces.next(), pieces.next()) {
            (Some(piece), None) => self.one_piece(host, recovery, piece),
            _ => self.many_pieces(host, recovery),
        }
    }

    pub(super) fn one_piece(&self, host: &str, recovery: &Recovery, piece: &Piece) -> String {
        let label = &piece.label;
        let (again, lost) = (piece.sent.len().saturating_sub(1), piece.lost);
        let why = recovery.lost.text();
        let be = if piece.is_plural() { "were" } else { "was" };
        let it = if piece.is_plural() { "They were" } else { "It was" };
        let again_it = if piece.is_plural() { "they were" } else { "it was" };
        let fate = match (again, lost) {
            (_, 0) => format!("{host}'s {label} {}", fate(self.timeline, piece)),
            (0, _) => {
                let because = match self.is_cookie(piece) {
                    true => format!(": it was a SYN cookie, and {host} keeps nothing of the connection"),
                    false => String::new(),
                };
                return format!("{host}'s {label} {be} lost ({why}) and not retransmitted{because}.");
            }
            (again, lost) if again > 1 && lost == again + 1 => {
                format!(
                    "{host}'s {label} {be} lost, and lost each of the {again} times that {again_it} retransmitted ({why})"
                )
            }
            (_, 1) => format!("{host}'s {label} {be} lost ({why})"),
            (_, lost) => format!("{host}'s {label} {be} lost {} ({why})", times(lost)),
        };
        let sent_again = if again > 1 && again == lost.saturating_sub(1) {
            format!("The intervals: {}", self.waits(piece))
        } else if again == 1 {
            format!("{it} retransmitted after {}", self.waits(piece))
        } else {
            format!("{it} retransmitted {} ({})", times(again), self.waits(piece))
        };
        let probe = match recovery.again.probes {
            0 => "",
            _ if again == 1 => ", as a tail loss probe",
            _ => "; the first of them a tail loss probe",
        };
        let end = match recovery.acknowledged {
            Some(entry) => {
                let first = recovery.first().map_or(entry, |first| first);
                let after =
                    self.timeline.entries[entry].time.saturating_sub(self.timeline.entries[first].time);
                format!("{it} acknowledged {} after {again_it} first sent.", about(after))
            }
            None => format!("{it} never acknowledged."),
        };
        format!("{fate}. {sent_again}{probe}. {end}")
    }

    /// Whether a piece is a SYN+ACK that a host sent without a state for the connection.
    fn is_cookie(&self, piece: &Piece) -> bool {
        let (Some(sent), Some(Control::SynAck)) = (piece.sent.first(), piece.control()) else { return false };
        let (before, entry) = (&self.timeline.entries[..*sent], &self.timeline.entries[*sent]);
        !before.iter().any(|other| {
            (other.host, other.connection) == (entry.host, entry.connection)
                && matches!(other.kind, EntryKind::Transition { .. })
        })
    }

    /// The intervals between the sendings of a piece.
    pub(super) fn waits(&self, piece: &Piece) -> String {
        let times: Vec<_> = piece.sent.iter().map(|sent| self.timeline.entries[*sent].time).collect();
        let waits: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        phrases::intervals(&waits)
    }

    pub(super) fn many_pieces(&self, host: &str, recovery: &Recovery) -> String {
        let copies = recovery.lost.count();
        let lost = recovery.pieces.values().filter(|piece| piece.lost > 0).count();
        let (segments, octets) = (recovery.pieces.len(), words::count(recovery.octets(), "byte"));
        let what = format!("{} of {host} ({octets})", words::count(segments as u64, "segment"));
        let in_all = if copies > lost { format!(", {copies} copies in all") } else { String::new() };
        let why = recovery.lost.text();
        let fate = match lost {
            0 => format!("{what} arrived, but no acknowledgment came in time"),
            lost if lost == segments => format!("{what} were lost{in_all} ({why})"),
            1 => format!("1 of {what} was lost{in_all} ({why})"),
            lost => format!("{lost} of {what} were lost{in_all} ({why})"),
        };
        let again = recovery.again;
        let how: Vec<String> = [
            (again.by_timer, "because the retransmission timer fired"),
            (again.fast, "at once because later data was acknowledged"),
            (again.too_large, "because a router reported a smaller MTU"),
            (again.probes, if again.probes == 1 { "as a tail loss probe" } else { "as tail loss probes" }),
            (again.other, "for other reasons"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, how)| format!("{count} {how}"))
        .collect();
        let most = recovery.pieces.values().max_by_key(|piece| piece.sent.len());
        let waits = match most.filter(|piece| piece.sent.len() > 3) {
            Some(piece) => format!(" The intervals of the one sent most often: {}.", self.waits(piece)),
            None => String::new(),
        };
        let end = match recovery.acknowledged {
            Some(entry) => {
                let first = recovery.first().unwrap_or(entry);
                let after =
                    self.timeline.entries[entry].time.saturating_sub(self.timeline.entries[first].time);
                format!("All of it was acknowledged {} after the first was sent.", about(after))
            }
            None => "Not all of it was acknowledged.".to_owned(),
        };
        match again.count() {
            0 => format!("{fate}. {end}"),
            count => format!(
                "{fate}. {} {} retransmitted: {}.{waits} {end}",
                words::count(count as u64, "segment"),
                if count == 1 { "was" } else { "were" },
                phrases::list(&how)
            ),
        }
    }

    pub(super) fn keepalive_probes(&self, probes: &Probes) -> String {
        let host = self.host(probes.host);
        let count = probes.sent.len();
        let times: Vec<_> = probes.sent.iter().map(|sent| self.timeline.entries[*sent].time).collect();
        let waits: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let silence = if probes.silence.is_zero() {
            format!("{host}'s keepalive probed again")
        } else {
            format!(
                "{host} had received nothing for {}, so its keepalive probed whether the peer was there",
                about(probes.silence)
            )
        };
        let number = words::count(count as u64, "probe");
        let spaced = spaced(&waits);
        let answers = match (count, probes.answered) {
            (1, 1) => "it was answered".to_owned(),
            (1, _) if probes.reset && probes.lost.count() > 0 => {
                format!("it was lost ({}), but a RST came", probes.lost.text())
            }
            (_, _) if probes.reset => "the answer was a RST".to_owned(),
            (count, answered) if answered >= count => "each was answered".to_owned(),
            (1, 0) => match probes.lost.count() {
                0 => "it got no answer".to_owned(),
                _ => format!("it was lost ({})", probes.lost.text()),
            },
            (count, 0) => match probes.lost.count() {
                0 => "none was answered".to_owned(),
                lost if lost == count => format!("all were lost ({})", probes.lost.text()),
                lost => format!("none was answered, and {} lost ({})", was(lost), probes.lost.text()),
            },
            (_, answered) => match probes.lost.count() {
                0 => format!("{} answered, the last was not", was(answered)),
                _ => format!("{} answered, the last was lost ({})", was(answered), probes.lost.text()),
            },
        };
        format!("{silence}: {number}{spaced}; {answers}.")
    }

    pub(super) fn window_probes(&self, probes: &Probes) -> String {
        let host = self.host(probes.host);
        let times: Vec<_> = probes.sent.iter().map(|sent| self.timeline.entries[*sent].time).collect();
        let waits: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        let spaced = spaced(&waits);
        let (count, lost) = (probes.sent.len(), probes.lost.count());
        let fate = match lost {
            0 => String::new(),
            lost if lost == count => format!("; all were lost ({})", probes.lost.text()),
            lost => format!("; {} lost ({})", was(lost), probes.lost.text()),
        };
        format!(
            "{host} had data to send but a closed window, so its persist timer sent window probes: {}{spaced}{fate}.",
            words::count(count as u64, "probe"),
        )
    }
}

/// How far apart probes were, after their number.
fn spaced(waits: &[Duration]) -> String {
    match waits {
        [] => String::new(),
        [one] => format!(", {} apart", about(*one)),
        many => {
            let intervals = phrases::intervals(many);
            let at = if intervals.starts_with(|first: char| first.is_ascii_digit()) {
                "at intervals of "
            } else {
                ""
            };
            format!(", {at}{intervals}")
        }
    }
}

/// `1 was`, `2 were`.
fn was(count: usize) -> String {
    format!("{count} {}", if count == 1 { "was" } else { "were" })
}
