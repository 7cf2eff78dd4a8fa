//! JWTs of OpenID Connect: what a system such as a CI says about who runs in it.

use std::sync::Arc;

use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, TokenData, Validation, decode};
use serde_json::{Map, Value};
use std::time::Duration;
use tonic::Status;

use super::keys::Keys;
use super::verifier;
use crate::status;
use crate::tenant::Principal;

/// The claims that every JWT must have.
const REQUIRED: [&str; 3] = ["exp", "iss", "aud"];

/// What signs JWTs that this server trusts.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    /// The value of `iss`.
    pub(crate) issuer: String,
    /// The values of `aud`, of which a JWT must have one.
    pub(crate) audiences: Vec<String>,
    /// By how much its clock may differ from that of this server.
    pub(crate) leeway: Duration,
    pub(crate) keys: Arc<Keys>,
    /// Whom its JWTs name. The first that matches counts.
    pub(crate) rules: Vec<ClaimRule>,
}

/// Whom a JWT with some claims names.
#[derive(Clone, Debug)]
pub(crate) struct ClaimRule {
    /// Claims, with the values of which each must have one.
    pub(crate) claims: Vec<(String, Vec<String>)>,
    pub(crate) principal: Principal,
}

/// A JWT of which nothing is checked.
pub(super) struct Jwt<'a> {
    text: &'a [u8],
    header: Header,
    issuer: String,
}

/// Reads a token as a JWT; `None` if it is none.
pub(super) fn read(text: &[u8]) -> Option<Jwt<'_>> {
    if text.iter().filter(|octet| **octet == b'.').count() != 2 {
        return None;
    }
    // Says which keys to check it with; then the issuer is checked, too.
    let TokenData { header, claims } = insecure_decode::<Map<String, Value>>(text).ok()?;
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Jwt { text, header, issuer })
}

impl Issuer {
    /// Whether a JWT says that it is from this issuer.
    pub(super) fn issued(&self, jwt: &Jwt<'_>) -> bool {
        jwt.issuer == self.issuer
    }

    /// Whom a JWT names, once its signature and what it says about itself are checked.
    pub(super) async fn verify(&self, jwt: Jwt<'_>) -> Result<Principal, Status> {
        *verifier::INSTALLED;
        let algorithm = jwt.header.alg;
        let key = self.keys.find(jwt.header.kid.as_deref(), algorithm).await;
        let key = key.ok_or_else(|| status::jwt_wrong("its issuer has no such key for its algorithm"))?;
        let mut validation = Validation::new(algorithm);
        validation.leeway = self.leeway.as_secs();
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&self.audiences);
        validation.set_required_spec_claims(&REQUIRED);
        let decoded = decode::<Map<String, Value>>(jwt.text, &key, &validation);
        let claims = decoded.map_err(|error| refusal(error.kind()))?.claims;
        let rule = self.rules.iter().find(|rule| rule.matches(&claims));
        rule.map(|rule| rule.principal.clone()).ok_or_else(status::jwt_of_nobody)
    }
}

fn refusal(error: &ErrorKind) -> Status {
    let reason = match error {
        ErrorKind::ExpiredSignature => return status::jwt_expired(),
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAudience => "its audience is not this server",
        ErrorKind::InvalidIssuer => "this server trusts no such issuer",
        ErrorKind::MissingRequiredClaim(claim) => return status::jwt_wrong(&format!("it has no `{claim}`")),
        _ => "it cannot be read",
    };
    status::jwt_wrong(reason)
}

impl ClaimRule {
    fn matches(&self, claims: &Map<String, Value>) -> bool {
        self.claims.iter().all(|(name, wanted)| {
            claims.get(name).is_some_and(|claim| wanted.iter().any(|wanted| has(claim, wanted)))
        })
    }
}

/// Whether a claim is a value, or a list with it.
fn has(claim: &Value, wanted: &str) -> bool {
    match claim {
        Value::String(text) => text == wanted,
        Value::Number(number) => number.to_string() == wanted,
        Value::Bool(truth) => truth.to_string() == wanted,
        Value::Array(values) => values.iter().any(|value| !value.is_array() && has(value, wanted)),
        Value::Null | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_a_value_or_a_list_with_it() {
        for (claim, expected) in [
            (json!("acme"), true),
            (json!(["globex", "acme"]), true),
            (json!("acme2"), false),
            (json!("Acme"), false),
            (json!([["acme"]]), false),
            (json!({"acme": true}), false),
            (json!(null), false),
        ] {
            assert_eq!(has(&claim, "acme"), expected, "{claim}");
        }
        assert!(has(&json!(true), "true") && has(&json!(7), "7") && !has(&json!(7), "07"));
    }
}
