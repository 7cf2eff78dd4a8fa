//! The signals of the operating system, and the end of standard input. Each type catches its signals from its creation on.

use std::{io, thread};

use tokio::sync::oneshot;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end the service: SIGTERM and SIGINT.
pub(crate) struct Stops {
    #[cfg(unix)]
    terminate: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

/// The end of standard input: of a pipe from the parent process, it comes when that is gone, however it ended.
pub(crate) struct EndOfInput(oneshot::Receiver<()>);

impl EndOfInput {
    pub(crate) fn new() -> io::Result<EndOfInput> {
        let (ended, end) = oneshot::channel();
        // A read of standard input cannot be cancelled, so that it has a thread of its own.
        thread::Builder::new().name("stdin".into()).spawn(move || {
            // An input that cannot be read has ended, too.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = ended.send(());
        })?;
        Ok(EndOfInput(end))
    }

    pub(crate) async fn come(&mut self) {
        let _ = (&mut self.0).await;
    }
}

/// The signal that asks to read files again: SIGHUP. Elsewhere than on Unix there is none.
pub(crate) struct Hangups {
    #[cfg(unix)]
    hangup: Signal,
}

#[cfg(unix)]
impl Stops {
    pub(crate) fn new() -> io::Result<Stops> {
        Ok(Stops { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(unix)]
impl Hangups {
    pub(crate) fn new() -> io::Result<Hangups> {
        Ok(Hangups { hangup: signal(SignalKind::hangup())? })
    }

    pub(crate) async fn next(&mut self) {
        if self.hangup.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
impl Stops {
    pub(crate) fn new() -> io::Result<Stops> {
        Ok(Stops {})
    }

    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
impl Hangups {
    pub(crate) fn new() -> io::Result<Hangups> {
        Ok(Hangups {})
    }

    pub(crate) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}
