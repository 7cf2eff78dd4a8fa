//! Who may call: those who know the token.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use crate::status;

/// Health is told to everybody: who asks is a load balancer or an orchestrator.
const OPEN: &str = "/grpc.health.v1.Health/";

/// A word that callers of a server must know: `authorization: Bearer TOKEN`. Its Debug does not tell it.
#[derive(Clone)]
pub struct Token(Arc<str>);

/// Why a text can be no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It would open a server to everybody who sends nothing.
    #[error("the token is empty: give one, or leave it out (unset HALFOPEN_TOKEN) to have none")]
    Empty,
    /// It travels in a header.
    #[error(
        "a token is of visible ASCII characters, without spaces: `openssl rand -hex 32` makes a good one"
    )]
    NotAWord,
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Token, BadToken> {
        match text {
            "" => Err(BadToken::Empty),
            text if text.bytes().all(|octet| octet.is_ascii_graphic()) => Ok(Token(text.into())),
            _ => Err(BadToken::NotAWord),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// The header's value that shows it.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Whether somebody gave it. Takes as long for every text of its length, so that nobody finds it letter by letter.
    fn is(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }
}

/// Lets a call through that has the token, or needs none.
pub(crate) async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    let refused = match bearer(request.headers()) {
        _ if request.uri().path().starts_with(OPEN) => None,
        Some(given) if token.is(given) => None,
        Some(_) => Some(status::token_wrong()),
        None => Some(status::token_missing()),
    };
    match refused {
        None => next.run(request).await,
        Some(status) => {
            tracing::info!(path = request.uri().path(), "refused: {}", status.message());
            status.into_http::<Body>()
        }
    }
}

/// What a request gives as its token.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.as_bytes().split_at_checked("Bearer ".len())?;
    // Schemes are written in any case (RFC 9110 §11.1).
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{BadToken, Token, bearer};

    #[test]
    fn a_token_is_a_visible_word_and_not_told_by_debug() {
        for (text, expected) in [
            ("s3cret-token_~+/=.", None),
            ("", Some(BadToken::Empty)),
            ("two words", Some(BadToken::NotAWord)),
            ("line\n", Some(BadToken::NotAWord)),
            ("Schlüssel", Some(BadToken::NotAWord)),
        ] {
            assert_eq!(text.parse::<Token>().err(), expected, "{text:?}");
        }
        let token: Token = "s3cret".parse().expect("a word");
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.bearer(), "Bearer s3cret");
    }

    #[test]
    fn only_the_whole_token_is_it() {
        let token: Token = "s3cret".parse().expect("a word");
        for (given, expected) in
            [("s3cret", true), ("s3cre", false), ("s3crets", false), ("S3CRET", false), ("", false)]
        {
            assert_eq!(token.is(given.as_bytes()), expected, "{given:?}");
        }
    }

    #[test]
    fn the_header_is_a_scheme_and_a_token() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("Bearer ", Some("")),
            ("Bearer", None),
            ("Basic abc=", None),
            ("abc", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", HeaderValue::from_static(value));
            assert_eq!(bearer(&headers), expected.map(str::as_bytes), "{value:?}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
