//! Aligns the rows of two runs: in a window that moves, so that memory is bounded and time grows as the runs do.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::side::{Side, SideRow};

/// Rows of each run that are compared at once.
const WINDOW: usize = 512;

/// A row of each run that belong together, or a row that only one has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pair {
    Both(SideRow, SideRow),
    OnlyA(SideRow),
    OnlyB(SideRow),
}

/// Passes on all pairs in order.
pub(super) fn align(a: &mut Side<'_>, b: &mut Side<'_>, mut take: impl FnMut(Pair)) {
    loop {
        let ended = a.fill(WINDOW) & b.fill(WINDOW);
        let same = a.window.iter().zip(&b.window).take_while(|(a, b)| a.key == b.key).count();
        for (a, b) in a.window.drain(..same).zip(b.window.drain(..same)) {
            take(Pair::Both(a, b));
        }
        if a.window.is_empty() && b.window.is_empty() {
            if ended {
                return;
            }
            continue;
        }
        if same > 0 && !ended {
            continue;
        }
        different(a, b, ended, &mut take);
    }
}

/// Passes on the pairs of two windows that begin with a difference; not those after the last rows that agree, which
/// may find others in the next windows.
fn different(a: &mut Side<'_>, b: &mut Side<'_>, ended: bool, take: &mut impl FnMut(Pair)) {
    let keys = |side: &Side<'_>| side.window.iter().map(|row| row.key).collect::<Vec<u64>>();
    let mut steps = capture_diff_slices(Algorithm::Myers, &keys(a), &keys(b));
    if !ended && let Some(last) = steps.iter().rposition(|step| matches!(step, DiffOp::Equal { .. })) {
        steps.truncate(last + 1);
    }
    for step in steps {
        let (old, new) = (step.old_range().len(), step.new_range().len());
        let mut old = a.window.drain(..old);
        let mut new = b.window.drain(..new);
        loop {
            match (old.next(), new.next()) {
                (Some(a), Some(b)) => take(Pair::Both(a, b)),
                (Some(a), None) => take(Pair::OnlyA(a)),
                (None, Some(b)) => take(Pair::OnlyB(b)),
                (None, None) => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_proto::v1::{ConnectionError, Event, event::Kind};

    use super::*;

    /// A run of events that are distinguished by these letters.
    fn run(letters: &str) -> Vec<Event> {
        let event = |letter: char| Event {
            kind: Some(Kind::ConnectionError(ConnectionError { errno: letter.into() })),
            ..Event::default()
        };
        letters.chars().map(event).collect()
    }

    /// The pairs in letters: `a` where both have it, `-a` and `+a` where one has, `a/b` where they stand side by side.
    fn aligned(a: &str, b: &str) -> String {
        let (a, b) = (run(a), run(b));
        let mut all = Vec::new();
        let letter = |row: SideRow| match row.event.kind {
            Some(Kind::ConnectionError(error)) => error.errno,
            _ => unreachable!("there are only errors"),
        };
        align(&mut Side::new(&a, false), &mut Side::new(&b, false), |pair| {
            all.push(match pair {
                Pair::Both(a, b) if a.key == b.key => letter(a),
                Pair::Both(a, b) => format!("{}/{}", letter(a), letter(b)),
                Pair::OnlyA(row) => format!("-{}", letter(row)),
                Pair::OnlyB(row) => format!("+{}", letter(row)),
            });
        });
        all.join(" ")
    }

    #[test]
    fn rows_that_agree_stand_side_by_side() {
        for (a, b, expected) in [
            ("", "", ""),
            ("abc", "abc", "a b c"),
            ("abc", "", "-a -b -c"),
            ("", "ab", "+a +b"),
            ("abcd", "acd", "a -b c d"),
            ("acd", "abcd", "a +b c d"),
            ("abd", "acd", "a b/c d"),
        ] {
            assert_eq!(aligned(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn runs_that_are_longer_than_the_window_are_aligned_whole() {
        let long: String = ('a'..='z').cycle().take(10 * WINDOW).collect();
        assert_eq!(aligned(&long, &long).len(), 2 * long.len() - 1);
        let shifted = format!("!{long}");
        let pairs = aligned(&long, &shifted);
        assert!(pairs.starts_with("+! a b c"), "{}", &pairs[..20]);
        assert_eq!(pairs.split(' ').count(), shifted.len(), "the shift is found again in every window");
        // Nothing in common, and more of one than of the other.
        let (other, none) = ("1".repeat(3 * WINDOW + 7), aligned(&long, &"1".repeat(3 * WINDOW + 7)));
        let (pairs, only) = (none.matches('/').count(), none.matches('-').count());
        assert_eq!((pairs, pairs + only), (other.len(), long.len()));
    }
}
