//! The application's calls on a connection (RFC 9293 §3.10.1 to §3.10.6; semantics of sockets where they differ).

use std::task::Poll;
use std::time::Duration;

use super::{Connection, Context};
use crate::{Call, Cause, Errno, KeepaliveSettings, Purpose, Readiness, Received, State, Timer};

impl Connection {
    /// The outcome of an active open.
    pub(crate) fn connected(&mut self) -> Poll<Result<(), Errno>> {
        if let Some(errno) = self.application.error.take() {
            return Poll::Ready(Err(errno));
        }
        match self.state {
            State::SynSent | State::SynReceived => Poll::Pending,
            State::Closed | State::Listen => Poll::Ready(Err(Errno::NotConnected)),
            State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => Poll::Ready(Ok(())),
        }
    }

    /// SEND: queues octets and returns how many; 0 is a full buffer. If a packet can be sent, the rest comes after it.
    pub(crate) fn send(&mut self, octets: &[u8]) -> Result<usize, Errno> {
        if let Some(errno) = self.application.error.take() {
            return Err(errno);
        }
        match self.state {
            State::SynSent | State::SynReceived | State::Established | State::CloseWait
                if !self.snd.is_finishing() =>
            {
                Ok(self.write(octets))
            }
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => Err(Errno::BrokenPipe),
        }
    }

    /// Takes octets until there is no more room, or a packet is full and can be sent.
    fn write(&mut self, octets: &[u8]) -> usize {
        let mut count = 0;
        while count < octets.len() {
            match self.snd.write(&octets[count..], self.congestion.size(), self.packet_segments()) {
                0 => break,
                taken => count += taken,
            }
            if self.congestion_room() > 0 && self.usable_window() > 0 {
                break;
            }
        }
        count
    }

