//! What must be true of one connection whatever its peer says.

use halfopen_tcp::{Flags, Seq, Transmit};

/// What is known of a connection from what it sends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watch {
    iss: Option<Seq>,
    /// The largest acknowledgment it has sent.
    ack: Option<Seq>,
    /// Where the octets it has received but not given to the application begin.
    read: Option<Seq>,
    /// The right edge of its window.
    edge: Option<Seq>,
    pub(super) written: u32,
}

/// The octet of the endpoint's stream at an offset.
pub(super) fn ours(offset: u32) -> u8 {
    (offset % 251) as u8
}

/// The octet of the peer's stream at a sequence number: whoever repeats it says the same.
pub(super) fn theirs(seq: Seq) -> u8 {
    (seq.0 % 241) as u8
}

impl Watch {
    /// The connection sent this.
    pub(super) fn sent(&mut self, transmit: &Transmit, payload: &[u8], scaled: bool) {
        let header = &transmit.header;
        if header.flags.contains(Flags::RST) {
            return;
        }
        if header.flags.contains(Flags::SYN) {
            let iss = *self.iss.get_or_insert(header.seq);
            assert_eq!(header.seq, iss, "a SYN stands at the initial sequence number: {transmit:?}");
        }
        let iss = self.iss.expect("a SYN is the first that a connection sends");
        // SYN, data and FIN; a probe stands one before what is acknowledged.
        let (start, end) = (iss.until(header.seq), iss.until(header.end()));
        assert!(start <= 2 + self.written && end <= 2 + self.written, "never written: {self:?} {transmit:?}");
        for (at, octet) in payload.iter().enumerate() {
            assert_eq!(*octet, ours(start - 1 + at as u32), "octet {at} of {transmit:?}");
        }
        if !header.flags.contains(Flags::ACK) {
            return;
        }
        let ack = *self.ack.get_or_insert(header.ack);
        assert!(!header.ack.before(ack), "an acknowledgment is never taken back: {self:?} {transmit:?}");
        self.ack = Some(header.ack);
        self.read.get_or_insert(header.ack);
        if !scaled {
            let new = header.ack + u32::from(header.window);
            let old = *self.edge.get_or_insert(new);
            assert!(!new.before(old), "the window never shrinks: {self:?} {transmit:?}");
            self.edge = Some(new);
        }
    }

    /// The application read these octets.
    pub(super) fn received(&mut self, octets: &[u8]) {
        let read = self.read.expect("what was never acknowledged cannot be read");
        for (at, octet) in octets.iter().enumerate() {
            assert_eq!(*octet, theirs(read + at as u32), "octet {at} after {self:?}");
        }
        self.read = Some(read + octets.len() as u32);
    }

    /// A sequence number near what the connection has sent, or near what it expects.
    pub(super) fn near(&self, sent: bool, offset: i8) -> Seq {
        let base = if sent {
            self.iss.map_or(Seq(0), |iss| iss + 1 + self.written)
        } else {
            self.ack.unwrap_or(Seq(u32::MAX - 50))
        };
        Seq(base.0.wrapping_add_signed(i32::from(offset)))
    }
}
