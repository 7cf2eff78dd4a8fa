//! The bytes of a connection, with limits for a client that sends nothing or takes nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The first bytes of HTTP/2: the preface, and the header of the SETTINGS frame (RFC 9113 §3.4). Whoever has sent so many has
/// begun; then hyper keeps the time.
const OPENING: usize = 24 + 9;

/// A connection that fails with [`io::ErrorKind::TimedOut`] if the client does not begin, or reads nothing for too long.
pub(super) struct Wire<T> {
    connection: T,
    /// Until the client has sent [`OPENING`] bytes: how many are missing, and until when.
    opening: Option<(usize, Pin<Box<Sleep>>)>,
    /// How long the client may read nothing, and until when if nothing could be written last time.
    silence: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<T> Wire<T> {
    pub(super) fn new(connection: T, begin: Duration, silence: Duration) -> Wire<T> {
        Wire { connection, opening: Some((OPENING, Box::pin(sleep(begin)))), silence, stalled: None }
    }

    /// The result of an attempt to write.
    fn written<R>(&mut self, attempt: Poll<io::Result<R>>, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        if attempt.is_ready() {
            self.stalled = None;
            return attempt;
        }
        let silence = self.silence;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(silence)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing")))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let attempt = Pin::new(&mut self.connection).poll_read(context, buffer);
        let Some((missing, deadline)) = &mut self.opening else { return attempt };
        if attempt.is_ready() {
            *missing = missing.saturating_sub(buffer.filled().len() - before);
            if *missing == 0 {
                self.opening = None;
            }
            return attempt;
        }
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client sends no request")))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.written(attempt, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.connection).poll_write_vectored(context, slices);
        self.written(attempt, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.connection).poll_flush(context);
        self.written(attempt, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let attempt = Pin::new(&mut self.connection).poll_shutdown(context);
        self.written(attempt, context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;

    const BEGIN: Duration = Duration::from_secs(20);
    const SILENCE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_client_must_begin_in_time() {
        let (mut client, server) = duplex(64);
        let mut wire = Wire::new(server, BEGIN, SILENCE);
        let start = Instant::now();
        client.write_all(&[b'P'; OPENING - 1]).await.expect("it fits");
        let mut buffer = [0; 64];
        assert_eq!(wire.read(&mut buffer).await.expect("there is something"), OPENING - 1);
        let error = wire.read(&mut buffer).await.expect_err("too late");
        assert_eq!((error.kind(), start.elapsed()), (io::ErrorKind::TimedOut, BEGIN));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_has_begun_may_be_silent() {
        let (mut client, server) = duplex(64);
        let mut wire = Wire::new(server, BEGIN, SILENCE);
        client.write_all(&[b'P'; OPENING]).await.expect("it fits");
        let mut buffer = [0; 64];
        assert_eq!(wire.read(&mut buffer).await.expect("there is something"), OPENING);
        let waited = tokio::time::timeout(10 * BEGIN, wire.read(&mut buffer)).await;
        assert!(waited.is_err(), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_must_read_at_times() {
        let (mut client, server) = duplex(4);
        let mut wire = Wire::new(server, BEGIN, SILENCE);
        wire.write_all(b"full").await.expect("it fits");
        let start = Instant::now();
        let reads_late = async {
            sleep(SILENCE - Duration::from_secs(1)).await;
            client.read_exact(&mut [0; 4]).await.expect("there is something");
        };
        let (written, _) = tokio::join!(wire.write_all(b"more"), reads_late);
        written.expect("in time");
        let error = wire.write_all(b"last").await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed(), 2 * SILENCE - Duration::from_secs(1));
    }
}
