//! Ctrl-C: what is finished is written, and then the program ends, whatever it does at the moment.

use std::future::{Future as _, pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use crate::exit;

/// How long the rest may take to be written.
const GRACE: Duration = Duration::from_millis(150);

/// Hears of Ctrl-C.
pub(crate) struct Interrupt {
    pressed: watch::Receiver<bool>,
}

impl Interrupt {
    /// From now on Ctrl-C ends the program [`GRACE`] later, if it has not ended by itself.
    pub(crate) async fn listen() -> Interrupt {
        let (press, pressed) = watch::channel(false);
        let mut signal = Box::pin(tokio::signal::ctrl_c());
        // The first poll is what sets up the handler.
        let mut heard = poll_fn(|context| Poll::Ready(signal.as_mut().poll(context))).await;
        tokio::spawn(async move {
            if heard.is_pending() {
                heard = Poll::Ready(signal.await);
            }
            if matches!(heard, Poll::Ready(Ok(()))) {
                let _ = press.send(true);
                tokio::time::sleep(GRACE).await;
                std::process::exit(exit::INTERRUPTED.into());
            }
            // Without signals nobody presses; whoever waits goes on waiting.
            pending::<()>().await;
        });
        Interrupt { pressed }
    }

    /// Waits for Ctrl-C.
    pub(crate) async fn pressed(&mut self) {
        if self.pressed.wait_for(|pressed| *pressed).await.is_err() {
            pending::<()>().await;
        }
    }
}
