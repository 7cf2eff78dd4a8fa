//! The application's calls on a connection (RFC 9293 §3.10.1 to §3.10.6; semantics of sockets where they differ).

use std::task::Poll;
use std::time::Duration;

use super::{Connection, Context};
use crate::{Call, Cause, Errno, Purpose, Readiness, Received, SendFlags, State, Timer};

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
    pub(crate) fn send(&mut self, octets: &[u8], flags: SendFlags) -> Result<usize, Errno> {
        if let Some(errno) = self.application.error.take() {
            return Err(errno);
        }
        match self.state {
            State::SynSent | State::SynReceived | State::Established | State::CloseWait
                if !self.snd.is_finishing() =>
            {
                (self.application.holds_back, self.application.pushes) = (flags.more, false);
                Ok(self.write(octets, flags))
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
    fn write(&mut self, octets: &[u8], flags: SendFlags) -> usize {
        let mut count = 0;
        while count < octets.len() {
            let (cwnd, packet) = (self.congestion.size(), self.packet_segments());
            match self.snd.write(&octets[count..], flags, cwnd, packet) {
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
        let closed = self.state == State::Closed;
        let receive_shut = closed || self.application.read_shut || self.rcv.is_finished();
        let send_shut = closed || self.snd.is_finishing();
        let writable = match self.state {
            State::SynSent | State::SynReceived => false,
            State::Established | State::CloseWait => {
                send_shut || self.snd.has_room(self.congestion.size(), self.packet_segments())
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
        Readiness {
            readable: fails || receive_shut || self.rcv.unread() > 0,
            writable: fails || writable,
            peer_closed: receive_shut,
            hung_up: receive_shut && send_shut,
            failed: fails,
        }
    }

    /// The same for an application that waits for what is not there: it goes on writing once there is room enough (Linux `tcp_poll`).
    pub(crate) fn poll(&mut self) -> Readiness {
        let ready = self.readiness();
        if !self.state.is_synchronized() || self.snd.is_finishing() || ready.failed {
            return ready;
        }
        let writable = self.snd.is_writable(self.congestion.size(), self.packet_segments());
        Readiness { writable, ..ready }
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

    /// The listener closed before the application accepted this connection. One in SYN-RECEIVED may live on, until the
    /// endpoint finds its listener gone.
    pub(crate) fn listener_closed(&mut self, cx: &mut Context<'_>) {
        if self.is_embryonic() && !cx.settings.closing_listener_resets_embryonic {
            return;
        }
        self.application.has_closed = true;
        if self.state != State::Closed {
            self.reset_peer(cx, Cause::ListenerClosed);
        }
    }

    /// Its listener is gone, and nobody else wants this connection in SYN-RECEIVED: it ends in silence.
    pub(crate) fn listener_gone(&mut self, cx: &mut Context<'_>) {
        self.transition(cx, State::Closed, Cause::ListenerClosed);
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
}
