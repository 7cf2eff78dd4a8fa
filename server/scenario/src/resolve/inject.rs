//! Segments that no host sent.

use halfopen_tcp::Flags;

use super::{Checker, Place, key, word};
use crate::address::Port;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::shape::{self, ControlBits, Given, NewWindow, OrOff, WindowScaling};
use crate::{ForgedOptions, ForgedTimestamps, Forgery, HostId, Limits, Payload};

impl Checker<'_> {
    pub(super) fn forgery(&mut self, place: Place, given: &Given<shape::Forgery>) -> Option<Forgery> {
        let place = given.span_or(place.span);
        let Some(inject) = given.inner() else {
            let help = "for example `inject: {from: client, flags: RST, sequence: rcv.nxt}`";
            self.problem(place, "this does not say which segment", help);
            return None;
        };
        if !given.is_pruned() {
            let needed = [
                (inject.from.is_none(), "which host it appears to come from", "`from: client`"),
                (inject.flags.is_none(), "which control bits it has", "`flags: RST`"),
                (inject.sequence.is_none(), "which sequence number it has", "`sequence: rcv.nxt`"),
            ];
            for (_, what, add) in needed.iter().filter(|(missing, ..)| *missing) {
                self.problem(place, format!("this does not say {what}"), format!("add {add}"));
            }
        }
        let from = self.host_at(&inject.from);
        let to = self.other_end(place, inject, from);
        let flags = word(&inject.flags).map(|ControlBits(flags)| flags);
        if let Some(flags) = flags {
            self.fits_flags(inject, flags);
        }
        let port = self.asked_port(inject, from, flags);
        let payload = self.forged_payload(inject);
        let options = self.forged_options(inject);
        let (from, to) = (from?, to?);
        let connection = match &inject.on {
            Some(on) => Some(self.connection_between([from, to], on)?),
            None => None,
        };
        Some(Forgery {
            from,
            to,
            connection,
            port,
            flags: flags?,
            sequence: word(&inject.sequence)?,
            acknowledgment: word(&inject.acknowledgment),
            window: word(&inject.window).map(|NewWindow(octets)| octets),
            payload,
            is_unchecked: inject.content.is_some(),
            options,
        })
    }

    /// The port that a host without a TCP asks for.
    fn asked_port(
        &mut self,
        inject: &shape::Forgery,
        from: Option<HostId>,
        flags: Option<Flags>,
    ) -> Option<u16> {
        let Port(port) = word(&inject.port)?;
        let place = key(&inject.port).unwrap_or_default();
        if let Some(from) = from.filter(|from| !self.hosts[from.0].is_scripted) {
            let message =
                format!("`{}` has a TCP, which opens connections by itself", self.hosts[from.0].name);
            self.problem(place, message, "leave `port` out, or let the host have `tcp: none`");
        } else if flags.is_some_and(|flags| flags.without(Flags::ECN) != Flags::SYN) {
            let message = "only a SYN asks for a new connection";
            self.problem(place, message, "leave `port` out: the segment belongs to the newest connection");
        } else if let Some(on) = &inject.on {
            let message = "a new connection has no name yet";
            self.problem(on.key, message, "leave `on` out, or `port` for an old one");
        }
        Some(port)
    }

    /// The host that is named, or the only other one.
    fn other_end(&mut self, place: Span, inject: &shape::Forgery, from: Option<HostId>) -> Option<HostId> {
        if let Some(name) = &inject.to {
            let to = self.host_at(&inject.to);
            self.two_ends([from, to], name.span);
            return to;
        }
        match (from?, self.hosts.len()) {
            (HostId(from), 2) => Some(HostId(1 - from)),
            (_, 1) => {
                self.problem(place, "there is no host that it could arrive at", "add another host");
                None
            }
            _ => {
                self.problem(place, "this does not say which host it arrives at", "add `to: server`");
                None
            }
        }
    }

    fn fits_flags(&mut self, inject: &shape::Forgery, flags: Flags) {
        match (flags.contains(Flags::ACK), key(&inject.acknowledgment)) {
            (true, None) => {
                let place = key(&inject.flags).unwrap_or_default();
                let help = "add `acknowledgment: snd.nxt`, or leave ACK out";
                self.problem(place, "a segment with ACK has an acknowledgment number", help);
            }
            (false, Some(place)) => {
                let help = "add ACK to the flags, or leave it out";
                self.problem(place, "a segment without ACK has no acknowledgment number", help);
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    fn forged_payload(&mut self, inject: &shape::Forgery) -> Option<Payload> {
        let Some(given) = &inject.payload else {
            if let Some(content) = &inject.content {
                self.problem(content.key, "`content` without `payload`", "add `payload: 10 B`");
            }
            return None;
        };
        let payload = match &given.value {
            shape::arguments::Payload::Size(Size(octets)) => Payload::Octets(*octets),
            shape::arguments::Payload::Text(text) => Payload::Text(text.value.0.clone()),
        };
        let (octets, max_octets) = (payload.octets(), u64::from(Limits::MAX_FORGED_OCTETS));
        if octets > max_octets {
            self.out_of_range(given.span, octets, 0, max_octets);
            return None;
        }
        Some(payload).filter(|payload| payload.octets() > 0)
    }

    fn forged_options(&mut self, inject: &shape::Forgery) -> ForgedOptions {
        let timestamps = match &inject.timestamps {
            None | Some(OrOff::Off) => None,
            Some(OrOff::On(ticks)) => Some(ForgedTimestamps {
                value: word(&ticks.value).unwrap_or_default(),
                echo: word(&ticks.echo).unwrap_or_default(),
            }),
        };
        let mut sack = Vec::new();
        if let Some(given) = &inject.sack {
            let blocks = given.value.iter().map(Vec::as_slice);
            sack.extend(blocks.filter_map(|block| match block {
                [Scalar(left), Scalar(right)] => Some([*left, *right]),
                _ => None,
            }));
            // RFC 2018 §3: what fits into 40 octets of options.
            let most = if timestamps.is_some() { 3 } else { 4 };
            if (sack.len() != given.value.len() || sack.is_empty()) && !given.pruned {
                let help = "write the left and the right edge of each: `sack: [[1025, 2049]]`";
                self.problem(given.span, "these are not SACK blocks", help);
            } else if sack.len() > most {
                let message = format!("a segment has room for {most} SACK blocks");
                self.problem(given.span, message, "leave some out");
            }
        }
        ForgedOptions {
            mss: self.octets(&inject.mss, 0),
            window_scale: word(&inject.window_scale).and_then(|WindowScaling(shift)| shift),
            sack_permitted: word(&inject.sack_permitted).is_some_and(|Switch(on)| on),
            sack,
            timestamps,
        }
    }
}
