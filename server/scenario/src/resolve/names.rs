//! Connections by name.

use std::num::NonZeroU32;

use super::Checker;
use crate::de::Spanned;
use crate::parse::Scalar;
use crate::{ConnectionRef, HostId, Slot, wording};

/// The name of a connection, and which of those that were opened under it: `pool`, or `pool#3`.
#[derive(Clone, Copy)]
struct ConnectionName<'a> {
    name: &'a str,
    nth: Option<NonZeroU32>,
}

impl Checker<'_> {
    /// The connection of that name on a host.
    pub(super) fn connection_of(
        &mut self,
        host: HostId,
        on: &Spanned<Scalar<String>>,
    ) -> Option<ConnectionRef> {
        let name = self.connection_name(on)?;
        let found = self.find_connection(host, name);
        if found.is_none() {
            let programs = self.programs.iter().filter(|program| program.host == host);
            let names: Vec<String> =
                programs.flat_map(|known| known.connections.iter().flatten().cloned()).collect();
            self.no_such(on.span, "connection of this host", name.name, &names, |names| match names {
                [] => "no connection of this host has a name; give it one with `as: …`".to_owned(),
                names => format!("this host has {}", wording::list(names.iter().copied())),
            });
        }
        found
    }

    /// The connection of that name at one end, or else at the other.
    pub(super) fn connection_between(
        &mut self,
        [from, to]: [HostId; 2],
        on: &Spanned<Scalar<String>>,
    ) -> Option<ConnectionRef> {
        let name = self.connection_name(on)?;
        let found = self.find_connection(from, name).or_else(|| self.find_connection(to, name));
        found.or_else(|| self.connection_of(from, on))
    }

    /// The connections of that name at these hosts, or else at any. Hosts that are connected may call their connection the
    /// same.
    pub(super) fn connections_at_either_end(
        &mut self,
        ends: [Option<HostId>; 2],
        on: &Spanned<Scalar<String>>,
    ) -> Vec<ConnectionRef> {
        let Some(name) = self.connection_name(on) else { return Vec::new() };
        let here: Vec<ConnectionRef> =
            ends.into_iter().flatten().filter_map(|host| self.find_connection(host, name)).collect();
        if !here.is_empty() {
            return here;
        }
        let hosts = (0..self.hosts.len()).map(HostId);
        let found: Vec<ConnectionRef> = hosts.filter_map(|host| self.find_connection(host, name)).collect();
        if found.is_empty() {
            let all = self.programs.iter().flat_map(|program| program.connections.iter().flatten());
            let names: Vec<String> = all.cloned().collect();
            self.no_such(on.span, "connection", name.name, &names, |names| match names {
                [] => "no connection has a name; give it one with `as: …`".to_owned(),
                names => format!("there are {}", wording::list(names.iter().copied())),
            });
        }
        found
    }

    fn connection_name<'n>(&mut self, on: &'n Spanned<Scalar<String>>) -> Option<ConnectionName<'n>> {
        let Scalar(text) = &on.value;
        let Some((name, number)) = text.split_once('#') else {
            return Some(ConnectionName { name: text, nth: None });
        };
        let nth = number.parse().ok();
        if nth.is_none() {
            let help = format!("count from 1, in the order of opening: `{}#1`", wording::short(name));
            self.problem(
                on.span,
                format!("`{}` is not a number of a connection", wording::short(number)),
                help,
            );
        }
        nth.map(|nth| ConnectionName { name, nth: Some(nth) })
    }

    fn find_connection(
        &self,
        host: HostId,
        ConnectionName { name, nth }: ConnectionName<'_>,
    ) -> Option<ConnectionRef> {
        let named = |known: &Option<String>| known.as_deref() == Some(name);
        self.programs.iter().enumerate().filter(|(_, program)| program.host == host).find_map(
            |(program, known)| {
                let connection = known.connections.iter().position(named)?;
                Some(ConnectionRef { program, connection: Slot(connection), nth })
            },
        )
    }
}
