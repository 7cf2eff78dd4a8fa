//! What a connection does about ICMP (RFC 9293 §3.9.2.2, RFC 5927).

use super::{Connection, Context};
use crate::icmp::{Reason, Unreachable};
use crate::{Cause, Disposition, DropReason, Errno, IcmpErrors, Report, State, Timer};

/// What every link takes that carries IPv6 (RFC 8200 §5).
const LEAST_MTU_V6: u16 = 1280;

impl Connection {
    /// A router could not deliver a segment of ours.
    pub(crate) fn unreachable(&mut self, cx: &mut Context<'_>, told: &Unreachable) -> Disposition {
        // RFC 5927 §4.1: it must be about something in flight.
        let in_flight = told.seq.at_or_after(self.snd.una) && told.seq.before(self.snd.nxt);
        if !in_flight {
            return Disposition::Dropped(DropReason::OutOfWindow);
        }
        let errno = match told.reason {
            Reason::TooLarge { mtu } if told.remote.is_ipv6() && mtu < LEAST_MTU_V6 => {
                return Disposition::Dropped(DropReason::ImpossibleMtu);
            }
            Reason::TooLarge { mtu } => {
                self.shrink(cx, mtu);
                return Disposition::Accepted;
            }
            Reason::Refused => Errno::ConnectionRefused,
            Reason::NoWay(errno) | Reason::Discarded(errno) => errno,
        };
        let ends = match cx.settings.icmp {
            IcmpErrors::InHandshake => self.state == State::SynSent,
            IcmpErrors::Hard => told.reason == Reason::Refused,
        };
        if !ends {
            self.soft_error(cx, errno);
            if told.reason == Reason::NoWay(errno) {
                self.revert_backoff(cx, told);
            }
        } else if self.state == State::SynReceived && self.parent.is_some() {
            self.transition(cx, State::Closed, Cause::Unreachable(errno));
        } else {
            self.fail(cx, errno, Cause::Unreachable(errno));
        }
        Disposition::Accepted
    }

    /// The application may know, and learns it at the latest when the connection is given up.
    fn soft_error(&mut self, cx: &mut Context<'_>, errno: Errno) {
        self.application.soft_error = Some(errno);
        self.report(cx, Report::Unreachable(errno));
    }

    /// The network says that it lost the segment, which is no sign of congestion: one doubling of the timeout is
    /// taken back (RFC 6069).
    fn revert_backoff(&mut self, cx: &mut Context<'_>, told: &Unreachable) {
        let first =
            told.seq == self.snd.una && self.retransmissions.timeouts > 0 && self.rtt.revert_backoff();
        let Some(sent) = self.snd.sent.first().filter(|_| first).map(|sent| sent.last_sent) else { return };
        let left = self.rtt.expiry(sent) - cx.now;
        self.timers.set(cx, Timer::Retransmission, left);
    }

    /// The path takes less than was thought (RFC 1191, RFC 8201): what is larger is sent again in smaller segments.
    fn shrink(&mut self, cx: &mut Context<'_>, mtu: u16) {
        // A router that says nothing says 0.
        self.mtu = self.mtu.min(mtu.max(cx.settings.min_path_mtu));
        let mss = self.payload_for_mtu();
        if mss < self.snd.mss {
            self.snd.mss = mss;
            self.snd.sent.cut_longer_than(mss);
            self.set_retransmission_timer(cx);
        }
    }
}
