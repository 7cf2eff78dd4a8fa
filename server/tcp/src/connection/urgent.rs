//! Urgent data: a mark in the stream (RFC 9293 §3.8.5). The data itself stays in line, as with SO_OOBINLINE.

use super::{Connection, Context};
use crate::{Errno, Purpose, Seq, Transmit};

/// The two urgent pointers.
#[derive(Clone, Debug, Default)]
pub(super) struct Urgent {
    /// `snd.up`: behind the last octet that our application marked.
    send: Option<Seq>,
    /// `rcv.up`: behind the last octet that the peer's application marked.
    receive: Option<Seq>,
}

impl Connection {
    /// SEND with the URGENT flag (§3.10.2).
    pub(crate) fn send_urgent(&mut self, octets: &[u8]) -> Result<usize, Errno> {
        let count = self.send(octets)?;
        if count > 0 {
            self.urgent.send = Some(self.snd.buffer_end());
            self.outbox.urgent = self.state.is_synchronized() && self.snd.usable_window() == 0;
        }
        Ok(count)
    }

    /// Whether the peer has yet to acknowledge what was marked.
    pub(super) fn has_urgent(&self) -> bool {
        self.urgent.send.is_some_and(|up| self.snd.una.before(up))
    }

    /// The pointer of a segment at `seq`; 0 is none. It counts to behind the urgent data (MUST-62), or as far as it can.
    pub(super) fn urgent_pointer(&mut self, seq: Seq) -> u16 {
        if !self.has_urgent() {
            self.urgent.send = None;
        }
        match self.urgent.send {
            Some(up) if seq.before(up) => u16::try_from(seq.until(up)).unwrap_or(u16::MAX),
            _ => 0,
        }
    }

    /// An acknowledgment that carries the pointer into a closed window, which a probe is not acceptable to (Linux
    /// `tcp_write_wakeup`).
    pub(super) fn transmit_urgent(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.outbox.urgent) || !self.has_urgent() {
            return None;
        }
        let header = self.ack_header(cx, self.snd.nxt);
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

    /// Octets to the end of what the peer marked, from where the application reads (MUST-33).
    pub(super) fn urgent_octets(&self) -> u32 {
        let at = self.reading_at();
        self.urgent.receive.filter(|up| up.after(at)).map_or(0, |up| at.until(up))
    }

    /// The sequence number of the next octet that the application reads.
    fn reading_at(&self) -> Seq {
        self.rcv.nxt - self.rcv.unread() as u32 - u32::from(self.rcv.is_finished())
    }

    /// Forgets a mark that the application has read past.
    pub(super) fn forget_urgent(&mut self) {
        if self.urgent_octets() == 0 {
            self.urgent.receive = None;
        }
    }
}
