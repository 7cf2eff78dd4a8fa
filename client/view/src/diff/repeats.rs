//! Folds rows that repeat: they say the same but for numbers and times.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Cell, Mark, Row};
use crate::pattern::Pattern;

/// The rows with a row in place of all repetitions but the first and the last.
pub(super) fn fold(rows: Vec<Row>) -> Vec<Row> {
    let shapes: Vec<u64> = rows.iter().enumerate().map(|(index, row)| shape(index, row)).collect();
    let mut rows = rows.into_iter();
    let mut folded = Vec::with_capacity(rows.len());
    let mut at = 0;
    while at < shapes.len() {
        let Some(pattern) = Pattern::at(&shapes, at) else {
            folded.extend(rows.next());
            at += 1;
            continue;
        };
        folded.extend(rows.by_ref().take(pattern.rows));
        let hidden = rows.by_ref().take(pattern.length() - 2 * pattern.rows).count() as u64;
        folded.push(Row::hidden(Mark::Repeated, hidden, Some(pattern.rows as u64)));
        folded.extend(rows.by_ref().take(pattern.rows));
        at += pattern.length();
    }
    folded
}

/// Equal for rows that say the same but for numbers and times. Those that are hidden already are like no other.
fn shape(index: usize, row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    let words =
        |cell: &Cell| cell.text.chars().filter(|character| !character.is_ascii_digit()).collect::<String>();
    match row.mark {
        Mark::LeftOut | Mark::Repeated => (0, index).hash(&mut hasher),
        Mark::Same => (1, row.a.as_ref().map(words)).hash(&mut hasher),
        Mark::Different => (2, row.a.as_ref().map(words), row.b.as_ref().map(words)).hash(&mut hasher),
        Mark::OnlyA => (3, row.a.as_ref().map(words)).hash(&mut hasher),
        Mark::OnlyB => (4, row.b.as_ref().map(words)).hash(&mut hasher),
    }
    hasher.finish()
}
