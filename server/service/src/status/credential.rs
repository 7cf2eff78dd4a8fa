//! The errors of calls that may not be made: no credential, a wrong one, or too little of a quota.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::info;
use crate::tenant::{Role, Tenant};

/// The call has no credential, and the server requires one.
pub(crate) fn token_missing() -> Status {
    let message = "this server requires a token: send `authorization: Bearer TOKEN` (in halfopen, set --token or HALFOPEN_TOKEN)";
    unauthenticated("TOKEN_MISSING", message)
}

/// The server does not know the token.
pub(crate) fn token_wrong() -> Status {
    unauthenticated("TOKEN_WRONG", "the token is wrong: use one that this server was set up with")
}

/// The token was right once.
pub(crate) fn token_expired(name: &str, expired: OffsetDateTime) -> Status {
    let when = expired.format(&Rfc3339).unwrap_or_default();
    let message = format!("the token `{name}` expired at {when}: ask whoever runs the server for another");
    unauthenticated("TOKEN_EXPIRED", &message)
}

/// The JWT was right once.
pub(crate) fn jwt_expired() -> Status {
    unauthenticated("TOKEN_EXPIRED", "the token (a JWT) has expired: ask its issuer for another")
}

/// The JWT is not one that this server accepts.
pub(crate) fn jwt_wrong(reason: &str) -> Status {
    unauthenticated("JWT_WRONG", &format!("the token (a JWT) is not accepted: {reason}"))
}

/// The JWT is right, and names no tenant.
pub(crate) fn jwt_of_nobody() -> Status {
    denied("TENANT_MISSING", "no tenant of this server has the claims of this token (a JWT)")
}

/// The certificate is right, and names no tenant.
pub(crate) fn certificate_of_nobody() -> Status {
    denied("TENANT_MISSING", "no tenant of this server has a name of this client's certificate")
}

/// The caller is known, and may not do that.
pub(crate) fn role_missing(path: &str, needed: Role, has: Role) -> Status {
    let method = path.rsplit('/').next().unwrap_or_default();
    let metadata = [("needed", needed.to_string()), ("role", has.to_string())];
    let message = format!("{method} needs the role `{needed}`, and this credential has the role `{has}`");
    Status::with_error_details(Code::PermissionDenied, message, info("ROLE_MISSING", metadata))
}

/// The tenant calls too often.
pub(crate) fn too_many_calls(tenant: &Tenant, retry: Duration) -> Status {
    let limit = tenant.quota().calls_per_second.map_or(0, u32::from);
    quota_exceeded(tenant, &format!("calls-per-second = {limit}"), retry)
}

/// The tenant has all that it may have of something.
pub(crate) fn quota_exceeded(tenant: &Tenant, quota: &str, retry: Duration) -> Status {
    let message = format!("the tenant {tenant} is at the limit of its quota {quota}");
    let mut details = info("QUOTA_EXCEEDED", [("tenant", tenant.to_string())]);
    details.add_quota_failure_violation(format!("tenant:{tenant}"), quota);
    details.set_retry_info(Some(retry));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

fn unauthenticated(reason: &str, message: &str) -> Status {
    Status::with_error_details(Code::Unauthenticated, message, info(reason, []))
}

fn denied(reason: &str, message: &str) -> Status {
    Status::with_error_details(Code::PermissionDenied, message, info(reason, []))
}
