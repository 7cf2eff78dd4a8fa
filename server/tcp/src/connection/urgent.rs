//! Urgent data (RFC 9293 §3.8.5). The data itself stays in line, as with SO_OOBINLINE.

use super::{Connection, Context};
use crate::{Errno, Purpose, SendFlags, Seq, Transmit};

/// The two urgent pointers.
#[derive(Clone, Debug, Default)]
pub(super) struct Urgent {
    /// `snd.up`: after the last urgent octet of our application.
    send: Option<Seq>,
    /// `rcv.up`: after the last urgent octet of the peer's application.
    receive: Option<Seq>,
}

impl Connection {
    /// SEND with the URGENT flag (§3.10.2).
    pub(crate) fn send_urgent(&mut self, octets: &[u8]) -> Result<usize, Errno> {
        // Nothing of it is sent before it is known where it ends (Linux `tcp_sendmsg`).
        let mut count = 0;
        while count < octets.len() {
            match self.send(&octets[count..], SendFlags::default())? {
                0 => break,
                taken => count += taken,
            }
        }
        if count > 0 {
            self.urgent.send = Some(self.snd.buffer_end());
            self.outbox.urgent = self.state.is_synchronized() && self.usable_window() == 0;
        }
        Ok(count)
    }

    /// Whether urgent data is not acknowledged yet.
    pub(super) fn has_urgent(&self) -> bool {
        self.urgent.send.is_some_and(|up| self.snd.una.before(up))
    }

    /// The urgent pointer of a segment at `seq`, or 0. It points after the urgent data (MUST-62), or as far as it can.
    pub(super) fn urgent_pointer(&mut self, seq: Seq) -> u16 {
        if !self.has_urgent() {
            self.urgent.send = None;
        }
        match self.urgent.send {
            Some(up) if seq.before(up) => u16::try_from(seq.until(up)).unwrap_or(u16::MAX),
            _ => 0,
        }
    }

    /// An acknowledgment that carries the pointer while the window is closed: a probe with an old sequence number would
    /// not be acceptable (Linux `tcp_write_wakeup`).
    pub(super) fn transmit_urgent(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.outbox.urgent) || !self.has_urgent() {
            return None;
        }
        let seq = self.acceptable_seq(cx);
        let header = self.ack_header(cx, seq);
        Some(self.emit(header, Purpose::Normal, buffer))
    }

    /// Takes the peer's urgent pointer and returns whether it is new or has moved on.
    pub(super) fn advance_urgent(&mut self, up: Seq) -> bool {
        let advances = up.after(self.reading_at() + self.urgent_octets());
        if advances {
            self.urgent.receive = Some(up);
        }
        advances
    }

    /// Octets from where the application reads to the end of the peer's urgent data (MUST-33).
    pub(super) fn urgent_octets(&self) -> u32 {
        let at = self.reading_at();
        self.urgent.receive.filter(|up| up.after(at)).map_or(0, |up| at.until(up))
    }

    /// The sequence number of the next octet that the application reads.
    fn reading_at(&self) -> Seq {
        self.rcv.nxt - self.rcv.unread() as u32 - u32::from(self.rcv.is_finished())
    }

    /// Drops a pointer that the application has read past.
    pub(super) fn forget_urgent(&mut self) {
        if self.urgent_octets() == 0 {
            self.urgent.receive = None;
        }
    }
}
