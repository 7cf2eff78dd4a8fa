//! Ctrl-C and SIGTERM: finished results are written, and then the program ends, whatever it is doing. A second signal
//! ends it at once.

use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use crate::{exit, output, unread};

/// How long the program may go on after that, and a write that nobody reads may take: somebody who reads takes a piece of
/// [`unread`] in that time.
const GRACE: Duration = Duration::from_millis(100);
/// After how many times [`GRACE`] a user who still waits learns why.
const PATIENCE: u32 = 10;

/// The code that the program ends with once it is interrupted.
static CODE: AtomicU8 = AtomicU8::new(exit::INTERRUPTED);

/// Whether results are written after Ctrl-C, however long it takes.
static WRITES_RESULTS: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C was pressed, for code that does not wait in the runtime.
static PRESSED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Receives Ctrl-C and SIGTERM.
pub(crate) struct Interrupt {
    pressed: watch::Receiver<bool>,
}

impl Interrupt {
    /// From now on Ctrl-C ends the program after [`GRACE`], unless it has ended by itself or [writes
    /// results](WritesResults).
    pub(crate) async fn listen() -> Interrupt {
        static SIGNALLED: OnceCell<watch::Receiver<bool>> = OnceCell::const_new();
        Interrupt { pressed: SIGNALLED.get_or_init(|| async { listen_for_signals() }).await.clone() }
    }

    /// Waits for Ctrl-C.
    pub(crate) async fn pressed(&mut self) {
        if self.pressed.wait_for(|pressed| *pressed).await.is_err() {
            pending::<()>().await;
        }
    }
}

/// Waits for the next Ctrl-C, for somebody at a prompt: it ends what is being done, and from now on never the program.
pub(crate) async fn pressed_at_prompt() {
    if tokio::signal::ctrl_c().await.is_err() {
        pending::<()>().await;
    }
}

/// Waits for SIGTERM.
pub(crate) async fn terminated() {
    match Signals::new() {
        Ok(mut signals) => while signals.next().await != exit::TERMINATED {},
        Err(_) => pending().await,
    }
}

/// Blocks the thread for a time, or until Ctrl-C. Returns whether the time has passed.
pub(crate) fn sleep(time: Duration) -> bool {
    let (pressed, wakes) = &PRESSED;
    let Ok(pressed) = pressed.lock() else { return false };
    wakes.wait_timeout_while(pressed, time, |pressed| !*pressed).is_ok_and(|(pressed, _)| !*pressed)
}

/// Whether Ctrl-C was pressed.
pub(crate) fn was_pressed() -> bool {
    PRESSED.0.lock().is_ok_and(|pressed| *pressed)
}

/// The exit code of an interrupted program.
pub(crate) fn code() -> u8 {
    CODE.load(Ordering::Relaxed)
}

/// Declares that an interrupt is how this command ends, and not a failure.
pub(crate) fn is_the_end() {
    CODE.store(exit::PASSED, Ordering::Relaxed);
}

/// While it lives, there are results that are written after an interrupt, however long it takes. Only if nobody reads
/// them, the program ends all the same.
pub(crate) struct WritesResults(());

impl WritesResults {
    pub(crate) fn begin() -> WritesResults {
        WRITES_RESULTS.store(true, Ordering::Relaxed);
        WritesResults(())
    }
}

impl Drop for WritesResults {
    fn drop(&mut self) {
        WRITES_RESULTS.store(false, Ordering::Relaxed);
    }
}

/// Waits as long as the program may go on after an interrupt.
fn wait_for_end() {
    let mut before = unread::writes();
    for waited in 1_u32.. {
        thread::sleep(GRACE);
        let now = unread::writes();
        let is_unread = now == before && now % 2 == 1;
        if is_unread || !WRITES_RESULTS.load(Ordering::Relaxed) {
            return;
        }
        before = now;
        if waited == PATIENCE {
            output::print("writing what is finished; Ctrl-C again ends at once");
        }
    }
}

/// Ends the program, and leaves no temporary files.
fn end() -> ! {
    crate::report::discard_unfinished();
    output::print("interrupted before everything was written");
    std::process::exit(code().into());
}

fn listen_for_signals() -> watch::Receiver<bool> {
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
                wait_for_end();
                end()
            });
            signals.next().await;
            end();
        }
        // Without signals nobody presses; whoever waits goes on waiting.
        pending::<()>().await;
    });
    pressed
}

/// The signals, from when this is created.
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

    /// Waits for one, and returns the exit code.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => exit::INTERRUPTED,
            _ = self.terminate.recv() => exit::TERMINATED,
        }
    }
}

/// The signals, from when this is created.
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

    /// Waits for one, and returns the exit code.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => exit::INTERRUPTED,
            _ = self.terminate.recv() => exit::TERMINATED,
        }
    }
}
