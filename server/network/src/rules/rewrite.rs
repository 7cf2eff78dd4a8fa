//! Fields of a segment that are rewritten on the way.
//!
//! The checksum is updated by the difference (RFC 1624 §3), as a router that translates addresses does: a wrong one stays wrong.
//! Padding replaces an option that is removed, as Linux's `TCPOPTSTRIP` does, so that no segment changes its size.

use halfopen_scenario::{NewValue, Renumber, Rewrite};
use halfopen_tcp::{Flags, Seq};

use crate::flight::Outgoing;

/// Offsets of fields in the TCP header (RFC 9293 §3.1).
const SEQUENCE: usize = 4;
const ACKNOWLEDGMENT: usize = 8;
const CONTROL_BITS: usize = 13;
const WINDOW: usize = 14;
const CHECKSUM: usize = 16;
const URGENT: usize = 18;
const OPTIONS: usize = 20;

/// Kinds of options (RFC 9293 §3.1, RFC 7323, RFC 2018).
const END: u8 = 0;
const PADDING: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// Rewrites a TCP segment.
pub(super) fn rewrite(segment: &mut [u8], new: &Rewrite, sent: &Outgoing) {
    if let Some(flags) = new.flags {
        put_control_bits(segment, flags);
    }
    if let Some(number) = new.sequence {
        renumber(segment, SEQUENCE, number, sent.initial[0]);
    }
    if let Some(number) = new.acknowledgment
        && control_bits(segment).contains(Flags::ACK)
    {
        renumber(segment, ACKNOWLEDGMENT, number, sent.initial[1]);
    }
    if let Some(octets) = new.window {
        let field = u16::try_from(octets >> sent.window_shift).unwrap_or(u16::MAX);
        put(segment, WINDOW, &field.to_be_bytes());
    }
    if let Some(urgent) = new.urgent {
        let flags = control_bits(segment);
        let (flags, pointer) = match urgent {
            NewValue::To(pointer) => (flags | Flags::URG, pointer),
            NewValue::Off => (flags.without(Flags::URG), 0),
        };
        put_control_bits(segment, flags);
        put(segment, URGENT, &pointer.to_be_bytes());
    }
    let mss = new.mss.map(|mss| value(mss, u16::to_be_bytes));
    let scale = new.window_scale.map(|shift| value(shift, u8::to_be_bytes));
    let options = [
        (MSS, mss.as_ref().map(|mss| mss.as_ref().map(<[u8; 2]>::as_slice))),
        (WINDOW_SCALE, scale.as_ref().map(|shift| shift.as_ref().map(<[u8; 1]>::as_slice))),
        (SACK_PERMITTED, new.no_sack_permitted.then_some(None)),
        (SACK, new.no_sack.then_some(None)),
        (TIMESTAMPS, new.no_timestamps.then_some(None)),
    ];
    for (kind, octets) in options {
        if let Some(octets) = octets {
            replace_option(segment, kind, octets);
        }
    }
}

fn value<T, O>(new: NewValue<T>, octets: impl FnOnce(T) -> O) -> Option<O> {
    match new {
        NewValue::To(value) => Some(octets(value)),
        NewValue::Off => None,
    }
}

fn control_bits(segment: &[u8]) -> Flags {
    Flags::from_bits(segment[CONTROL_BITS])
}

/// The two bits of ECN stay.
fn put_control_bits(segment: &mut [u8], flags: Flags) {
    let others = segment[CONTROL_BITS] & 0xc0;
    put(segment, CONTROL_BITS, &[others | flags.bits()]);
}

fn renumber(segment: &mut [u8], place: usize, new: Renumber, initial: Seq) {
    let own =
        u32::from_be_bytes([segment[place], segment[place + 1], segment[place + 2], segment[place + 3]]);
    // Modulo 2^32, as sequence numbers are.
    let number = match new {
        Renumber::To(number) => initial.0.wrapping_add(number as u32),
        Renumber::By(by) => own.wrapping_add(by as u32),
    };
    put(segment, place, &number.to_be_bytes());
}

/// Gives every option of this kind this value, or removes it.
fn replace_option(segment: &mut [u8], kind: u8, value: Option<&[u8]>) {
    let end = (usize::from(segment[12] >> 4) * 4).min(segment.len());
    let mut place = OPTIONS;
    while place < end && segment[place] != END {
        if segment[place] == PADDING {
            place += 1;
            continue;
        }
        // Behind a length that makes no sense nothing can be read.
        let length = segment.get(place + 1).map_or(0, |length| usize::from(*length));
        if length < 2 || place + length > end {
            return;
        }
        if segment[place] == kind {
            match value {
                Some(value) if value.len() + 2 == length => put(segment, place + 2, value),
                Some(_) => {}
                None => (place..place + length).for_each(|place| put(segment, place, &[PADDING])),
            }
        }
        place += length;
    }
}

/// Writes octets into the header and updates the checksum.
fn put(segment: &mut [u8], place: usize, octets: &[u8]) {
    for (place, octet) in (place..).zip(octets) {
        let word = place & !1;
        let before = half(segment, word);
        segment[place] = *octet;
        let sum = u32::from(!half(segment, CHECKSUM)) + u32::from(!before) + u32::from(half(segment, word));
        let sum = (sum & 0xffff) + (sum >> 16);
        let sum = (sum & 0xffff) + (sum >> 16);
        let [_, _, high, low] = (!sum).to_be_bytes();
        segment[CHECKSUM..CHECKSUM + 2].copy_from_slice(&[high, low]);
    }
}

