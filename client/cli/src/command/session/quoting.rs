//! Data as text: what `receive` shows, `send` takes.

use std::str::Chars;

/// Data in quotes: `"GET /\r\n\x00"`.
pub(super) fn quoted(data: &[u8]) -> String {
    format!("\"{}\"", data.escape_ascii())
}

/// The data of a text in quotes. An error says what to write.
pub(super) fn unquoted(text: &str) -> Result<Vec<u8>, String> {
    let mut rest = text.strip_prefix('"').unwrap_or(text).chars();
    let mut data = Vec::new();
    while let Some(next) = rest.next() {
        match next {
            '"' if rest.as_str().is_empty() => return Ok(data),
            '"' => {
                return Err(format!("`{}` stands behind the last quote: write `\\\"` within", rest.as_str()));
            }
            '\\' => data.push(escaped(&mut rest)?),
            other => data.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(format!("`{text}` has no quote at its end"))
}

/// The octet that an escape stands for, behind its backslash.
fn escaped(rest: &mut Chars<'_>) -> Result<u8, String> {
    let wrong = |escape: &str| format!("`\\{escape}` is none of \\n, \\r, \\t, \\0, \\\\, \\\", \\', \\x7f");
    let octet = match rest.next() {
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('0') => 0,
        Some('x') => {
            let digits: String = rest.by_ref().take(2).collect();
            let octet = u8::from_str_radix(&digits, 16).ok();
            // A sign is a number for the standard library.
            let is_hex = digits.len() == 2 && !digits.starts_with('+');
            octet.filter(|_| is_hex).ok_or_else(|| wrong(&format!("x{digits}")))?
        }
        Some(quote @ ('\\' | '"' | '\'')) => quote as u8,
        Some(other) => return Err(wrong(&other.to_string())),
        None => return Err(wrong("")),
    };
    Ok(octet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_sent() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unquoted(&quoted(&all)), Ok(all));
        assert_eq!(quoted(b"a \"b\"\r\n\x1b"), r#""a \"b\"\r\n\x1b""#);
    }

    #[test]
    fn quotes_are_read_with_escapes() {
        for (text, expected) in [
            (r#""""#, &b""[..]),
            (r#""GET /\r\n""#, b"GET /\r\n"),
            (r#""\x00\0\xFF\t\\\"\'""#, b"\0\0\xff\t\\\"'"),
            ("\"\u{e4}\"", "\u{e4}".as_bytes()),
        ] {
            assert_eq!(unquoted(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, expected) in [
            (r#""open"#, "`\"open` has no quote at its end"),
            (r#"""#, "`\"` has no quote at its end"),
            (r#""a" b"#, "` b` stands behind the last quote"),
            (r#""\q""#, "`\\q` is none of \\n, "),
            (r#""\"#, "`\\` is none of \\n, "),
            (r#""\x1""#, "`\\x1\"` is none of \\n, "),
            (r#""\x+1""#, "`\\x+1` is none of \\n, "),
        ] {
            let error = unquoted(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
