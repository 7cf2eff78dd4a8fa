//! Segments that are rewritten, and segments by the name of their connection.

use super::{Checker, Place, word};
use crate::de::Spanned;
use crate::parse::Scalar;
use crate::shape::NewFields;
use crate::{ConnectionRef, HostId, NewValue, Rewrite, wording};

impl Checker<'_> {
    pub(super) fn rewrite(&mut self, place: Place, given: &Option<Spanned<NewFields>>) -> Rewrite {
        let set = given.as_ref().map(|set| rewrite(&set.value)).unwrap_or_default();
        let pruned = place.pruned || given.as_ref().is_some_and(|set| set.pruned);
        if set == Rewrite::default() && !pruned {
            let place = given.as_ref().map_or(place.span, |set| set.span);
            self.problem(place, "this does not say what is rewritten", "for example `set: {window: 0}`");
        }
        set
    }

    /// The connection of that name at one of these hosts, or at any.
    pub(super) fn connection_at_either_end(
        &mut self,
        ends: [Option<HostId>; 2],
        on: &Spanned<Scalar<String>>,
    ) -> Option<ConnectionRef> {
        let Scalar(name) = &on.value;
        let named = ends.into_iter().flatten().find_map(|host| self.find_connection(host, name));
        if named.is_some() {
            return named;
        }
        let hosts = (0..self.hosts.len()).map(HostId);
        let found: Vec<ConnectionRef> = hosts.filter_map(|host| self.find_connection(host, name)).collect();
        match found[..] {
            [one] => Some(one),
            [] => {
                let all = self.programs.iter().flat_map(|program| program.connections.iter().flatten());
                let names: Vec<&str> = all.map(String::as_str).collect();
                let help = wording::suggest(name, names.iter().copied()).unwrap_or_else(|| match names[..] {
                    [] => "no connection has a name; give it one with `as: …`".to_owned(),
                    _ => format!("there are {}", wording::list(names.iter().copied())),
                });
                self.problem(on.span, format!("no connection is called `{}`", wording::short(name)), help);
                None
            }
            _ => {
                let message = format!("more than one host has a connection `{}`", wording::short(name));
                self.problem(on.span, message, "say whose with `from` or `to`");
                None
            }
        }
    }
}

fn rewrite(set: &NewFields) -> Rewrite {
    let octets = |size: Option<u16>| size.map_or(NewValue::Off, NewValue::To);
    Rewrite {
        sequence: word(&set.sequence).map(|number| number.0),
        acknowledgment: word(&set.acknowledgment).map(|number| number.0),
        flags: word(&set.flags).map(|flags| flags.0),
        window: word(&set.window).map(|window| window.0),
        urgent: word(&set.urgent).map(|urgent| octets(urgent.0)),
        mss: word(&set.mss).map(|mss| octets(mss.0)),
        window_scale: word(&set.window_scale).map(|scale| scale.0.map_or(NewValue::Off, NewValue::To)),
        no_sack_permitted: set.sack_permitted.is_some(),
        no_sack: set.sack.is_some(),
        no_timestamps: set.timestamps.is_some(),
    }
}
