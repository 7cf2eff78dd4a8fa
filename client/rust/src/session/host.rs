//! What can be opened on a host.

use std::io;

use halfopen_proto::v1;

use super::errno::{IN_PROGRESS, WOULD_BLOCK, check, failed};
use super::stream::Stream;
use super::world::{Direction, World};

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
        Ok(Listener { world: self.world.clone(), socket: listening.socket, local: listening.local })
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
}

impl Listener {
    /// Where it listens.
    pub fn local_addr(&self) -> &str {
        &self.local
    }

    /// Waits for a connection and takes it.
    pub async fn accept(&self) -> io::Result<Stream> {
        loop {
            let (session, socket) = (self.world.session(), self.socket);
            let request = v1::AcceptRequest { session, socket, ..Default::default() };
            let call =
                self.world.call(|mut calls| async move { Ok(calls.accept(request).await?.into_inner()) });
            let accepted = call.await.map_err(|status| failed(&status))?;
            if accepted.error == WOULD_BLOCK {
                self.world.ready(self.socket, Direction::Read).await;
                continue;
            }
            check(&accepted.error)?;
            return Ok(Stream::new(self.world.clone(), accepted.socket, accepted.local, accepted.peer));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.world.close(self.socket);
    }
}
