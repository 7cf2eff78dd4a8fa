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

/// A text without its numbers. A digit that ends a word stays: `FIN-WAIT-1`, `server2`.
fn without_numbers(text: &str) -> String {
    let mut before = ' ';
    let is_kept = |character: &char| {
        let kept = !character.is_ascii_digit() || before.is_alphabetic() || before == '-';
        if kept {
            before = *character;
        }
        kept
    };
    text.chars().filter(is_kept).collect()
}

/// Equal for rows that say the same but for numbers and times. Those that are hidden already are like no other.
fn shape(index: usize, row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    let words = |cell: &Cell| without_numbers(&cell.text);
    match row.mark {
        Mark::LeftOut | Mark::Repeated => (0, index).hash(&mut hasher),
        Mark::Same => (1, row.a.as_ref().map(words)).hash(&mut hasher),
        Mark::Different => {
            let fields: Vec<&str> = row.fields.iter().map(|field| field.what.as_str()).collect();
            (2, row.a.as_ref().map(words), row.b.as_ref().map(words), fields).hash(&mut hasher);
        }
        Mark::OnlyA => (3, row.a.as_ref().map(words)).hash(&mut hasher),
        Mark::OnlyB => (4, row.b.as_ref().map(words)).hash(&mut hasher),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::diff::Changed;

    fn different(text: &str, field: &str) -> Row {
        let cell =
            |text: &str| Some(Cell { event: 1, time: Duration::ZERO, connection: 1, text: text.to_owned() });
        let changed = Changed { what: field.to_owned(), a: "1".to_owned(), b: "2".to_owned() };
        Row {
            mark: Mark::Different,
            a: cell(text),
            b: cell(text),
            fields: vec![changed],
            left_out: None,
            period: None,
        }
    }

    #[test]
    fn rows_that_differ_in_more_than_numbers_are_not_repeats() {
        let alike = |a: (&str, &str), b: (&str, &str)| {
            shape(0, &different(a.0, a.1)) == shape(1, &different(b.0, b.1))
        };
        for (a, b, expected) in [
            (("ACK seq=1", "window"), ("ACK seq=1449", "window"), true),
            (("ACK seq=1", "window"), ("ACK seq=1449", "mss"), false),
            (("server1 sent", "window"), ("server2 sent", "window"), false),
            (("FIN-WAIT-1", "window"), ("FIN-WAIT-2", "window"), false),
            (("after 10 ms", "window"), ("after 20 ms", "window"), true),
        ] {
            assert_eq!(alike(a, b), expected, "{a:?} {b:?}");
        }
    }
}
