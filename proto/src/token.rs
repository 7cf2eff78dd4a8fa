//! The token with which callers authenticate.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A secret that callers send with every call: `authorization: Bearer TOKEN`. `Debug` does not print it.
#[derive(Clone)]
pub struct Token(Arc<str>);

/// Why a text cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It would open a server to everybody who sends nothing.
    #[error("the token is empty: give one, or leave it out (unset HALFOPEN_TOKEN) to have none")]
    Empty,
    /// It travels in a header.
    #[error(
        "a token consists of visible ASCII characters, without spaces: `openssl rand -hex 32` makes a good one"
    )]
    NotVisible,
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Token, InvalidToken> {
        match text {
            "" => Err(InvalidToken::Empty),
            text if text.bytes().all(|octet| octet.is_ascii_graphic()) => Ok(Token(text.into())),
            _ => Err(InvalidToken::NotVisible),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// The value of the `authorization` header.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// The secret itself. Compare it in constant time.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidToken, Token};

    #[test]
    fn a_token_is_a_visible_word_that_debug_does_not_print() {
        for (text, expected) in [
            ("s3cret-token_~+/=.", None),
            ("", Some(InvalidToken::Empty)),
            ("two words", Some(InvalidToken::NotVisible)),
            ("line\n", Some(InvalidToken::NotVisible)),
            ("Schlüssel", Some(InvalidToken::NotVisible)),
        ] {
            assert_eq!(text.parse::<Token>().err(), expected, "{text:?}");
        }
        let token: Token = "s3cret".parse().expect("a visible word");
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.bearer(), "Bearer s3cret");
    }
}
