//! Fields of a segment that are rewritten on the way.

use halfopen_scenario::{NewValue, Renumber, Rewrite};
use halfopen_tcp::{Flags, Seq};

use crate::flight::Outgoing;
use crate::wire::{self, Kind, Walk};

/// Rewrites an IP datagram with a TCP segment.
pub(super) fn rewrite(datagram: &mut [u8], new: &Rewrite, sent: &Outgoing) {
    if new.congestion_experienced {
        wire::mark_congestion(datagram);
    }
    let segment = wire::segment_mut(datagram);
    if let Some(flags) = new.flags {
        wire::put_control_bits(segment, flags);
    }
    if let Some(number) = new.sequence {
        renumber(segment, wire::SEQUENCE, number, sent.initial[0]);
    }
    if let Some(number) = new.acknowledgment
        && wire::control_bits(segment).contains(Flags::ACK)
    {
        renumber(segment, wire::ACKNOWLEDGMENT, number, sent.initial[1]);
    }
    if let Some(octets) = new.window {
        let field = u16::try_from(octets >> sent.window_shift).unwrap_or(u16::MAX);
        wire::put(segment, wire::WINDOW, &field.to_be_bytes());
    }
    if let Some(urgent) = new.urgent {
        let flags = wire::control_bits(segment);
        let (flags, pointer) = match urgent {
            NewValue::To(pointer) => (flags | Flags::URG, pointer),
            NewValue::Off => (flags.without(Flags::URG), 0),
        };
        wire::put_control_bits(segment, flags);
        wire::put(segment, wire::URGENT, &pointer.to_be_bytes());
    }
    let mss = new.mss.map(|mss| value(mss, u16::to_be_bytes));
    let scale = new.window_scale.map(|shift| value(shift, u8::to_be_bytes));
    let options = [
        (Kind::Mss, mss.as_ref().map(|mss| mss.as_ref().map(<[u8; 2]>::as_slice))),
        (Kind::WindowScale, scale.as_ref().map(|shift| shift.as_ref().map(<[u8; 1]>::as_slice))),
        (Kind::SackPermitted, new.no_sack_permitted.then_some(None)),
        (Kind::Sack, new.no_sack.then_some(None)),
        (Kind::Timestamps, new.no_timestamps.then_some(None)),
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

fn renumber(segment: &mut [u8], place: usize, new: Renumber, initial: Seq) {
    // Modulo 2^32, as sequence numbers are.
    let number = match new {
        Renumber::To(number) => initial + number as u32,
        Renumber::By(by) => wire::number(segment, place) + by as u32,
    };
    wire::put_number(segment, place, number);
}

/// Gives every option of this kind this value, or removes it.
fn replace_option(segment: &mut [u8], kind: Kind, value: Option<&[u8]>) {
    let mut walk = Walk::over(kind);
    while let Some(place) = walk.next(segment) {
        match value {
            Some(value) if value.len() == place.len() => wire::put(segment, place.start, value),
            Some(_) => {}
            None => wire::remove_option(segment, place),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use halfopen_tcp::{Header, Options, SackBlocks, Timestamps, read_segment};

    use super::*;
    use crate::rules::outgoing;

    /// A segment after a rewrite, read as a host reads it.
    fn rewritten(header: &Header, new: &Rewrite) -> Header {
        let [from, to]: [SocketAddr; 2] = ["10.0.0.1:40000", "10.0.0.2:80"].map(|text| text.parse().unwrap());
        let mut datagram =
            halfopen_tcp::encode_segment(from, to, header, &vec![b'x'; header.payload as usize]);
        let sent = Outgoing { initial: [Seq(1000), Seq(u32::MAX)], window_shift: 7, ..outgoing() };
        rewrite(&mut datagram, new, &sent);
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
            let mut datagram = vec![0; 48];
            (datagram[0], datagram[32]) = (0x45, 7 << 4);
            datagram[40..42].copy_from_slice(&[254, length]);
            rewrite(&mut datagram, &off, &outgoing());
            datagram[32] = 0xf0;
            rewrite(&mut datagram, &off, &outgoing());
        }
    }
}
