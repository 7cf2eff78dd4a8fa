//! Ctrl-C: what is finished is written, and then the program ends, whatever it does at the moment.

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
    pub(crate) fn listen() -> Interrupt {
        let (press, pressed) = watch::channel(false);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _ = press.send(true);
                tokio::time::sleep(GRACE).await;
                std::process::exit(exit::INTERRUPTED.into());
            }
            // Without signals nobody presses; whoever waits goes on waiting.
            std::future::pending::<()>().await;
        });
        Interrupt { pressed }
    }

    /// Waits for Ctrl-C.
    pub(crate) async fn pressed(&mut self) {
        if self.pressed.wait_for(|pressed| *pressed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
