//! The check of the token that a server requires.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use halfopen_proto::Token;
use subtle::ConstantTimeEq;
use tokio::time::sleep;
use tonic::Status;

use crate::port::Peer;
use crate::status;

/// Health checks need no token: load balancers and orchestrators have none.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// How long a wrong token is not answered: who guesses waits.
const PAUSE_AFTER_GUESS: Duration = Duration::from_millis(500);

/// Passes on a call of gRPC that has the token or needs none, and refuses any other.
pub(crate) async fn check(State(token): State<Token>, request: Request, next: Next) -> Response {
    let needs_none = request.uri().path().starts_with(HEALTH);
    let Some((status, pause)) = refusal(&token, &request).filter(|_| !needs_none) else {
        return next.run(request).await;
    };
    log(&request, &status);
    sleep(pause).await;
    status.into_http::<Body>()
}

/// Passes on a request of plain HTTP that has the token, and refuses any other.
pub(crate) async fn check_http(State(token): State<Token>, request: Request, next: Next) -> Response {
    let Some((status, pause)) = refusal(&token, &request) else { return next.run(request).await };
    log(&request, &status);
    sleep(pause).await;
    let message = format!("{}\n", status.message());
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], message).into_response()
}

/// Why a request is refused, if it is, and how long it waits for that answer.
fn refusal(token: &Token, request: &Request) -> Option<(Status, Duration)> {
    match bearer(request.headers()) {
        Some(given) if matches(token, given) => None,
        Some(_) => Some((status::token_wrong(), PAUSE_AFTER_GUESS)),
        None => Some((status::token_missing(), Duration::ZERO)),
    }
}

fn log(request: &Request, status: &Status) {
    let peer = request.extensions().get().map(|Peer(address)| address.to_string()).unwrap_or_default();
    tracing::warn!(peer, path = request.uri().path(), "refused: {}", status.message());
}

/// Whether `given` is the token, compared in constant time, so that the token cannot be guessed byte by byte.
fn matches(token: &Token, given: &[u8]) -> bool {
    token.as_bytes().ct_eq(given).into()
}

/// The token of a request.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.as_bytes().split_at_checked("Bearer ".len())?;
    // The scheme is case-insensitive (RFC 9110 §11.1).
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{Token, bearer, matches};

    #[test]
    fn only_the_whole_token_matches() {
        let token: Token = "s3cret".parse().expect("a word");
        for (given, expected) in
            [("s3cret", true), ("s3cre", false), ("s3crets", false), ("S3CRET", false), ("", false)]
        {
            assert_eq!(matches(&token, given.as_bytes()), expected, "{given:?}");
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
