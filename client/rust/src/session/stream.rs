//! Connections as streams.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use halfopen_proto::v1;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::errno::{WOULD_BLOCK, check, failed};
use super::world::{Direction, Pending, World};

/// The number of bytes that one call sends at most.
const MOST_SENT: usize = 256 * 1024;

/// A connection. It closes when it is dropped.
pub struct Stream {
    world: World,
    socket: u32,
    local: String,
    peer: String,
    reading: Option<Pending<v1::ReceiveResponse>>,
    writing: Option<Pending<v1::SendResponse>>,
    shutting: Option<Pending<v1::ShutdownResponse>>,
    /// What was received and not read, and how much of it was.
    received: (Vec<u8>, usize),
    is_shut: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream {} from {} to {}", self.socket, self.local, self.peer)
    }
}

impl Stream {
    pub(super) fn new(world: World, socket: u32, local: String, peer: String) -> Stream {
        let (reading, writing, shutting) = (None, None, None);
        let received = (Vec::new(), 0);
        Stream { world, socket, local, peer, reading, writing, shutting, received, is_shut: false }
    }

    /// Its number in the session.
    pub fn socket(&self) -> u32 {
        self.socket
    }

    /// Its own end: `10.0.0.1:32768`.
    pub fn local_addr(&self) -> &str {
        &self.local
    }

    /// The other end.
    pub fn peer_addr(&self) -> &str {
        &self.peer
    }

    /// Sets options, as a keepalive.
    pub async fn set_options(&self, options: v1::SocketOptions) -> io::Result<()> {
        let request = v1::SetOptionsRequest {
            session: self.world.session(),
            socket: self.socket,
            options: Some(options),
            ..Default::default()
        };
        let call =
            self.world.call(|mut calls| async move { Ok(calls.set_options(request).await?.into_inner()) });
        call.await.map(|_| ()).map_err(|status| failed(&status))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let (received, read) = &mut self.received;
            if *read < received.len() {
                let taken = buffer.remaining().min(received.len() - *read);
                buffer.put_slice(&received[*read..*read + taken]);
                *read += taken;
                return Poll::Ready(Ok(()));
            }
            if buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if self.world.waits_still(self.socket, Direction::Read, context) {
                return Poll::Pending;
            }
            let (world, socket) = (self.world.clone(), self.socket);
            let reading = self.reading.get_or_insert_with(|| {
                let request = v1::ReceiveRequest { session: world.session(), socket, ..Default::default() };
                world.call(|mut calls| async move { Ok(calls.receive(request).await?.into_inner()) })
            });
            let response = ready!(Pin::new(reading).poll(context));
            self.reading = None;
            let response = response.map_err(|status| failed(&status))?;
            if response.error == WOULD_BLOCK {
                self.world.wait(self.socket, Direction::Read, context);
                return Poll::Pending;
            }
            check(&response.error)?;
            if response.end_of_stream {
                return Poll::Ready(Ok(()));
            }
            self.received = (response.data, 0);
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.world.waits_still(self.socket, Direction::Write, context) {
            return Poll::Pending;
        }
        let (world, socket) = (self.world.clone(), self.socket);
        let writing = self.writing.get_or_insert_with(|| {
            let data = buffer[..buffer.len().min(MOST_SENT)].to_vec();
            let request = v1::SendRequest { session: world.session(), socket, data, ..Default::default() };
            world.call(|mut calls| async move { Ok(calls.send(request).await?.into_inner()) })
        });
        let response = ready!(Pin::new(writing).poll(context));
        self.writing = None;
        let response = response.map_err(|status| failed(&status))?;
        if response.error == WOULD_BLOCK {
            self.world.wait(self.socket, Direction::Write, context);
            return Poll::Pending;
        }
        check(&response.error)?;
        Poll::Ready(Ok(usize::try_from(response.sent).unwrap_or(usize::MAX).min(buffer.len())))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was written is in the send buffer.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_shut {
            return Poll::Ready(Ok(()));
        }
        let (world, socket) = (self.world.clone(), self.socket);
        let shutting = self.shutting.get_or_insert_with(|| {
            let request =
                v1::ShutdownRequest { session: world.session(), socket, write: true, ..Default::default() };
            world.call(|mut calls| async move { Ok(calls.shutdown(request).await?.into_inner()) })
        });
        let response = ready!(Pin::new(shutting).poll(context));
        self.shutting = None;
        check(&response.map_err(|status| failed(&status))?.error)?;
        self.is_shut = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.world.close(self.socket);
    }
}
