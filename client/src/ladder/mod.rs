//! The ladder: two lifelines with their states, and what went between them, as text.

mod draw;
mod foresight;
mod phrases;
mod rows;

use crate::timeline::Timeline;

/// How a ladder is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderOptions {
    /// Columns of the terminal. Nothing is wider, unless the terminal is narrower than a ladder can be.
    pub width: usize,
    /// Whether timers have rows: when they are set, fire and are cancelled.
    pub timers: bool,
    /// How many rows there may be; of more, those in the middle are left out.
    pub rows: usize,
}

impl Default for LadderOptions {
    fn default() -> LadderOptions {
        LadderOptions { width: 100, timers: false, rows: 200 }
    }
}

/// Draws a run. The text has ANSI colours, for a stream that strips them where they are not wanted.
///
/// A segment is one row, in the order of sending: the sender's state when it was sent, the receiver's after it arrived.
/// Where that would put a later state above an earlier one, departure and arrival are a row each.
pub fn ladder(timeline: &Timeline, options: LadderOptions) -> String {
    let rows = rows::shortened(rows::rows(timeline, options.timers), options.rows);
    draw::draw(timeline, &rows, options.width)
}
