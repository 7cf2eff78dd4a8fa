//! Plays a drawing in time, for demonstrations.

use std::io::{self, Write};
use std::str::FromStr;
use std::time::Duration;

use super::Drawing;

/// The speed of virtual time: N times real time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace(f64);

/// A text that is not a pace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pace: write N times real time, as in 1x, 10x or 0.5x")]
pub struct PaceError(String);

impl FromStr for Pace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Pace, PaceError> {
        let wrong = || PaceError(text.to_owned());
        let number = text.trim().strip_suffix(['x', 'X']).unwrap_or(text.trim());
        let times: f64 = number.parse().map_err(|_| wrong())?;
        if times.is_finite() && times > 0.0 { Ok(Pace(times)) } else { Err(wrong()) }
    }
}

impl Pace {
    /// How long a stretch of virtual time takes in real time.
    fn takes(self, virtual_time: Duration) -> Duration {
        Duration::try_from_secs_f64(virtual_time.as_secs_f64() / self.0).unwrap_or(Duration::MAX)
    }
}

/// Writes a drawing, each row at its time; the clock starts with the first call of `wait`, which waits for the given
/// time. If it returns `false`, no more is written. Returns whether everything was.
///
/// # Errors
/// Those of `out`, which is flushed after each row.
pub fn play(
    out: &mut dyn Write,
    drawing: &Drawing<'_>,
    pace: Pace,
    wait: &mut dyn FnMut(Duration) -> bool,
) -> io::Result<bool> {
    out.write_all(drawing.heading().as_bytes())?;
    out.flush()?;
    let mut now = Duration::ZERO;
    for (time, row) in drawing.rows() {
        if !wait(pace.takes(time.saturating_sub(now))) {
            return Ok(false);
        }
        now = now.max(time);
        out.write_all(row.as_bytes())?;
        out.flush()?;
    }
    out.write_all(drawing.ending().as_bytes())?;
    Ok(true)
}
