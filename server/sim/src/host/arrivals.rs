//! What arrives at a host: datagrams, messages of routers, and what no host sent.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use halfopen_network::Flight;
use halfopen_scenario::{Effect, Unreachable};
use halfopen_tcp::{Arrival, Disposition, DropReason};
use halfopen_trace::{ConnectionNumber, EventKind, LossReason, SegmentNumber};

use super::Machine;
use crate::scripted::hand_over;
use crate::world::MOST_KEPT;

impl Machine {
    /// Takes what arrives in this step; what waited while the host was paused comes before.
    pub(super) fn receive(&mut self) {
        if !self.shared.control(self.host).paused.get() {
            for (flight, octets) in self.shared.take_waiting(self.host) {
                self.arrived.push((flight, keep(&mut self.incoming, &octets)));
            }
        }
        self.port.receive(&mut self.incoming, |flight, octets| self.arrived.push((flight, octets)));
    }

    /// The host is paused: what arrives waits, as far as there is room.
    pub(super) fn keep_waiting(&mut self) {
        for (flight, octets) in self.arrived.drain(..) {
            if !self.shared.keep_waiting(self.host, flight, &self.incoming[octets]) {
                let now = self.shared.now.get();
                self.shared.run.borrow_mut().lose(now, flight, LossReason::HostPaused);
            }
        }
        self.forget_arrivals();
    }

    /// Handles what arrived: only what opens a connection, or all.
    pub(super) fn take_arrivals(&mut self, only_opening: bool) {
        if only_opening && !self.arrived.iter().any(|(flight, _)| flight.opens) {
            return;
        }
        let mut arrived = std::mem::take(&mut self.arrived);
        arrived.retain(|(flight, octets)| {
            let now = !only_opening || flight.opens;
            if now {
                self.arrives(*flight, octets.clone());
            }
            !now
        });
        self.arrived = arrived;
        if !only_opening {
            self.forget_arrivals();
        }
    }

    /// All that arrived is handled. What a burst has reserved is given back.
    fn forget_arrivals(&mut self) {
        self.incoming.clear();
        self.incoming.shrink_to(MOST_KEPT);
        self.arrived.shrink_to(MOST_KEPT / size_of::<(Flight, Range<usize>)>());
    }

    fn arrives(&mut self, flight: Flight, octets: Range<usize>) {
        let (now, octets) = (self.local(), &self.incoming[octets]);
        let arrival = hand_over(&self.shared, self.host, &mut self.endpoint, now, octets);
        let mut run = self.shared.run.borrow_mut();
        let Flight { segment, connection, message, .. } = flight;
        let datagram = match message {
            None => run.snapshots.arrived(segment, octets),
            Some(_) => run.snapshots.keep(octets),
        };
        drop(run);
        match message {
            None => self.note_arrival(arrival, (segment, datagram), connection),
            Some(code) => self.note_message(arrival, code, (segment, datagram), connection),
        }
    }

    /// A router has said that it could not deliver a segment, sent on a connection.
    fn note_message(
        &mut self,
        arrival: Arrival,
        code: Unreachable,
        (segment, datagram): (SegmentNumber, Option<Arc<[u8]>>),
        connection: Option<ConnectionNumber>,
    ) {
        let dropped = reason(arrival.disposition);
        let kind = EventKind::DestinationUnreachable { segment, code, dropped, datagram };
        self.note(connection, kind);
        self.drain(None);
        if let Some(connection) = arrival.connection {
            self.application.connection_changed(connection);
        }
    }

    /// What arrives that no host sent.
    pub(super) fn take_forgeries(&mut self) {
        let now = self.shared.now.get();
        let shared = Rc::clone(&self.shared);
        let faults = shared.faults.borrow();
        for fault in shared.control(self.host).forgeries.take() {
            let Effect::Inject(forgery) = &faults.get(fault).effect else {
                unreachable!("only an injection is forged")
            };
            let status = |number| {
                let mut newest_first = self.ends.iter().rev();
                let (id, _) = newest_first.find(|(_, end)| end.number == number)?;
                self.endpoint.status(*id)
            };
            let forged = shared.run.borrow_mut().forge(&shared.scenario, forgery, (now, fault), status);
            if let Some(forged) = forged {
                let (time, endpoint) = (self.local(), &mut self.endpoint);
                let arrival = hand_over(&shared, self.host, endpoint, time, &forged.datagram);
                self.note_arrival(arrival, (forged.segment, None), Some(forged.connection));
            }
        }
    }

    /// A segment has arrived, sent on a connection.
    fn note_arrival(
        &mut self,
        arrival: Arrival,
        (segment, datagram): (SegmentNumber, Option<Arc<[u8]>>),
        connection: Option<ConnectionNumber>,
    ) {
        let now = self.shared.now.get();
        let known = arrival.connection.and_then(|connection| self.ends.get(&connection)).copied();
        let mut run = self.shared.run.borrow_mut();
        if let Some(end) = known {
            run.connections.arrived(end, now);
        }
        let dropped = reason(arrival.disposition);
        let connection = known.map(|end| end.number).or(connection);
        let arrived = EventKind::SegmentArrived { segment, dropped, datagram };
        run.recorder.push(now, Some(self.host), connection, arrived);
        drop(run);

        self.drain(Some(segment));
        if let Some(connection) = arrival.connection {
            if known.is_none()
                && let Some(end) = self.ends.get(&connection)
            {
                self.shared.run.borrow_mut().connections.arrived(*end, now);
            }
            self.application.connection_changed(connection);
        }
    }
}

/// Puts octets with the others.
fn keep(incoming: &mut Vec<u8>, octets: &[u8]) -> Range<usize> {
    let start = incoming.len();
    incoming.extend_from_slice(octets);
    start..incoming.len()
}

/// Why what arrived was not used; `None` if it was.
fn reason(disposition: Disposition) -> Option<DropReason> {
    match disposition {
        Disposition::Accepted => None,
        Disposition::Dropped(reason) => Some(reason),
    }
}
