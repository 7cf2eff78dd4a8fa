//! The check of the credential that each call needs: a token, a JWT, or the certificate of its connection.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;
use tokio::time::sleep;
use tonic::{Code, Status};

use crate::access::Access;
use crate::clock::time_of_day;
use crate::port::Peer;
use crate::status;
use crate::tenant::{Principal, Role, Tenant};
use crate::tenants::{Digest, Subject, Tenants, needed};

/// Health checks need no credential: load balancers and orchestrators have none.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// How long a wrong token is not answered: who guesses waits.
const PAUSE_AFTER_GUESS: Duration = Duration::from_millis(500);

/// What lets calls in.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Of the token of the default tenant.
    token: Option<Digest>,
    tenants: Option<Tenants>,
}

impl Guard {
    /// What a port needs; `None` if everybody may call.
    pub(crate) fn of(access: &Access) -> Option<Guard> {
        let token = access.token.as_ref().map(|token| Digest::of(token.as_bytes()));
        let tenants = access.tenants.clone();
        (token.is_some() || tenants.is_some()).then_some(Guard { token, tenants })
    }

    /// Passes on a call of gRPC that may be made, and refuses any other.
    pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
        if request.uri().path().starts_with(HEALTH) {
            return next.run(request).await;
        }
        let role = needed(request.uri().path());
        match guard.admit(request, role).await {
            Ok(request) => next.run(request).await,
            Err(status) => status.into_http::<Body>(),
        }
    }

    /// Passes on a request of plain HTTP that may be made, and refuses any other. All of them concern the whole server.
    pub(crate) async fn check_http(State(guard): State<Guard>, request: Request, next: Next) -> Response {
        match guard.admit(request, Role::Admin).await {
            Ok(request) => next.run(request).await,
            Err(status) => {
                let message = format!("{}\n", status.message());
                match status.code() {
                    Code::PermissionDenied => (StatusCode::FORBIDDEN, message).into_response(),
                    Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, message).into_response(),
                    _ => (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], message).into_response(),
                }
            }
        }
    }

    /// The request, with whom it names; or why it is refused, once whoever guesses has waited.
    async fn admit(&self, mut request: Request, role: Role) -> Result<Request, Status> {
        let credential = Credential::of(&request);
        let named = self.identify(&credential, time_of_day()).await;
        match named.and_then(|named| permit(named, role, request.uri().path())) {
            Ok(None) => Ok(request),
            Ok(Some(principal)) => {
                request.extensions_mut().insert(principal);
                Ok(request)
            }
            Err(status) => {
                let peer = request.extensions().get().map(|Peer(address)| address.to_string());
                let peer = peer.unwrap_or_default();
                tracing::warn!(peer, path = request.uri().path(), "refused: {}", status.message());
                if status.code() == Code::Unauthenticated && credential.bearer.is_some() {
                    sleep(PAUSE_AFTER_GUESS).await;
                }
                Err(status)
            }
        }
    }

    /// Whom a credential names; nobody in particular, if the server has no tenants.
    async fn identify(
        &self,
        credential: &Credential,
        now: OffsetDateTime,
    ) -> Result<Option<Principal>, Status> {
        let Credential { bearer, certificate } = credential;
        if let (Some(token), Some(given)) = (&self.token, bearer)
            && *token == Digest::of(given)
        {
            let principal = Principal { tenant: Tenant::only().clone(), role: Role::Admin };
            return Ok(self.tenants.is_some().then_some(principal));
        }
        let roster = self.tenants.as_ref().map(Tenants::roster);
        match (roster, bearer, certificate) {
            (Some(roster), Some(token), _) => roster.bearer(token, now).await.map(Some),
            (Some(roster), None, Some(subject)) => roster.certificate(subject).map(Some),
            (None, Some(_), _) => Err(status::token_wrong()),
            (_, None, _) => Err(status::token_missing()),
        }
    }
}

/// Whether who is named may make a call now.
fn permit(named: Option<Principal>, needed: Role, path: &str) -> Result<Option<Principal>, Status> {
    let Some(principal) = named else { return Ok(None) };
    if principal.role < needed {
        return Err(status::role_missing(path, needed, principal.role));
    }
    principal.tenant.begin_call().map_err(|wait| status::too_many_calls(&principal.tenant, wait))?;
    Ok(Some(principal))
}

/// What a request brings to say whom it is from.
struct Credential {
    bearer: Option<Vec<u8>>,
    certificate: Option<Arc<Subject>>,
}

impl Credential {
    fn of(request: &Request) -> Credential {
        Credential {
            bearer: bearer(request.headers()).map(<[u8]>::to_vec),
            certificate: request.extensions().get().cloned(),
        }
    }
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

    use super::bearer;

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
