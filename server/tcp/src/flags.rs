//! The control bits of a segment.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// The control bits of a segment (RFC 9293 §3.1). Prints as `SYN+ACK`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flags(u8);

impl Flags {
    /// No bit at all.
    pub const NONE: Flags = Flags(0);
    /// No more data from the sender.
    pub const FIN: Flags = Flags(0x01);
    /// Synchronize sequence numbers.
    pub const SYN: Flags = Flags(0x02);
    /// Reset the connection.
    pub const RST: Flags = Flags(0x04);
    /// Push.
    pub const PSH: Flags = Flags(0x08);
    /// The acknowledgment field is significant.
    pub const ACK: Flags = Flags(0x10);
    /// The urgent pointer is significant.
    pub const URG: Flags = Flags(0x20);
    /// The peer's datagrams have met congestion (RFC 3168 §6.1).
    pub const ECE: Flags = Flags(0x40);
    /// The congestion window was reduced (RFC 3168 §6.1).
    pub const CWR: Flags = Flags(0x80);
    /// Both bits of explicit congestion notification.
    pub const ECN: Flags = Flags(0xc0);

    /// Each bit with its name, in the order in which they print.
    pub const NAMES: [(Flags, &'static str); 8] = [
        (Flags::SYN, "SYN"),
        (Flags::FIN, "FIN"),
        (Flags::RST, "RST"),
        (Flags::PSH, "PSH"),
        (Flags::ACK, "ACK"),
        (Flags::URG, "URG"),
        (Flags::ECE, "ECE"),
        (Flags::CWR, "CWR"),
    ];

    /// The bits as in the header: its fourteenth octet.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The flags in that octet of a header.
    pub const fn from_bits(bits: u8) -> Flags {
        Flags(bits)
    }

    /// Whether every bit of `other` is set here.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set here.
    pub const fn intersects(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// These bits without those of `other`.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Parses `SYN+ACK`; `None` if a part is not the name of a flag.
    pub fn from_name(text: &str) -> Option<Flags> {
        text.split('+').try_fold(Flags::NONE, |flags, part| {
            let (flag, _) = Flags::NAMES.into_iter().find(|(_, name)| *name == part.trim())?;
            Some(flags | flag)
        })
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            Flags::NAMES.into_iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| name).collect();
        f.pad(&if names.is_empty() { "none".to_owned() } else { names.join("+") })
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Flags;

    #[test]
    fn print_and_parse() {
        let syn_ack = Flags::SYN | Flags::ACK;
        assert_eq!(syn_ack.to_string(), "SYN+ACK");
        assert_eq!(Flags::from_name("SYN+ACK"), Some(syn_ack));
        assert_eq!(Flags::from_name("SYN+AKC"), None);
        assert_eq!(Flags::NONE.to_string(), "none");
    }
}
