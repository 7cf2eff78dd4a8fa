//! The terminal as it was before somebody edited lines on it.

#[cfg(unix)]
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};

/// Leaves the terminal as it was, even if the program ends in the middle of a line.
pub(super) struct Terminal {
    #[cfg(unix)]
    before: Option<Termios>,
}

impl Terminal {
    pub(super) fn new() -> Terminal {
        Terminal {
            #[cfg(unix)]
            before: tcgetattr(std::io::stdin()).ok(),
        }
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that is gone needs it no more.
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, before);
        }
    }
}
