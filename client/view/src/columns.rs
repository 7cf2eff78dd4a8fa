//! Text in columns of a terminal: cut, padded, broken into lines.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text, or its beginning and `…` if it is wider than `width` columns.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut result = String::new();
    let mut taken = 0;
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if taken + columns >= width {
            break;
        }
        result.push(character);
        taken += columns;
    }
    if width > 0 {
        result.push('…');
    }
    result
}

/// The text in exactly `width` columns.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let fill = width.saturating_sub(text.width());
    text + &" ".repeat(fill)
}

/// The words of a text, which a line may break between: `1m 0.78s` is one.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut end = 0;
        loop {
            let word = text[end..].split(' ').next().unwrap_or_default();
            end += word.len();
            let next = text.get(end + 1..);
            let goes_on = next.is_some_and(|next| {
                word.trim_start_matches('(').starts_with(|first: char| first.is_ascii_digit())
                    && word.ends_with(['d', 'h', 'm'])
                    && next.starts_with(|first: char| first.is_ascii_digit())
            });
            if !goes_on {
                rest = next;
                return Some(&text[..end]);
            }
            end += 1;
        }
    })
}

/// Joins words into lines of at most `width` columns; a wider word has a line of its own.
pub fn wrap<'a>(words: impl IntoIterator<Item = &'a str>, width: usize) -> Vec<String> {
    let words: Vec<&str> = words.into_iter().collect();
    let widths = words.iter().map(|word| word.width());
    lines(widths, width).into_iter().map(|line| words[line].join(" ")).collect()
}

/// Which words are on which line of at most `width` columns, with a blank between two; a wider one has a line of its own.
pub(crate) fn lines(widths: impl IntoIterator<Item = usize>, width: usize) -> Vec<Range<usize>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut taken = 0;
    for (index, word) in widths.into_iter().enumerate() {
        match lines.last_mut() {
            Some(line) if taken + 1 + word <= width => {
                line.end = index + 1;
                taken += 1 + word;
            }
            _ => {
                lines.push(index..index + 1);
                taken = word;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_columns_that_there_are() {
        for (text, width, is_cut, is_padded) in [
            ("", 0, "", ""),
            ("abc", 0, "", ""),
            ("abc", 1, "…", "…"),
            ("abc", 2, "a…", "a…"),
            ("abc", 3, "abc", "abc"),
            ("abc", 5, "abc", "abc  "),
            ("日本語", 5, "日本…", "日本…"),
            ("日本語", 4, "日…", "日… "),
            ("日本語", 7, "日本語", "日本語 "),
        ] {
            assert_eq!(
                (cut(text, width).as_str(), padded(text, width).as_str()),
                (is_cut, is_padded),
                "{text} {width}"
            );
        }
    }

    #[test]
    fn a_time_is_one_word() {
        let split = |text: &'static str| words(text).collect::<Vec<_>>();
        assert_eq!(split("after 1m 0.78s of it"), ["after", "1m 0.78s", "of", "it"]);
        assert_eq!(split("(2h 3m 4s)"), ["(2h 3m 4s)"]);
        assert_eq!(split("2h 3m 4s, 7m"), ["2h 3m 4s,", "7m"]);
        assert_eq!(split("from 5 to 1m client"), ["from", "5", "to", "1m", "client"]);
    }

    #[test]
    fn lines_break_between_words_and_never_in_one() {
        let lines = |text: &str, width| wrap(words(text), width).join("|");
        assert_eq!(lines("one two three", 7), "one two|three");
        assert_eq!(lines("one two three", 2), "one|two|three");
        assert_eq!(lines("日本 語", 7), "日本 語");
        assert_eq!(lines("日本 語", 6), "日本|語");
        assert_eq!(lines("a  b", 2), "a |b", "blanks stay");
        assert_eq!(lines("", 2), "");
    }
}