fn half(segment: &[u8], place: usize) -> u16 {
    u16::from_be_bytes([segment[place], segment[place + 1]])
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use halfopen_tcp::{Header, Options, SackBlocks, Timestamps, read_segment};

    use super::*;
    use crate::rules::{outgoing, segment_of_mut};

    /// A segment after a rewrite, read as a host reads it.
    fn rewritten(header: &Header, new: &Rewrite) -> Header {
        let [from, to]: [SocketAddr; 2] = ["10.0.0.1:40000", "10.0.0.2:80"].map(|text| text.parse().unwrap());
        let mut datagram =
            halfopen_tcp::encode_segment(from, to, header, &vec![b'x'; header.payload as usize]);
        let sent = Outgoing { initial: [Seq(1000), Seq(u32::MAX)], window_shift: 7, ..outgoing() };
        rewrite(segment_of_mut(&mut datagram), new, &sent);
        read_segment(&datagram).expect("the checksum is right").2
    }

    fn data() -> Header {
        let mut sack = SackBlocks::default();
        sack.push(Seq(5), Seq(6));
        let timestamps = Some(Timestamps { value: 1, echo: 2 });
        let options = Options { timestamps, sack, ..Options::default() };
        Header {
            seq: Seq(1001),
            ack: Seq(9),
            flags: Flags::ACK | Flags::PSH,
            window: 500,
            payload: 3,
            options,
            ..Header::default()
        }
    }

    fn syn() -> Header {
        let options = Options {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some(Timestamps { value: 1, echo: 0 }),
            ..Options::default()
        };
        Header { seq: Seq(1000), flags: Flags::SYN, window: 64240, options, ..Header::default() }
    }

    #[test]
    fn fields_get_their_new_values_and_the_checksum_is_right() {
        let same = Rewrite::default();
        type Change = fn(&mut Header);
        let cases: [(Rewrite, Change); 11] = [
            (same, |_| ()),
            (Rewrite { window: Some(0), ..same }, |header| header.window = 0),
            (Rewrite { window: Some(1300), ..same }, |header| header.window = 10),
            (Rewrite { window: Some(u32::MAX), ..same }, |header| header.window = u16::MAX),
            (Rewrite { flags: Some(Flags::ACK), ..same }, |header| header.flags = Flags::ACK),
            (Rewrite { sequence: Some(Renumber::To(5)), ..same }, |header| header.seq = Seq(1005)),
            (Rewrite { sequence: Some(Renumber::By(-1002)), ..same }, |header| header.seq = Seq(u32::MAX)),
            (Rewrite { acknowledgment: Some(Renumber::To(1)), ..same }, |header| header.ack = Seq(0)),
            (Rewrite { urgent: Some(NewValue::To(2)), ..same }, |header| {
                header.flags |= Flags::URG;
                header.urgent = 2;
            }),
            (Rewrite { no_timestamps: true, ..same }, |header| header.options.timestamps = None),
            (Rewrite { no_sack: true, ..same }, |header| header.options.sack = SackBlocks::default()),
        ];
        for (new, change) in cases {
            let mut expected = data();
            change(&mut expected);
            assert_eq!(rewritten(&data(), &new), expected, "{new}");
        }
    }

    #[test]
    fn options_are_changed_or_removed_and_never_added() {
        let same = Rewrite::default();
        type Change = fn(&mut Options);
        let cases: [(Rewrite, Change); 5] = [
            (Rewrite { mss: Some(NewValue::To(536)), ..same }, |options| options.mss = Some(536)),
            (Rewrite { mss: Some(NewValue::Off), ..same }, |options| options.mss = None),
            (Rewrite { window_scale: Some(NewValue::To(0)), ..same }, |options| {
                options.window_scale = Some(0);
            }),
            (Rewrite { window_scale: Some(NewValue::Off), ..same }, |options| options.window_scale = None),
            (Rewrite { no_sack_permitted: true, ..same }, |options| options.sack_permitted = false),
        ];
        for (new, change) in cases {
            let mut expected = syn();
            change(&mut expected.options);
            assert_eq!(rewritten(&syn(), &new), expected, "{new}");
            assert_eq!(rewritten(&data(), &new), data(), "{new}");
        }
    }

    #[test]
    fn urgent_data_is_made_ordinary() {
        let urgent = Header { flags: data().flags | Flags::URG, urgent: 3, ..data() };
        let off = Rewrite { urgent: Some(NewValue::Off), ..Rewrite::default() };
        assert_eq!(rewritten(&urgent, &off), data());
    }

    #[test]
    fn malformed_options_are_survived() {
        let off = Rewrite { no_timestamps: true, mss: Some(NewValue::To(1)), ..Rewrite::default() };
        for length in 0..=u8::MAX {
            let mut segment = vec![0; 28];
            segment[12] = 7 << 4;
            segment[20..22].copy_from_slice(&[254, length]);
            rewrite(&mut segment, &off, &outgoing());
            segment[12] = 0xf0;
            rewrite(&mut segment, &off, &outgoing());
        }
    }
}
