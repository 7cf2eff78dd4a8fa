//! SYN cookies: what a listener must remember of a request travels in the numbers of its SYN+ACK, so that a flood of
//! SYNs takes no memory (RFC 4987 §3.6; Linux `cookie_v4_init_sequence`, `cookie_init_timestamp`).

use std::net::SocketAddr;
use std::time::Duration;

use crate::hash::keyed_hash;
use crate::{Flags, Header, Instant, Options, Seq, Timestamps};

/// How long a cookie is accepted (Linux `TCP_SYNCOOKIE_VALID`).
pub(crate) const LIFETIME: Duration = Duration::from_secs(120);
/// The MSS that a cookie can tell: the largest that is not above the peer's (Linux `msstab`).
const MSS: [u16; 4] = [536, 1300, 1440, 1460];
/// Bits of a sequence number that have the place in that table.
const MSS_BITS: u32 = 2;
/// Bits of a timestamp that have the peer's options: four for the window scale, one for SACK, and one for ECN.
const OPTION_BITS: u32 = 6;
const SACK: u32 = 1 << 4;
const ECN: u32 = 1 << 5;
const NO_WINDOW_SCALE: u32 = 0xf;

/// What a cookie is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SynCookie {
    pub(crate) secret: u64,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// The sequence number of the peer's SYN.
    pub(crate) irs: Seq,
}

impl SynCookie {
    /// The initial sequence number that answers a SYN with this MSS option.
    pub(crate) fn iss(self, now: Instant, mss: Option<u16>) -> Seq {
        let mss = mss.unwrap_or(MSS[0]);
        let index = MSS.iter().rposition(|known| *known <= mss).unwrap_or(0);
        self.signed(minute(now), index as u32)
    }

    /// The MSS of the peer, if `iss` is the cookie of its SYN, and no older than two minutes.
    pub(crate) fn mss(self, now: Instant, iss: Seq) -> Option<u16> {
        let index = iss.0 & ((1 << MSS_BITS) - 1);
        let minute = minute(now);
        let known = [Some(minute), minute.checked_sub(1)];
        known
            .into_iter()
            .flatten()
            .any(|minute| self.signed(minute, index) == iss)
            .then(|| MSS[index as usize])
    }

    fn signed(self, minute: u64, index: u32) -> Seq {
        let mut signed = [0; 12];
        signed[..4].copy_from_slice(&self.irs.0.to_be_bytes());
        signed[4..].copy_from_slice(&(minute << MSS_BITS | u64::from(index)).to_be_bytes());
        let hash = keyed_hash(self.secret, [self.local, self.remote], &signed) as u32;
        Seq(hash >> MSS_BITS << MSS_BITS | index)
    }
}

fn minute(now: Instant) -> u64 {
    now.as_duration().as_secs() / 60
}

/// What a cookie can keep of a SYN: without timestamps only the MSS.
pub(crate) fn kept(syn: &Header, timestamps: bool) -> Header {
    let mut kept = syn.clone();
    if !timestamps || syn.options.timestamps.is_none() {
        kept.flags = kept.flags.without(Flags::ECN);
        kept.options = Options { mss: syn.options.mss, ..Options::default() };
    }
    kept
}

/// The clock, no later than `clock`, with what a SYN offers in its low bits.
pub(crate) fn stamp(clock: u32, syn: &Header) -> u32 {
    let options = &syn.options;
    let scale = options.window_scale.map_or(NO_WINDOW_SCALE, |shift| u32::from(shift.min(14)));
    let ecn = if syn.flags.contains(Flags::ECN) { ECN } else { 0 };
    let bits = scale | if options.sack_permitted { SACK } else { 0 } | ecn;
    let stamped = clock >> OPTION_BITS << OPTION_BITS | bits;
    if stamped > clock { stamped.wrapping_sub(1 << OPTION_BITS) } else { stamped }
}

/// The SYN that an acknowledgment of a cookie answers; `clock` is what its timestamp echoes, if it has one.
pub(crate) fn syn(ack: &Header, mss: u16, clock: Option<u32>) -> Header {
    let mut options = Options { mss: Some(mss), ..Options::default() };
    let mut flags = Flags::SYN;
    if let (Some(clock), Some(Timestamps { value, .. })) = (clock, ack.options.timestamps) {
        let scale = clock & NO_WINDOW_SCALE;
        options.window_scale = (scale != NO_WINDOW_SCALE).then_some(scale as u8);
        options.sack_permitted = clock & SACK != 0;
        options.timestamps = Some(Timestamps { value, echo: 0 });
        if clock & ECN != 0 {
            flags |= Flags::ECN;
        }
    }
    Header { seq: ack.seq - 1, flags, window: ack.window, options, ..Header::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_its_own_for_two_minutes() {
        let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
        let cookie = SynCookie {
            secret: 1,
            local: "10.0.0.1:80".parse().unwrap(),
            remote: "10.0.0.2:4000".parse().unwrap(),
            irs: Seq(7),
        };
        for (given, kept) in [(None, 536), (Some(100), 536), (Some(1459), 1440), (Some(1460), 1460)] {
            let iss = cookie.iss(at(59), given);
            assert_eq!(cookie.mss(at(119), iss), Some(kept));
            assert_eq!(cookie.mss(at(120), iss), None, "too old");
            assert_eq!(SynCookie { irs: Seq(8), ..cookie }.mss(at(59), iss), None, "another SYN");
            assert_eq!(SynCookie { secret: 2, ..cookie }.mss(at(59), iss), None, "another host");
            assert_eq!(cookie.mss(at(59), iss + 4), None, "guessed");
        }
    }

    #[test]
    fn a_timestamp_keeps_options_and_is_never_early() {
        for clock in [0, 63, 64, 1_000_000, u32::MAX] {
            for (window_scale, sack_permitted) in [(None, false), (Some(0), true), (Some(14), false)] {
                let options = Options { window_scale, sack_permitted, ..Options::default() };
                let flags = if sack_permitted { Flags::SYN | Flags::ECN } else { Flags::SYN };
                let stamp = stamp(clock, &Header { flags, options, ..Header::default() });
                assert!(clock.wrapping_sub(stamp) < 64, "{clock} {stamp}");
                let timestamps = Some(Timestamps { value: 9, echo: 0 });
                let ack =
                    Header { options: Options { timestamps, ..Options::default() }, ..Header::default() };
                let back = syn(&ack, 1460, Some(stamp));
                assert_eq!(back.flags, flags);
                let back = back.options;
                assert_eq!((back.window_scale, back.sack_permitted), (window_scale, sack_permitted));
            }
        }
    }
}
