//! The threads on which sessions are played. Each has many, which take turns.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use tokio::time::Instant;

use super::order::{Key, Order};
use super::places::{Ended, Places};
use super::play::Session;
use crate::pool::panic_message;

/// How often leases are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// A thread's sessions.
pub(super) struct Stage {
    orders: Receiver<Order>,
    places: Places,
    sessions: BTreeMap<Key, Session>,
    /// Sessions with something to do.
    busy: VecDeque<Key>,
    looked: Instant,
}

impl Stage {
    pub(super) fn new(orders: Receiver<Order>, places: Places) -> Stage {
        let (sessions, busy) = (BTreeMap::new(), VecDeque::new());
        Stage { orders, places, sessions, busy, looked: Instant::now() }
    }

    /// Plays until nobody gives orders any more.
    pub(super) fn play(mut self) {
        loop {
            let order = match (self.busy.is_empty(), self.sessions.is_empty()) {
                (false, _) => self.orders.try_recv().map_err(|error| error == TryRecvError::Disconnected),
                (true, false) => {
                    self.orders.recv_timeout(LOOK).map_err(|error| error == RecvTimeoutError::Disconnected)
                }
                (true, true) => self.orders.recv().map_err(|_| true),
            };
            match order {
                Ok(order) => self.take(order),
                Err(true) => return,
                Err(false) => {}
            }
            if let Some(key) = self.busy.pop_front() {
                self.give_turn(key);
            }
            if self.looked.elapsed() >= LOOK {
                self.end_leases();
            }
        }
    }

    /// Follows an order. If that panics, only its session ends.
    fn take(&mut self, order: Order) {
        let key = order.key();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.follow(order))) {
            self.fail(key, panic_message(panic.as_ref()));
        }
    }

    /// A session panicked, and is not used again.
    fn fail(&mut self, key: Key, message: String) {
        tracing::error!("a session panicked: {message}");
        self.places.end(key, Ended::Failed(message));
        // Dropping what panicked might panic, too.
        let session = self.sessions.remove(&key);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(session)));
    }

    fn follow(&mut self, order: Order) {
        match order {
            Order::Open(key, opening, record, referee) => {
                self.sessions.insert(key, Session::new(opening, record, referee));
            }
            Order::Call(key, participant, queued) => {
                // Without a session the reply is dropped, and the caller learns why.
                if let Some(session) = self.sessions.get_mut(&key) {
                    session.take(participant, queued);
                    self.let_go_on(key);
                }
            }
            Order::Look(key, reply) => {
                if let Some(session) = self.sessions.get_mut(&key) {
                    // Whoever asked may be gone.
                    let _ = reply.send(session.look());
                }
            }
            Order::Export(key, reply) => {
                if let Some(session) = self.sessions.get(&key) {
                    let _ = reply.send(session.export());
                }
            }
            Order::Flush(key) => {
                if let Some(session) = self.sessions.get_mut(&key) {
                    session.flush();
                }
            }
            Order::GoOn(key) => self.let_go_on(key),
            Order::Close(key) => drop(self.sessions.remove(&key)),
        }
    }

    /// A session has something to do, if it is still there.
    fn let_go_on(&mut self, key: Key) {
        if !self.busy.contains(&key) {
            self.busy.push_back(key);
        }
    }

    /// A session does the next thing that there is to do.
    fn give_turn(&mut self, key: Key) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let went_on = AssertUnwindSafe(|| {
            let goes_on = session.go_on();
            if !goes_on {
                session.rest();
            }
            goes_on
        });
        match catch_unwind(went_on) {
            Ok(true) => self.busy.push_back(key),
            Ok(false) => {}
            Err(panic) => self.fail(key, panic_message(panic.as_ref())),
        }
    }

    fn end_leases(&mut self) {
        // A call that has arrived is in time.
        while let Ok(order) = self.orders.try_recv() {
            self.take(order);
        }
        self.looked = Instant::now();
        let looked = self.looked;
        let busy = &self.busy;
        let is_over = |(key, session): (&Key, &Session)| {
            (session.expires().is_some_and(|expires| expires <= looked) && !busy.contains(key))
                .then(|| (*key, session.lease(), session.turn()))
        };
        let over: Vec<_> = self.sessions.iter().filter_map(is_over).collect();
        for (key, lease, turn) in over {
            self.places.end(key, Ended::Expired { lease, turn });
            self.sessions.remove(&key);
        }
    }
}
