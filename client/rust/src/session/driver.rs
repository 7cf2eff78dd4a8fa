//! Makes the tasks of a session go on, and time move when all of them wait.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::stream::{FuturesUnordered, Stream as _};
use halfopen_proto::v1::advance_request::Limit;
use halfopen_proto::v1::session_condition::Condition;
use halfopen_proto::v1::{self, AdvanceStop};
use halfopen_view::words::{from_proto, limit_reached, to_proto};

use super::SessionError;
use super::calls::Service;
use super::world::{Direction, Task, World};
use crate::client::Client;

/// The tasks of a session.
pub(super) struct Driver {
    world: World,
    calls: Service,
    tasks: FuturesUnordered<Task>,
    /// The call under way. If `run` is dropped meanwhile, the next one goes on with it.
    calling: Option<Task>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").field("world", &self.world).field("tasks", &self.tasks.len()).finish()
    }
}

/// Whether anything wants to go on.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Driver {
    pub(super) fn new(world: World, calls: Service) -> Driver {
        Driver { world, calls, tasks: FuturesUnordered::new(), calling: None }
    }

    pub(super) fn world(&self) -> World {
        self.world.clone()
    }

    pub(super) fn calls(&mut self) -> &mut Service {
        &mut self.calls
    }

    /// Runs a future until it is done, with the tasks beside it.
    pub(super) async fn run<T>(
        &mut self,
        client: &Client,
        future: impl Future<Output = T>,
    ) -> Result<T, SessionError> {
        let mut future = pin!(future);
        loop {
            let done = self.go_on(future.as_mut());
            if let Some(done) = done {
                // What it asked for last is done, too: its streams close.
                while self.make_next_call().await {}
                return Ok(done);
            }
            if !self.make_next_call().await {
                self.advance(client).await?;
            }
        }
    }

    /// Lets everybody go on until all of them wait.
    fn go_on<T>(&mut self, mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        loop {
            self.tasks.extend(std::mem::take(&mut self.world.lock().spawned));
            if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return Some(done);
            }
            while let Poll::Ready(Some(())) = Pin::new(&mut self.tasks).poll_next(&mut context) {}
            let is_quiet = !woken.0.swap(false, Ordering::Relaxed) && self.world.lock().spawned.is_empty();
            if is_quiet {
                return None;
            }
        }
    }

    /// Makes the next call that a task has asked for; whether there was one.
    async fn make_next_call(&mut self) -> bool {
        if self.calling.is_none() {
            let order = self.world.lock().orders.pop_front();
            self.calling = order.map(|order| order(self.calls.clone()));
        }
        let Some(call) = &mut self.calling else { return false };
        call.await;
        self.calling = None;
        true
    }

    /// Moves time to the next instant at which somebody can go on.
    async fn advance(&mut self, client: &Client) -> Result<(), SessionError> {
        let (conditions, next) = {
            let state = self.world.lock();
            let condition = |(socket, direction): &(u32, Direction)| match direction {
                Direction::Read => Condition::Readable(*socket),
                Direction::Write => Condition::Writable(*socket),
            };
            let conditions = state.sockets.keys().map(condition);
            let conditions = conditions.map(|condition| v1::SessionCondition { condition: Some(condition) });
            (conditions.collect(), state.timers.keys().next().map(|(time, _)| *time))
        };
        let request = v1::AdvanceRequest {
            session: self.world.session(),
            conditions,
            limit: next.map(|time| Limit::Until(to_proto(time))),
            ..Default::default()
        };
        let response = self.calls.advance(request).await.map_err(|status| client.failed(status))?;
        let response = response.into_inner();
        let now = from_proto(response.time.as_ref());
        self.world.lock().now = now;
        match response.stop() {
            AdvanceStop::Condition | AdvanceStop::Time => self.wake(&response),
            AdvanceStop::Idle => return Err(SessionError::Stuck(self.waits())),
            AdvanceStop::End => return Err(over(now, "the scenario ends here")),
            AdvanceStop::Limit => return Err(over(now, &limit_reached(response.limit.as_ref()))),
            AdvanceStop::Unspecified => return Err(over(now, "the server is newer than this client")),
        }
        Ok(())
    }

    /// Wakes those who can go on.
    fn wake(&self, response: &v1::AdvanceResponse) {
        let mut state = self.world.lock();
        for ready in &response.ready {
            let readable = ready.readable || ready.gone;
            let writable = ready.writable || ready.gone;
            for (is_ready, direction) in [(readable, Direction::Read), (writable, Direction::Write)] {
                if is_ready && let Some(waiting) = state.sockets.remove(&(ready.socket, direction)) {
                    waiting.into_iter().for_each(Waker::wake);
                }
            }
        }
        let now = state.now;
        while let Some(timer) = state.timers.first_entry().filter(|timer| timer.key().0 <= now) {
            timer.remove().wake();
        }
    }

    /// What everybody waits for, in words.
    fn waits(&self) -> Vec<String> {
        let state = self.world.lock();
        let waits = state.sockets.keys().map(|(socket, direction)| match direction {
            Direction::Read => format!("socket {socket} to be readable"),
            Direction::Write => format!("socket {socket} to be writable"),
        });
        let waits: Vec<String> = waits.collect();
        if waits.is_empty() { vec!["something outside the session".to_owned()] } else { waits }
    }
}

fn over(time: std::time::Duration, reason: &str) -> SessionError {
    SessionError::Over { time, reason: reason.to_owned() }
}
