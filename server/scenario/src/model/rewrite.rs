//! What somebody on the path makes of a segment.

use std::fmt;

use halfopen_tcp::Flags;

/// The fields that are rewritten; the others stay, and a right checksum stays right. A segment in which nothing would change is
/// none of the fault's.
///
/// It does what middleboxes do: clamp a segment size, take options away, randomize sequence numbers, close a window. An option
/// that the segment does not have is not put there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// The sequence number. What SACK says of it stays.
    pub sequence: Option<Renumber>,
    /// The acknowledgment number, if the segment has one.
    pub acknowledgment: Option<Renumber>,
    /// Exactly these control bits.
    pub flags: Option<Flags>,
    /// The window in octets, as the peer is to understand it: rounded down to what its scale can say, at most what the
    /// field holds.
    pub window: Option<u32>,
    /// The urgent pointer, with URG; or neither.
    pub urgent: Option<NewValue<u16>>,
    /// The maximum segment size.
    pub mss: Option<NewValue<u16>>,
    /// The window scale: a shift.
    pub window_scale: Option<NewValue<u8>>,
    /// SACK permitted is taken away.
    pub no_sack_permitted: bool,
    /// SACK blocks are taken away.
    pub no_sack: bool,
    /// Timestamps are taken away.
    pub no_timestamps: bool,
}

/// What becomes of something that a segment may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewValue<T> {
    /// It is this.
    To(T),
    /// It is not there any more.
    Off,
}

/// What becomes of a sequence or acknowledgment number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renumber {
    /// It is this one, relative to the initial one.
    To(i64),
    /// It is so much more, or less: modulo 2^32.
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
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
