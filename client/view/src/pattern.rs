//! Finds what repeats in a sequence, whatever it is a sequence of.

/// The maximum number of rows of a pattern.
pub(crate) const LONGEST_PATTERN: usize = 8;
/// How often a pattern must occur to be folded.
const FEWEST_TIMES: usize = 4;
/// The minimum number of rows that are folded: fewer would take hardly more room.
const FEWEST_ROWS: usize = 3;

/// A pattern of rows that repeats.
pub(crate) struct Pattern {
    pub(crate) rows: usize,
    pub(crate) times: usize,
}

impl Pattern {
    /// The pattern that begins there and reaches furthest, if one is worth folding.
    pub(crate) fn at(shapes: &[u64], at: usize) -> Option<Pattern> {
        let rest = &shapes[at..];
        let patterns = (1..=LONGEST_PATTERN.min(rest.len())).filter_map(|rows| {
            let same = rest.iter().zip(&rest[rows..]).take_while(|(one, other)| one == other).count();
            let times = same / rows + 1;
            let worth = times >= FEWEST_TIMES && (times - 2) * rows >= FEWEST_ROWS;
            worth.then_some(Pattern { rows, times })
        });
        patterns.reduce(|best, other| if other.length() > best.length() { other } else { best })
    }

    /// Its number of rows, with all repetitions.
    pub(crate) fn length(&self) -> usize {
        self.rows * self.times
    }
}
