//! What can be opened on a host.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use halfopen_proto::v1;
use tonic::Status;

use super::errno::{IN_PROGRESS, WOULD_BLOCK, check, failed};
use super::stream::Stream;
use super::world::{Direction, Pending, World};

/// A host of a session, whose application is the caller.
#[derive(Clone, Debug)]
pub struct Host {
    world: World,
    name: String,
}

impl Host {
    pub(super) fn new(world: World, name: &str) -> Host {
        Host { world, name: name.to_owned() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Listens on a port of every address; 0 is any port that is free.
    pub async fn listen(&self, port: u16) -> io::Result<Listener> {
        let request = v1::ListenRequest {
            session: self.world.session(),
            host: self.name.clone(),
            port: port.into(),
            ..Default::default()
        };
        let call = self.world.call(|mut calls| async move { Ok(calls.listen(request).await?.into_inner()) });
        let listening = call.await.map_err(|status| failed(&status))?;
        check(&listening.error)?;
        let (world, accepting) = (self.world.clone(), Mutex::default());
        Ok(Listener { world, socket: listening.socket, local: listening.local, accepting })
    }

    /// Connects: `server:80`, `10.0.0.2:80`.
    pub async fn connect(&self, to: &str) -> io::Result<Stream> {
        let request = v1::StartConnectRequest {
            session: self.world.session(),
            host: self.name.clone(),
            to: to.to_owned(),
            ..Default::default()
        };
        let call =
            self.world.call(|mut calls| async move { Ok(calls.start_connect(request).await?.into_inner()) });
        let started = call.await.map_err(|status| failed(&status))?;
        if started.error != IN_PROGRESS {
            check(&started.error)?;
        }
        let stream = Stream::new(self.world.clone(), started.socket, started.local, started.peer);
        let mut outcome = started.error;
        while outcome == IN_PROGRESS {
            self.world.ready(started.socket, Direction::Write).await;
            let (session, socket) = (self.world.session(), started.socket);
            let request = v1::FinishConnectRequest { session, socket, ..Default::default() };
            let call = self
                .world
                .call(|mut calls| async move { Ok(calls.finish_connect(request).await?.into_inner()) });
            outcome = call.await.map_err(|status| failed(&status))?.error;
        }
        check(&outcome).map(|()| stream)
    }
}

/// A listening socket. It closes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    world: World,
    socket: u32,
    local: String,
    /// A call that nobody has waited for to the end: what it brings goes to the next.
    accepting: Mutex<Option<Pending<v1::AcceptResponse>>>,
}

impl Listener {
    /// Where it listens.
    pub fn local_addr(&self) -> &str {
        &self.local
    }

    /// Waits for a connection and takes it.
    pub async fn accept(&self) -> io::Result<Stream> {
        loop {
            let accepted =
                poll_fn(|context| self.poll_accepting(context)).await.map_err(|status| failed(&status))?;
            if accepted.error == WOULD_BLOCK {
                self.world.ready(self.socket, Direction::Read).await;
                continue;
            }
            check(&accepted.error)?;
            return Ok(Stream::new(self.world.clone(), accepted.socket, accepted.local, accepted.peer));
        }
    }
}

impl Listener {
    /// Goes on with the call that accepts, or makes one.
    fn poll_accepting(&self, context: &mut Context<'_>) -> Poll<Result<v1::AcceptResponse, Status>> {
        let mut accepting = self.accepting.lock().unwrap_or_else(PoisonError::into_inner);
        let call = accepting.get_or_insert_with(|| {
            let (session, socket) = (self.world.session(), self.socket);
            let request = v1::AcceptRequest { session, socket, ..Default::default() };
            self.world.call(|mut calls| async move { Ok(calls.accept(request).await?.into_inner()) })
        });
        let accepted = ready!(Pin::new(call).poll(context));
        *accepting = None;
        Poll::Ready(accepted)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.world.close(self.socket);
    }
}
