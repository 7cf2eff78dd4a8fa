//! Who may call: those who know the token.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use halfopen_proto::Token;
use subtle::ConstantTimeEq;

use crate::status;

/// Health is told to everybody: who asks is a load balancer or an orchestrator.
const OPEN: &str = "/grpc.health.v1.Health/";

/// Lets a call through that has the token, or needs none.
pub(crate) async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    let refused = match bearer(request.headers()) {
        _ if request.uri().path().starts_with(OPEN) => None,
        Some(given) if is(&token, given) => None,
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

/// Whether a caller gave the token. Takes as long for every text of its length, so that nobody finds it letter by letter.
fn is(token: &Token, given: &[u8]) -> bool {
    token.as_bytes().ct_eq(given).into()
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

    use super::{Token, bearer, is};

    #[test]
    fn only_the_whole_token_is_it() {
        let token: Token = "s3cret".parse().expect("a word");
        for (given, expected) in
            [("s3cret", true), ("s3cre", false), ("s3crets", false), ("S3CRET", false), ("", false)]
        {
            assert_eq!(is(&token, given.as_bytes()), expected, "{given:?}");
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
