//! What the driver of a session and the tasks on its hosts share.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use halfopen_proto::v1;
use tonic::Status;

use super::calls::Service;

/// A task, or a call on its way.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
/// A call that is to be made.
type Order = Box<dyn FnOnce(Service) -> Task + Send>;

/// What is shared. Calls are made by the driver, one after the other in the order in which tasks asked for them.
#[derive(Clone)]
pub(super) struct World {
    session: Arc<str>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(super) struct State {
    /// The virtual time, as far as it is known.
    pub(super) now: Duration,
    pub(super) orders: VecDeque<Order>,
    /// Who waits until a socket is ready.
    pub(super) sockets: BTreeMap<(u32, Direction), Vec<Waker>>,
    /// Who waits until an instant, by the order of asking.
    pub(super) timers: BTreeMap<(Duration, u64), Waker>,
    pub(super) spawned: Vec<Task>,
    asked: u64,
}

/// What a task waits to do on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    Read,
    Write,
}

impl World {
    pub(super) fn new(session: String) -> World {
        World { session: session.into(), state: Arc::default() }
    }

    pub(super) fn session(&self) -> String {
        self.session.to_string()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn spawn(&self, task: Task) {
        self.lock().spawned.push(task);
    }

    /// Has a call made, and waits for what comes of it.
    pub(super) fn call<T, F>(&self, make: impl FnOnce(Service) -> F + Send + 'static) -> Pending<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Status>> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(Slot { result: None, waker: None }));
        let filled = Arc::clone(&slot);
        self.lock().orders.push_back(Box::new(move |calls| {
            let call = make(calls);
            Box::pin(async move {
                let result = call.await;
                let mut slot = filled.lock().unwrap_or_else(PoisonError::into_inner);
                slot.result = Some(result);
                if let Some(waker) = slot.waker.take() {
                    waker.wake();
                }
            })
        }));
        Pending(slot)
    }

    /// Waits until a socket is ready.
    pub(super) fn wait(&self, socket: u32, direction: Direction, context: &Context<'_>) {
        let mut state = self.lock();
        let waiting = state.sockets.entry((socket, direction)).or_default();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
    }

    /// Completes when a socket is ready.
    pub(super) async fn ready(&self, socket: u32, direction: Direction) {
        let mut waits = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waits, true) && !self.waits(socket, direction) {
                return Poll::Ready(());
            }
            self.wait(socket, direction, context);
            Poll::Pending
        })
        .await;
    }

    /// Closes a socket, without waiting for it. Whether it could be is of no interest any more.
    pub(super) fn close(&self, socket: u32) {
        let request = v1::CloseRequest { session: self.session(), socket, ..Default::default() };
        drop(self.call(|mut calls| async move { Ok(calls.close(request).await?.into_inner()) }));
    }

    /// Whether somebody waits until a socket is ready.
    pub(super) fn waits(&self, socket: u32, direction: Direction) -> bool {
        self.lock().sockets.contains_key(&(socket, direction))
    }

    /// If somebody waits until a socket is ready, waits on, in the name of this task.
    pub(super) fn waits_still(&self, socket: u32, direction: Direction, context: &Context<'_>) -> bool {
        let waits = self.waits(socket, direction);
        if waits {
            self.wait(socket, direction, context);
        }
        waits
    }

    /// Waits until an instant. The number identifies the wait.
    pub(super) fn wait_until(&self, time: Duration, number: Option<u64>, context: &Context<'_>) -> u64 {
        let mut state = self.lock();
        let number = number.unwrap_or_else(|| {
            state.asked += 1;
            state.asked
        });
        state.timers.insert((time, number), context.waker().clone());
        number
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("World").field(&self.session).finish()
    }
}

/// What will come of a call.
pub(super) struct Pending<T>(Arc<Mutex<Slot<T>>>);

struct Slot<T> {
    result: Option<Result<T, Status>>,
    waker: Option<Waker>,
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Status>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T, Status>> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match slot.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