    /// RECEIVE. Data comes before an error.
    pub(crate) fn receive(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Result<Received, Errno> {
        if self.rcv.unread() > 0 {
            if buffer.is_empty() {
                return Ok(Received::Nothing);
            }
            let count = self.rcv.read(cx.now, buffer);
            self.forget_urgent();
            self.acknowledge_read(cx);
            return Ok(Received::Octets(count));
        }
        if self.rcv.is_finished() && (cx.settings.fin_hides_reset || self.application.error.is_none()) {
            return Ok(Received::End);
        }
        if let Some(errno) = self.application.error.take() {
            return Err(errno);
        }
        let ended = self.state == State::Closed || self.application.read_shut;
        Ok(if ended { Received::End } else { Received::Nothing })
    }

    /// Which of the calls above would do something at once.
    pub(crate) fn readiness(&self) -> Readiness {
        let fails = self.application.error.is_some();
        let readable = fails
            || self.application.read_shut
            || self.rcv.unread() > 0
            || self.rcv.is_finished()
            || self.state == State::Closed;
        let writable = match self.state {
            State::SynSent | State::SynReceived => false,
            State::Established | State::CloseWait => {
                self.snd.is_finishing() || self.snd.has_room(self.congestion.size(), self.packet_segments())
            }
            // It fails at once.
            State::Closed
            | State::Listen
            | State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => true,
        };
        Readiness { readable, writable: fails || writable }
    }

    /// A read may make an acknowledgment due, or open the window far enough to advertise it (Linux `tcp_cleanup_rbuf`).
    fn acknowledge_read(&mut self, cx: &mut Context<'_>) {
        let opens = self.state.takes_text() && {
            let (current, next) = (self.rcv.window(), self.rcv.next_window());
            let worth_advertising = !cx.settings.window_update_doubles || next >= current.saturating_mul(2);
            next > current && worth_advertising
        };
        if opens || self.ack_policy.is_due_at_read(self.rcv.nxt, self.rcv.unread()) {
            self.timers.cancel(cx, Timer::DelayedAck);
            self.outbox.ack.get_or_insert(Purpose::Normal);
        }
    }

    /// `shutdown(SHUT_WR)`: no more data will be sent.
    pub(crate) fn shutdown(&mut self, cx: &mut Context<'_>) -> Result<(), Errno> {
        if let Some(errno) = self.application.error.take() {
            return Err(errno);
        }
        match self.state {
            State::Established | State::SynReceived => self.finish(cx, State::FinWait1, Call::Shutdown),
            State::CloseWait => self.finish(cx, State::LastAck, Call::Shutdown),
            State::FinWait1 | State::FinWait2 | State::Closing | State::LastAck | State::TimeWait => {}
            State::Closed | State::Listen | State::SynSent => return Err(Errno::NotConnected),
        }
        Ok(())
    }

    fn finish(&mut self, cx: &mut Context<'_>, to: State, call: Call) {
        self.snd.queue_fin();
        self.transition(cx, to, Cause::Call(call));
    }

    /// CLOSE: the application is done with the socket.
    pub(crate) fn close(&mut self, cx: &mut Context<'_>) {
        if self.is_orphan() {
            return;
        }
        if self.socket.linger.is_some_and(|linger| linger.is_zero()) {
            self.abort(cx);
            return;
        }
        self.application.has_closed = true;
        self.application.error = None;
        let cause = Cause::Call(Call::Close);
        match self.state {
            State::Closed => {}
            State::Listen | State::SynSent => self.transition(cx, State::Closed, cause),
            // Nobody will read the data, and the peer must learn that it was lost (RFC 2525 §2.17).
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
                if self.rcv.unread() > 0 =>
            {
                self.rcv.discard_unread();
                self.reset_peer(cx, cause);
            }
            State::SynReceived | State::Established => self.finish(cx, State::FinWait1, Call::Close),
            State::CloseWait => self.finish(cx, State::LastAck, Call::Close),
            State::FinWait2 => self.limit_fin_wait_2(cx),
            State::FinWait1 | State::Closing | State::LastAck | State::TimeWait => {}
        }
    }

    /// ABORT (RFC 9293 §3.10.5).
    pub(crate) fn abort(&mut self, cx: &mut Context<'_>) {
        self.application.has_closed = true;
        self.application.error = None;
        let cause = Cause::Call(Call::Abort);
        match self.state {
            State::Closed => {}
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait => self.reset_peer(cx, cause),
            State::Listen | State::SynSent | State::Closing | State::LastAck | State::TimeWait => {
                self.transition(cx, State::Closed, cause);
            }
        }
    }

    /// A new connection takes the place of this one, which is in TIME-WAIT.
    pub(crate) fn replaced(&mut self, cx: &mut Context<'_>) {
        self.application.has_closed = true;
        self.transition(cx, State::Closed, Cause::Replaced);
    }

    /// The listener closed before the application accepted this connection.
    pub(crate) fn listener_closed(&mut self, cx: &mut Context<'_>) {
        self.application.has_closed = true;
        if self.state != State::Closed {
            self.reset_peer(cx, Cause::ListenerClosed);
        }
    }

    /// SO_KEEPALIVE and its three numbers.
    pub(crate) fn set_keepalive(&mut self, cx: &mut Context<'_>, settings: Option<KeepaliveSettings>) {
        self.keepalive.settings = settings;
        self.timers.cancel(cx, Timer::Keepalive);
        self.set_keepalive_timer(cx);
    }

    /// `shutdown(SHUT_RD)`: what has arrived can be read, then the stream ends. The peer does not learn of it, and what
    /// it sends is still accepted and acknowledged (Linux `tcp_shutdown`).
    pub(crate) fn shutdown_read(&mut self) -> Result<(), Errno> {
        match self.state {
            State::Closed | State::Listen | State::SynSent => Err(Errno::NotConnected),
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {
                self.application.read_shut = true;
                Ok(())
            }
        }
    }

    /// TCP_USER_TIMEOUT.
    pub(crate) fn set_user_timeout(&mut self, timeout: Option<Duration>) {
        self.socket.user_timeout = timeout;
    }

    /// SO_LINGER: zero makes `close` reset the connection; any other time makes it wait, which changes nothing on the
    /// wire.
    pub(crate) fn set_linger(&mut self, linger: Option<Duration>) {
        self.socket.linger = linger;
    }

    /// How long `close` may wait while our FIN is not acknowledged (Linux `sk_stream_wait_close`).
    pub(crate) fn lingers(&self) -> Option<Duration> {
        match self.state {
            State::FinWait1 | State::Closing | State::LastAck => self.socket.linger,
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::FinWait2
            | State::CloseWait
            | State::TimeWait => None,
        }
    }

    /// SO_RCVBUF: the size of the receive buffer. The window does not shrink.
    pub(crate) fn set_receive_buffer(&mut self, octets: u32) {
        self.rcv.set_capacity(octets);
    }

    /// SO_SNDBUF: the size of the send buffer.
    pub(crate) fn set_send_buffer(&mut self, octets: u32) {
        self.snd.set_capacity(octets);
    }

    /// IP_TTL, IPV6_UNICAST_HOPS; at least 1.
    pub(crate) fn set_hops(&mut self, hops: u8) {
        self.ip.hops = hops.max(1);
    }

    /// IP_TOS, IPV6_TCLASS: the upper six bits.
    pub(crate) fn set_codepoint(&mut self, codepoint: u8) {
        self.ip.codepoint = codepoint & 0x3f;
    }

    /// TCP_NODELAY.
    pub(crate) fn set_nodelay(&mut self, nodelay: bool) {
        self.socket.nagle = !nodelay;
    }
}
