//! Reads keepalive and window probes into beats: each kind of one host is one beat.

use std::time::Duration;

use halfopen_proto::v1::{KeepaliveVerdict, TcpPurpose};

use super::beats::{Beat, Probes, What};
use super::reader::{NEAR, Reader};
use crate::timeline::{EntryIndex, HostIndex, Segment};

impl Reader<'_> {
    pub(super) fn probe(&mut self, index: EntryIndex, host: HostIndex, segment: &Segment) {
        let of_window = segment.purpose == TcpPurpose::WindowProbe;
        let silence = match self.silence.remove(&host) {
            Some((at, silence)) if self.same_moment(at, index) => silence,
            _ => Duration::ZERO,
        };
        let mut probes = Probes { host, of_window, silence, latest: silence, ..Probes::default() };
        let timeline = self.timeline;
        if let Some(beat) = self.probes(host, of_window, NEAR) {
            let What::Probes(known) = &mut beat.what else { return };
            if known.answered == 0 || known.answered == known.sent.len() || of_window {
                beat.until = index;
                known.add(index, segment, timeline);
                known.latest = silence;
                return;
            }
            // Those that were answered and those that are not any more are two beats.
            probes.silence = known.latest;
            known.split(&mut probes, timeline);
            beat.until = known.sent.last().copied().unwrap_or(beat.until);
        }
        probes.add(index, segment, timeline);
        let from = probes.sent[0];
        self.beats.push(Beat { from, until: index, count: 1, what: What::Probes(probes) });
    }

    /// The last beat with probes of a host, among the last few beats.
    fn probes(&mut self, host: HostIndex, of_window: bool, near: usize) -> Option<&mut Beat> {
        let wanted = |what: &What| matches!(what, What::Probes(probes) if probes.host == host && probes.of_window == of_window);
        self.beats.iter_mut().rev().take(near).find(|beat| wanted(&beat.what))
    }

    pub(super) fn keepalive(
        &mut self,
        index: EntryIndex,
        host: HostIndex,
        verdict: KeepaliveVerdict,
        silence: Duration,
    ) {
        match verdict {
            KeepaliveVerdict::Probing => {
                self.silence.insert(host, (index, silence));
            }
            KeepaliveVerdict::Alive => {
                if let Some(beat) = self.probes(host, false, usize::MAX)
                    && let What::Probes(probes) = &mut beat.what
                {
                    probes.answered = probes.sent.len();
                    beat.until = index;
                }
            }
            KeepaliveVerdict::Reset => {
                if let Some(Beat { what: What::Probes(probes), .. }) = self.probes(host, false, usize::MAX) {
                    probes.reset = true;
                }
            }
            KeepaliveVerdict::Unspecified | KeepaliveVerdict::Dead => {}
        }
    }
}
