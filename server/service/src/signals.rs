//! The signals of the operating system.

use std::io;

/// The signals that end the service.
#[cfg(unix)]
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

/// Calls `reload` for each SIGHUP.
#[cfg(unix)]
pub(crate) async fn on_hangup(reload: impl Fn()) -> io::Result<()> {
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    while hangup.recv().await.is_some() {
        reload();
    }
    Ok(())
}

#[cfg(unix)]
impl Signals {
    /// Listens for them from now on.
    pub(crate) fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next one that asks to stop.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The signals that end the service.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Listens for them from now on.
    pub(crate) fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    /// The next one that asks to stop.
    pub(crate) async fn stop(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// There is no SIGHUP.
#[cfg(not(unix))]
pub(crate) async fn on_hangup(_reload: impl Fn()) -> io::Result<()> {
    std::future::pending().await
}
