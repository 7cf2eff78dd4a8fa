//! What an application makes its calls through.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use halfopen_scenario::Scenario;
use halfopen_tcp::{ConnectionId, Endpoint, Errno, Instant, Received, SendFlags, SocketOptions};
use halfopen_trace::{CallReturned, EventKind, HostId};

use crate::connections::EndId;
use crate::content::CHUNK;
use crate::line::Line;
use crate::shared::Run;

/// What a turn is given. What moves data is noted and checked here; other calls are made on the endpoint itself.
pub(crate) struct Context<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) host: HostId,
    /// What the host's clock shows.
    pub(crate) now: Instant,
    /// The time of the run.
    pub(crate) time: Instant,
    pub(crate) endpoint: &'a mut Endpoint,
    pub(crate) run: &'a mut Run,
    /// The connections of the host.
    pub(crate) ends: &'a BTreeMap<ConnectionId, EndId>,
    /// What was read last is at its front.
    pub(crate) data: &'a mut Vec<u8>,
    /// To whoever makes calls from outside.
    pub(crate) line: &'a Line,
}

impl Context<'_> {
    /// An active open, from this address and port, or any.
    pub(super) fn connect(
        &mut self,
        to: SocketAddr,
        from: Option<IpAddr>,
        local_port: Option<u16>,
    ) -> Result<ConnectionId, Errno> {
        match from {
            Some(from) => self.endpoint.connect_from(self.now, from, local_port, to),
            None => self.endpoint.connect(self.now, local_port, to),
        }
    }

    /// Sets the options that are there.
    pub(super) fn set_options(&mut self, id: ConnectionId, options: &SocketOptions) {
        self.endpoint.set_options(self.now, id, options);
    }

    /// Sends at most `max_len` of the next octets of the end's pattern, and returns how many. Zero: the send buffer is full.
    pub(super) fn write_pattern(
        &mut self,
        id: ConnectionId,
        max_len: u64,
        flags: SendFlags,
    ) -> Result<u64, Errno> {
        let end = self.ends.get(&id).ok_or(Errno::NotConnected)?;
        let octets = self.run.connections.end(*end).written.next_of_pattern(max_len);
        // The record does not end in the middle of what is sent.
        let ends = flags.end_of_record && octets.len() as u64 == max_len;
        let flags = SendFlags { end_of_record: ends, ..flags };
        let taken = self.endpoint.send_with(self.now, id, octets, flags)?;
        self.written(*end, taken);
        Ok(taken as u64)
    }

    /// Sends the application's own octets and returns how many. Zero: the send buffer is full.
    pub(super) fn write_own(
        &mut self,
        id: ConnectionId,
        octets: &[u8],
        flags: SendFlags,
    ) -> Result<u64, Errno> {
        let end = self.ends.get(&id).ok_or(Errno::NotConnected)?;
        let taken = self.endpoint.send_with(self.now, id, octets, flags)?;
        self.run.connections.begin_own(*end, &octets[..taken]);
        self.written(*end, taken);
        Ok(taken as u64)
    }

    /// Sends octets that were the last to be read from another connection of the host, and returns how many. Zero: the send
    /// buffer is full.
    pub(super) fn write_relayed(
        &mut self,
        id: ConnectionId,
        from: ConnectionId,
        octets: &[u8],
    ) -> Result<u64, Errno> {
        let end = self.ends.get(&id).ok_or(Errno::NotConnected)?;
        let taken = self.endpoint.send(self.now, id, octets)?;
        let sent = &octets[..taken];
        let connections = &mut self.run.connections;
        let place = self.ends.get(&from).and_then(|from| {
            let offset = connections.end(*from).received.checked_sub(octets.len() as u64)?;
            connections.peers(*from).find_map(|peer| peer.written.place_of(offset, sent))
        });
        match place {
            Some(place) => connections.begin_copy(*end, place, taken),
            None => connections.begin_own(*end, sent),
        }
        self.written(*end, taken);
        Ok(taken as u64)
    }

    /// The error of a connection that no call has returned yet, as SO_ERROR tells it.
    pub(super) fn take_error(&mut self, id: ConnectionId) -> Option<Errno> {
        self.ends.get(&id).filter(|end| self.run.connections.end(**end).error.is_some())?;
        match self.endpoint.connected(id) {
            Poll::Ready(Err(errno)) => Some(errno),
            Poll::Ready(Ok(())) | Poll::Pending => None,
        }
    }

    fn written(&mut self, end: EndId, octets: usize) {
        if octets > 0 {
            self.run.connections.end_mut(end).written.advance(octets);
            self.note(end, EventKind::DataWritten { octets: octets as u64 });
        }
    }

    /// Receives at most `max_len` octets, and at most [`CHUNK`], to the front of `data`; checks them against what the peer's application
    /// sent, and counts them.
    pub(super) fn read(&mut self, id: ConnectionId, max_len: u64) -> Result<Received, Errno> {
        let room = CHUNK.min(usize::try_from(max_len).unwrap_or(CHUNK));
        self.data.resize(CHUNK, 0);
        let received = self.endpoint.receive(self.now, id, &mut self.data[..room])?;
        if let Received::Octets(octets) = received {
            self.received(id, octets);
        }
        Ok(received)
    }

    fn received(&mut self, id: ConnectionId, octets: usize) {
        let Some(end) = self.ends.get(&id).copied() else { return };
        let (connections, octets) = (&mut self.run.connections, &self.data[..octets]);
        let offset = connections.end(end).received;
        // What one of the ends that the peer had has sent is right.
        let own = connections.end(end);
        let checks = || connections.peers(end).map(|peer| own.check(&peer.written, offset, octets));
        let right = checks().any(|check| check.is_ok());
        let wrong = checks().filter_map(Result::err).max().unwrap_or(offset);
        let own = connections.end_mut(end);
        let octets = octets.len() as u64;
        own.received = offset + octets;
        let is_news = !right && !std::mem::replace(&mut own.mistaken, true);
        self.note(end, EventKind::DataRead { octets });
        if is_news {
            self.note(end, EventKind::DataMistaken { offset: wrong });
        }
    }

    /// What the trace tells of a call that returned an error: only the error of the connection, which is returned once.
    pub(super) fn returned_error(&mut self, id: ConnectionId, errno: Errno) -> Option<CallReturned> {
        let end = self.run.connections.end_mut(*self.ends.get(&id)?);
        let error = end.error.take_if(|error| *error == errno)?;
        Some(CallReturned { error: Some(error), end_of_stream: false, step: None })
    }

    /// What the trace tells of a call that saw the end of the stream, if it is the first.
    pub(super) fn first_end_of_stream(&mut self, id: ConnectionId) -> Option<CallReturned> {
        let end = self.run.connections.end_mut(*self.ends.get(&id)?);
        let is_first = !std::mem::replace(&mut end.has_read_end, true);
        is_first.then_some(CallReturned { error: None, end_of_stream: true, step: None })
    }

    /// Something happened to an end on this host.
    fn note(&mut self, end: EndId, kind: EventKind) {
        self.run.recorder.push(self.time, Some(self.host), Some(end.number), kind);
    }
}
