//! Recoveries and probes in sentences.

use std::time::Duration;

use super::beats::Probes;
use super::fate::fate;
use super::phrases::{self, Reasons, about, times};
use super::recovery::{Piece, Recovery};
use super::sentences::Sentences;
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
            (0, _) => return format!("{host}'s {label} {be} lost ({why}) and not retransmitted."),
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

    /// The intervals between the sendings of a piece.
    pub(super) fn waits(&self, piece: &Piece) -> String {
        let times: Vec<_> = piece.sent.iter().map(|sent| self.timeline.entries[*sent].time).collect();
        let waits: Vec<_> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        phrases::intervals(&waits)
    }

    pub(super) fn many_pieces(&self, host: &str, recovery: &Recovery) -> String {
        let lost: usize = recovery.lost.count();
        let (segments, octets) = (recovery.pieces.len() as u64, recovery.octets());
        let what =
            format!("{} of {host} ({})", words::count(segments, "segment"), words::count(octets, "byte"));
        let fate = match lost {
            0 => format!("{what} arrived, but no acknowledgment came in time"),
            lost if lost == recovery.pieces.len() => format!("{what} were lost ({})", recovery.lost.text()),
            lost => {
                format!("{what} had losses: {lost} copies were lost ({})", recovery.lost.text())
            }
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
                "{fate}. {} retransmitted: {}.{waits} {end}",
                words::count(count as u64, "segment"),
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
            (1, 0) => format!("it got no answer{}", because(&probes.lost)),
            (_, 0) => format!("none was answered{}", because(&probes.lost)),
            (_, answered) => format!("{answered} were answered, the last was not{}", because(&probes.lost)),
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
            lost => format!("; {lost} were lost ({})", probes.lost.text()),
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
        many => format!(", {}", phrases::intervals(many)),
    }
}

fn because(lost: &Reasons) -> String {
    match lost.count() {
        0 => String::new(),
        _ => format!(": lost ({})", lost.text()),
    }
}
