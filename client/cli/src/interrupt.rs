//! Ctrl-C and SIGTERM: what is finished is written, and then the program ends, whatever it does at the moment.

use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use crate::{exit, output};

/// How long the rest may take to be written.
const GRACE: Duration = Duration::from_millis(100);

/// The code that the program ends with once it is interrupted.
static CODE: AtomicU8 = AtomicU8::new(exit::INTERRUPTED);

/// Whether Ctrl-C was pressed, for who does not wait in the runtime.
static PRESSED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Hears of Ctrl-C and SIGTERM.
pub(crate) struct Interrupt {
    pressed: watch::Receiver<bool>,
}

impl Interrupt {
    /// From now on Ctrl-C ends the program [`GRACE`] later, if it has not ended by itself.
    pub(crate) async fn listen() -> Interrupt {
        static HEARD: OnceCell<watch::Receiver<bool>> = OnceCell::const_new();
        Interrupt { pressed: HEARD.get_or_init(|| async { heard() }).await.clone() }
    }

    /// Waits for Ctrl-C.
    pub(crate) async fn pressed(&mut self) {
        if self.pressed.wait_for(|pressed| *pressed).await.is_err() {
            pending::<()>().await;
        }
    }
}

/// Keeps the thread for so long, or until Ctrl-C. Whether the time is over.
pub(crate) fn sleep(time: Duration) -> bool {
    let (pressed, wakes) = &PRESSED;
    let Ok(pressed) = pressed.lock() else { return false };
    wakes.wait_timeout_while(pressed, time, |pressed| !*pressed).is_ok_and(|(pressed, _)| !*pressed)
}

/// Whether Ctrl-C was pressed.
pub(crate) fn was_pressed() -> bool {
    PRESSED.0.lock().is_ok_and(|pressed| *pressed)
}

/// What an interrupted program ends with.
pub(crate) fn code() -> u8 {
    CODE.load(Ordering::Relaxed)
}

/// To be interrupted is how this program ends: it is no failure.
pub(crate) fn is_the_end() {
    CODE.store(exit::PASSED, Ordering::Relaxed);
}

fn heard() -> watch::Receiver<bool> {
    let (press, pressed) = watch::channel(false);
    let signals = Signals::new();
    tokio::spawn(async move {
        if let Ok(mut signals) = signals {
            let code = signals.next().await;
            let _ = CODE.compare_exchange(exit::INTERRUPTED, code, Ordering::Relaxed, Ordering::Relaxed);
            if let Ok(mut pressed) = PRESSED.0.lock() {
                *pressed = true;
            }
            PRESSED.1.notify_all();
            let _ = press.send(true);
            // A thread of its own, because those of the runtime may be busy.
            thread::spawn(|| {
                thread::sleep(GRACE);
                crate::report::discard_unfinished();
                output::say("interrupted before everything was written");
                std::process::exit(self::code().into());
            });
        }
        // Without signals nobody presses; whoever waits goes on waiting.
        pending::<()>().await;
    });
    pressed
}

/// What interrupts, from when it is made.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one, and gives the code to end with.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => exit::INTERRUPTED,
            _ = self.terminate.recv() => exit::TERMINATED,
        }
    }
}

/// What interrupts, from when it is made.
#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    terminate: tokio::signal::windows::CtrlBreak,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::windows::{ctrl_break, ctrl_c};
        Ok(Signals { interrupt: ctrl_c()?, terminate: ctrl_break()? })
    }

    /// Waits for one, and gives the code to end with.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => exit::INTERRUPTED,
            _ = self.terminate.recv() => exit::TERMINATED,
        }
    }
}
