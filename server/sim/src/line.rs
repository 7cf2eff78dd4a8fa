//! How calls from outside reach a host, and what they may find ready there.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use halfopen_tcp::{Instant, Readiness};
use halfopen_trace::HostId;

use crate::command::{Call, Refusal, Reply, SocketId};

/// Between somebody outside and the application that makes the calls on a host.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// The call to be made in the host's next turn.
    call: RefCell<Option<Call>>,
    reply: RefCell<Option<Result<Reply, Refusal>>>,
    /// The open sockets, each as it was after the host's last turn.
    sockets: RefCell<BTreeMap<SocketId, Readiness>>,
    /// How many there have ever been.
    opened: Cell<u32>,
    /// What the host's clock shows when somebody wants to go on.
    alarm: Cell<Option<Instant>>,
}

impl Line {
    /// The host shall make this call.
    pub(crate) fn ask(&self, call: Call) {
        self.call.replace(Some(call));
    }

    /// The call that is to be made.
    pub(crate) fn take_call(&self) -> Option<Call> {
        self.call.take()
    }

    /// It was made.
    pub(crate) fn answer(&self, reply: Result<Reply, Refusal>) {
        self.reply.replace(Some(reply));
    }

    /// What came of it; `None`: it was not made.
    pub(crate) fn take_reply(&self) -> Option<Result<Reply, Refusal>> {
        self.call.take();
        self.reply.take()
    }

    /// Somebody wants to go on when the host's clock shows this, or at an earlier time that was said before.
    pub(crate) fn set_alarm(&self, time: Instant) {
        self.alarm.set(Some(self.alarm.get().map_or(time, |alarm| alarm.min(time))));
    }

    /// Nobody waits for a time any more.
    pub(crate) fn clear_alarm(&self) {
        self.alarm.set(None);
    }

    /// When somebody wants to go on.
    pub(crate) fn alarm(&self) -> Option<Instant> {
        self.alarm.get()
    }

    /// A socket is opened.
    pub(crate) fn open(&self, host: HostId) -> SocketId {
        let number = self.opened.get() + 1;
        self.opened.set(number);
        let socket = SocketId { host, number };
        self.update(socket, Readiness::default());
        socket
    }

    /// Notes which calls on a socket would return at once.
    pub(crate) fn update(&self, socket: SocketId, readiness: Readiness) {
        self.sockets.borrow_mut().insert(socket, readiness);
    }

    /// A socket is gone.
    pub(crate) fn close(&self, socket: SocketId) {
        self.sockets.borrow_mut().remove(&socket);
    }

    /// Every socket is gone.
    pub(crate) fn close_all(&self) {
        self.sockets.borrow_mut().clear();
    }

    /// Which calls on a socket would return at once; `None` if there is no such socket.
    pub(crate) fn readiness(&self, socket: SocketId) -> Option<Readiness> {
        self.sockets.borrow().get(&socket).copied()
    }
}
