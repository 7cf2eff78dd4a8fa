//! ICMP errors about segments of a connection (RFC 9293 §3.9.2.2, RFC 5927).

use super::{Connection, Context};
use crate::icmp::{Reason, Unreachable};
use crate::{Cause, Disposition, DropReason, Errno, IcmpErrors, Report, State, Timer};

/// The least MTU of a link that carries IPv6 (RFC 8200 §5).
const MIN_IPV6_MTU: u16 = 1280;

impl Connection {
    /// A segment of ours was not delivered.
    pub(crate) fn unreachable(&mut self, cx: &mut Context<'_>, error: &Unreachable) -> Disposition {
        // RFC 5927 §4.1: the segment must be in flight.
        let in_flight = error.seq.at_or_after(self.snd.una) && error.seq.before(self.snd.nxt);
        if !in_flight {
            return Disposition::Dropped(DropReason::OutOfWindow);
        }
        let v6 = error.remote.is_ipv6();
        let errno = match error.reason {
            Reason::TooLarge { mtu } if v6 && mtu < MIN_IPV6_MTU => {
                return Disposition::Dropped(DropReason::ImpossibleMtu);
            }
            Reason::TooLarge { mtu } => {
                self.reduce_path_mtu(cx, mtu);
                return Disposition::Accepted;
            }
            Reason::Refused => Errno::ConnectionRefused,
            Reason::NoRoute(errno) | Reason::Barred(errno) | Reason::Discarded(errno) => errno,
        };
        let refuses = matches!(error.reason, Reason::Refused | Reason::Barred(_));
        let ends = match cx.settings.icmp {
            IcmpErrors::InHandshake if self.is_embryonic() => refuses == v6,
            IcmpErrors::InHandshake => matches!(self.state, State::SynSent | State::SynReceived),
            IcmpErrors::Hard => error.reason == Reason::Refused,
        };
        if !ends {
            self.soft_error(cx, errno);
            if error.reason == Reason::NoRoute(errno) {
                self.revert_backoff(cx, error);
            }
        } else if self.is_embryonic() {
            self.transition(cx, State::Closed, Cause::Unreachable(errno));
        } else {
            self.fail(cx, errno, Cause::Unreachable(errno));
        }
        Disposition::Accepted
    }

    /// The application gets a report, and the error if the connection is given up later.
    pub(super) fn soft_error(&mut self, cx: &mut Context<'_>, errno: Errno) {
        self.application.soft_error = Some(errno);
        self.report(cx, Report::Unreachable(errno));
    }

    /// The network reports that it lost the segment, which is no sign of congestion: one doubling of the timeout is
    /// reverted (RFC 6069 §4).
    fn revert_backoff(&mut self, cx: &mut Context<'_>, error: &Unreachable) {
        let first =
            error.seq == self.snd.una && self.retransmissions.timeouts > 0 && self.rtt.revert_backoff();
        let Some(sent) = self.snd.sent.first().filter(|_| first).map(|sent| sent.last_sent) else { return };
        let left = self.rtt.expiry(sent) - cx.now;
        self.timers.set(cx, Timer::Retransmission, left);
    }

    /// The path MTU is smaller than was known (RFC 1191, RFC 8201): longer segments are sent again in shorter ones.
    fn reduce_path_mtu(&mut self, cx: &mut Context<'_>, mtu: u16) {
        // 0 is a router that does not report it.
        self.mtu = self.mtu.min(mtu.max(cx.settings.min_path_mtu));
        self.sync_mss();
        if self.resend_in_shorter_segments() {
            self.set_retransmission_timer(cx);
        }
    }
}
