//! What a run can be played until.

use halfopen_network::Connections as _;
use halfopen_tcp::{Instant, Readiness, State};
use halfopen_trace::{Event, HostId};

use crate::command::SocketId;
use crate::driver::Driver;

/// Something that may come true while a run is played.
#[derive(Clone, Copy)]
pub enum Condition<'a> {
    /// `receive` or `accept` on a socket would do something at once, or the socket is gone, so that a call is refused at once.
    Readable(SocketId),
    /// `send` or `finish-connect` on a socket would do something at once, or the socket is gone.
    Writable(SocketId),
    /// The clock of the host shows this time or a later one, and what else happens there at this instant has happened.
    Clock(HostId, Instant),
    /// A connection of the host is in this state.
    State(HostId, State),
    /// An event happens, from now on, of which this is true. It is asked once about each event.
    Event(&'a dyn Fn(&Event) -> bool),
}

impl Condition<'_> {
    /// From now on somebody waits for it.
    pub(crate) fn watch(&self, driver: &Driver) {
        let shared = &driver.shared;
        match self {
            Condition::Readable(_) | Condition::Writable(_) | Condition::State(..) | Condition::Event(_) => {}
            Condition::Clock(host, time) => {
                if let Some(control) = shared.find_control(*host) {
                    control.line.set_alarm(*time);
                }
            }
        }
    }

    /// Whether it holds; of events only those after the first `seen` count.
    pub(crate) fn holds(&self, driver: &Driver, seen: u64) -> bool {
        let shared = &driver.shared;
        let ready = |socket: SocketId, of: fn(Readiness) -> bool| {
            let Some(control) = shared.find_control(socket.host) else { return true };
            control.line.readiness(socket).is_none_or(|readiness| control.runs() && of(readiness))
        };
        match self {
            Condition::Readable(socket) => ready(*socket, |readiness| readiness.readable),
            Condition::Writable(socket) => ready(*socket, |readiness| readiness.writable),
            Condition::Clock(host, time) => shared.find_control(*host).is_some_and(|control| {
                let shows = control.clock.get().at(shared.now.get());
                shows >= *time && driver.is_up(*host) && driver.has_had_turn(*host)
            }),
            Condition::State(host, state) => {
                let connections = &mut shared.run.borrow_mut().connections;
                connections.watch(*host, *state);
                connections.in_state_since(*host, *state).is_some()
            }
            Condition::Event(is_meant) => shared.run.borrow().recorder.after(seen).any(is_meant),
        }
    }
}
