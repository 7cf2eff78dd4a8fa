//! The connections of a program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Draft, Progress};
use crate::address::Destination;
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::Scalar;
use crate::resolve::{Checker, Place};
use crate::shape::Opt;
use crate::{ConnectionRef, HostId, Slot, wording};

/// The name by which every host knows itself (RFC 6761 §6.3).
pub(in crate::resolve) const LOCALHOST: &str = "localhost";

/// What `localhost` is on a host with these addresses.
fn loopback(addresses: &[IpAddr]) -> IpAddr {
    match addresses.iter().any(IpAddr::is_ipv4) {
        true => Ipv4Addr::LOCALHOST.into(),
        false => Ipv6Addr::LOCALHOST.into(),
    }
}

/// A connection that some step opens.
pub(super) struct Connection<'a> {
    name: Option<&'a str>,
    /// The repetitions around the step that opens it, outermost first.
    within: Vec<Span>,
    /// The line in which it is closed.
    closed: Option<u32>,
}

impl Connection<'_> {
    pub(super) fn name(&self) -> Option<String> {
        self.name.map(str::to_owned)
    }
}

impl Progress<'_> {
    /// The other programs of the host.
    fn others(&self) -> impl Iterator<Item = &Draft<'_>> {
        self.drafts.iter().filter(|draft| draft.host == self.host && draft.position != self.position)
    }

    /// The connection of that name that another program of the host opens.
    fn shared(&mut self, name: &str) -> Option<Slot> {
        let meant = self.others().find_map(|draft| {
            let connection = draft.connections.iter().position(|known| *known == Some(name))?;
            Some(ConnectionRef { program: draft.position, connection: Slot(connection), nth: None })
        })?;
        let known = self.shared.iter().position(|shared| *shared == meant);
        let index = known.unwrap_or_else(|| {
            self.shared.push(meant);
            self.shared.len() - 1
        });
        Some(Slot(self.total + index))
    }
}

impl Checker<'_> {
    /// A new connection of the program.
    pub(super) fn opened<'s>(&mut self, progress: &mut Progress<'s>, name: &'s Opt<String>) -> Slot {
        if let Some(name) = name {
            let Scalar(text) = &name.value;
            self.name(name.span, "a connection's name", text);
            let here = progress.connections.iter().any(|known| known.name == Some(text.as_str()));
            let host = progress.host;
            let elsewhere = self.programs.iter().filter(|program| program.host == host);
            if here
                || elsewhere
                    .flat_map(|program| &program.connections)
                    .any(|known| known.as_ref() == Some(text))
            {
                let message = format!("another connection of this host is called `{text}`");
                self.problem(name.span, message, "choose another name");
            }
        }
        progress.connections.push(Connection {
            name: name.as_ref().map(|name| name.value.0.as_str()),
            within: progress.repeats.clone(),
            closed: None,
        });
        Slot(progress.connections.len() - 1)
    }

    /// The connection that a step is about.
    pub(super) fn connection(
        &mut self,
        progress: &mut Progress<'_>,
        place: Place,
        on: Option<&Spanned<Scalar<String>>>,
    ) -> Option<Slot> {
        let slot = match on {
            Some(name) => self.named(progress, name),
            None if progress.vague => None,
            None if progress.connections.is_empty() => {
                self.problem(
                    place.span,
                    "there is no connection yet",
                    "put `connect: server:80`, or `listen: 80` and `accept`, before it",
                );
                None
            }
            None if progress.total > 1 => {
                let message = format!("this program has {} connections", progress.total);
                self.problem(place.span, message, "name each with `as: …` and say which with `on: …`");
                None
            }
            None => Some(Slot(0)),
        }?;
        if let Some(line) = progress.connections.get(slot.0).and_then(|own| own.closed) {
            let message = format!("the connection is already closed in line {line}");
            self.problem(place.span, message, "to close one direction only, use `shutdown: write` there");
        }
        Some(slot)
    }

    fn named(&mut self, progress: &mut Progress<'_>, name: &Spanned<Scalar<String>>) -> Option<Slot> {
        let Scalar(text) = &name.value;
        let own = progress.connections.iter().position(|known| known.name == Some(text.as_str()));
        let found = own.map(Slot).or_else(|| progress.shared(text));
        if found.is_none() && !progress.vague {
            let others = progress.others().flat_map(|draft| draft.connections.iter().flatten().copied());
            let names = progress.connections.iter().filter_map(|known| known.name).chain(others);
            let names: Vec<String> = names.map(str::to_owned).collect();
            self.no_such(name.span, "connection", text, &names, |names| match names {
                [] => format!(
                    "name it where it is opened: `connect: server:80` with `as: {}`",
                    wording::short(text)
                ),
                names => format!("so far there are {}", wording::list(names.iter().copied())),
            });
        }
        found
    }

    /// The connection that a step closes.
    pub(super) fn closed(
        &mut self,
        progress: &mut Progress<'_>,
        place: Place,
        on: Option<&Spanned<Scalar<String>>>,
    ) -> Option<Slot> {
        let slot = self.connection(progress, place, on)?;
        // Another program may open one that is shared again.
        let Some(connection) = progress.connections.get_mut(slot.0) else { return Some(slot) };
        connection.closed = Some(place.span.line);
        if !connection.within.starts_with(&progress.repeats) {
            let message = "this closes the same connection in every round";
            self.problem(place.span, message, "close it after the `repeat`, or open a new one in each round");
        }
        Some(slot)
    }

    pub(in crate::resolve) fn destination(
        &mut self,
        from: HostId,
        span: Span,
        to: &Destination,
    ) -> Option<SocketAddr> {
        let own = &self.hosts[from.0].addresses;
        let address = match to.host.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) if to.host == LOCALHOST => loopback(own),
            Err(_) => {
                let host = self.host(span, &to.host)?;
                let Some(address) = self.hosts[host.0].address_from(&self.hosts[from.0]) else {
                    let message =
                        format!("`{}` cannot be reached: one host has IPv4 and the other IPv6", to.host);
                    self.problem(span, message, "give both hosts an address of one family");
                    return None;
                };
                address
            }
        };
        Some(SocketAddr::new(address, to.port))
    }
}
