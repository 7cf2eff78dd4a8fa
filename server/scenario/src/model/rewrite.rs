//! How somebody on the path rewrites a segment.

use std::fmt;

use halfopen_tcp::Flags;

/// The fields that are rewritten. The others stay as they are, and a correct checksum stays correct. A segment in which
/// nothing would change is not affected.
///
/// It does what middleboxes do: clamp the maximum segment size, remove options, randomize sequence numbers, close a window.
/// It does not add an option that the segment does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// The sequence number. SACK blocks are not adjusted.
    pub sequence: Option<Renumber>,
    /// The acknowledgment number, if the segment has one.
    pub acknowledgment: Option<Renumber>,
    /// Exactly these control bits.
    pub flags: Option<Flags>,
    /// The window in octets, as the peer interprets it: rounded down to what its scale can express, and limited to what the
    /// field can hold.
    pub window: Option<u32>,
    /// The urgent pointer and URG, or neither.
    pub urgent: Option<NewValue<u16>>,
    /// The maximum segment size.
    pub mss: Option<NewValue<u16>>,
    /// The shift count of the window scale option.
    pub window_scale: Option<NewValue<u8>>,
    /// Whether SACK permitted is removed.
    pub no_sack_permitted: bool,
    /// Whether SACK blocks are removed.
    pub no_sack: bool,
    /// Whether timestamps are removed.
    pub no_timestamps: bool,
    /// Whether its datagram is marked as one that met congestion (CE), if its sender allows that (RFC 3168 §5).
    pub congestion_experienced: bool,
}

/// The new value of something that a segment may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewValue<T> {
    /// This value.
    To(T),
    /// It is removed.
    Off,
}

/// The new value of a sequence or acknowledgment number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renumber {
    /// This number, relative to the initial sequence number.
    To(i64),
    /// The old number plus this, modulo 2^32.
    By(i64),
}

impl fmt::Display for Rewrite {
    /// As it is written in scenarios: `window 0 B, sequence seg.seq + 1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn value<T: fmt::Display>(name: &str, value: Option<NewValue<T>>, unit: &str) -> Option<String> {
            Some(match value? {
                NewValue::To(value) => format!("{name} {value}{unit}"),
                NewValue::Off => format!("{name} off"),
            })
        }
        let number = |name: &str, own: &str, number: Option<Renumber>| {
            Some(match number? {
                Renumber::To(number) => format!("{name} {number}"),
                Renumber::By(by) => {
                    format!("{name} {own} {} {}", if by < 0 { '-' } else { '+' }, by.unsigned_abs())
                }
            })
        };
        let off = |name: &str, off: bool| off.then(|| format!("{name} off"));
        let parts = [
            number("sequence", "seg.seq", self.sequence),
            number("acknowledgment", "seg.ack", self.acknowledgment),
            self.flags.map(|flags| format!("flags {flags}")),
            self.window.map(|window| format!("window {window} B")),
            value("urgent", self.urgent, ""),
            value("mss", self.mss, " B"),
            value("window-scale", self.window_scale, ""),
            off("sack-permitted", self.no_sack_permitted),
            off("sack", self.no_sack),
            off("timestamps", self.no_timestamps),
            self.congestion_experienced.then(|| "ecn CE".to_owned()),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
