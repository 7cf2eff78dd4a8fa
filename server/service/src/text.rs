//! Texts that callers have written, where there is little room for them.

/// The text, cut off after this many bytes if it is longer.
pub(crate) fn shortened(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = (0..=max_bytes).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_ends_between_two_characters() {
        for (max_bytes, expected) in [(9, "häßlich"), (4, "hä…"), (3, "hä…"), (2, "h…"), (0, "…")]
        {
            assert_eq!(shortened("häßlich", max_bytes), expected, "{max_bytes}");
        }
    }
}
