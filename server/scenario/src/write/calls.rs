//! What somebody outside does.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::hosts::address;
use super::programs::send_flags;
use super::yaml::{Map, Yaml};
use super::{Writer, name, size};
use crate::{Action, CallKind, HostId, Socket, TimedCall};

impl Writer<'_> {
    /// Each call on a line.
    pub(super) fn calls(self) -> Yaml {
        let mut calls = Calls { writer: self, hosts: BTreeMap::new() };
        Yaml::Rows(self.scenario.calls.list.iter().map(|call| calls.call(call).into()).collect())
    }
}

/// The calls while they are written.
struct Calls<'a> {
    writer: Writer<'a>,
    /// The sockets that are open so far, each with its host.
    hosts: BTreeMap<Socket, HostId>,
}

impl Calls<'_> {
    fn call(&mut self, TimedCall { time, turn, call, location: _, text: _ }: &TimedCall) -> Map {
        let map = Map::new().with("at", *time).unless(&0, "turn", *turn).and(self.kind(call));
        if let (Some(socket), Some(host)) = (call.opens(), self.caller(call)) {
            self.hosts.insert(socket, host);
        }
        map
    }

    fn kind(&self, call: &CallKind) -> Map {
        let word = call.name();
        match call {
            CallKind::Listen { host, port, address, backlog, reuse_address, options, socket } => Map::new()
                .with(word, u32::from(port.unwrap_or_default()))
                .with("host", self.writer.host(*host))
                .maybe("address", address.map(self::address))
                .unless(&Action::DEFAULT_BACKLOG, "backlog", *backlog)
                .unless(&true, "reuse-address", *reuse_address)
                .maybe("set", self.writer.options_beside(*host, options))
                .maybe("as", socket.map(|socket| self.socket(socket))),
            CallKind::Connect { host, to, from, local_port, options, socket } => Map::new()
                .with(word, self.writer.destination(*host, *to))
                .with("host", self.writer.host(*host))
                .maybe("from", from.map(address))
                .maybe("port", local_port.map(u32::from))
                .maybe("set", self.writer.options_beside(*host, options))
                .maybe("as", socket.map(|socket| self.socket(socket))),
            CallKind::FinishConnect(socket)
            | CallKind::Status(socket)
            | CallKind::Close(socket)
            | CallKind::Abort(socket) => Map::new().with(word, self.socket(*socket)),
            CallKind::Accept { listener, socket } => Map::new()
                .with(word, self.socket(*listener))
                .maybe("as", socket.map(|socket| self.socket(socket))),
            CallKind::Send { socket, octets, flags } => {
                Map::new().with(word, data(octets)).with("on", self.socket(*socket)).and(send_flags(*flags))
            }
            CallKind::Receive { socket, max } => {
                Map::new().with(word, size(*max)).with("on", self.socket(*socket))
            }
            CallKind::ShutdownWrite(socket) => {
                Map::new().with(word, "write").with("on", self.socket(*socket))
            }
            CallKind::ShutdownRead(socket) => Map::new().with(word, "read").with("on", self.socket(*socket)),
            CallKind::Set { socket, options } => {
                let options =
                    self.caller(call).map(|host| self.writer.options(host, options)).unwrap_or_default();
                Map::new().with(word, options).with("on", self.socket(*socket))
            }
            CallKind::AddFault(fault) => Map::new().with(word, self.writer.fault(fault)),
            CallKind::LiftFault(index) => Map::new().with(word, *index as u64 + 1),
            CallKind::Finish => Map::new().with(word, Yaml::Nothing),
        }
    }

    fn socket(&self, Socket(socket): Socket) -> Yaml {
        name(self.writer.scenario.calls.sockets.get(socket).map_or("", String::as_str))
    }

    /// The host that makes a call, if one does.
    fn caller(&self, call: &CallKind) -> Option<HostId> {
        match call {
            CallKind::Listen { host, .. } | CallKind::Connect { host, .. } => Some(*host),
            _ => self.hosts.get(&call.on()?).copied(),
        }
    }
}

/// Text if a person can read it, or else base64.
fn data(octets: &[u8]) -> Map {
    let is_readable =
        |text: &&str| !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'));
    match std::str::from_utf8(octets).ok().filter(is_readable) {
        Some(text) => Map::new().with("text", Yaml::Text(text.to_owned())),
        None => Map::new().with("base64", Yaml::Text(BASE64_STANDARD.encode(octets))),
    }
}
