//! The tables `tenants` and `issuers` of a file.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use halfopen_settings::{Refusal, did_you_mean};
use toml::de::DeValue;

use super::section::{Section, claims, count, duration, moment, parsed, role, text, texts};
use crate::tenant::{Principal, Quota, Role, Tenant, TenantName};
use crate::tenants::{CertificateRule, ClaimRule, Digest, Issued, Issuer, KeySource, Keys, Name, Roster};

/// By how much the clock of an issuer may differ, if nothing is said.
const LEEWAY: Duration = Duration::from_secs(30);
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// The tenants of a file, and their credentials.
pub(super) fn roster(root: &Section<'_>) -> Roster {
    let mut roster = Roster::default();
    let mut issuers: BTreeMap<String, Issuer> = BTreeMap::new();
    for (name, _, section) in root.named("issuers") {
        if let Some(issuer) = issuer(&section) {
            issuers.insert(name.to_owned(), issuer);
        }
        section.finish();
    }
    for (name, span, section) in root.named("tenants") {
        match name.parse::<TenantName>() {
            Ok(name) => {
                let tenant = Tenant::new(name, quota(&section));
                credentials(&section, &tenant, &mut roster, &mut issuers);
                roster.tenants.push(tenant);
            }
            Err(error) => section.file.wrong(&span, format!("`{name}` names no tenant: {error}"), None),
        }
        section.finish();
    }
    roster.issuers = issuers.into_values().collect();
    roster
}

fn quota(section: &Section<'_>) -> Quota {
    let number = |key| section.get(key, count).map(|(number, _)| number as usize);
    Quota {
        running: number("running"),
        waiting: number("waiting"),
        sessions: number("sessions"),
        calls_per_second: section
            .get("calls-per-second", count)
            .and_then(|(number, _)| NonZeroU32::new(number)),
    }
}

fn credentials(
    section: &Section<'_>,
    tenant: &Tenant,
    roster: &mut Roster,
    issuers: &mut BTreeMap<String, Issuer>,
) {
    let principal = |section: &Section<'_>| {
        let role = section.get("role", role).map_or(Role::Run, |(role, _)| role);
        Principal { tenant: tenant.clone(), role }
    };
    for (number, token) in (1..).zip(section.list("tokens")) {
        let name = token.get("name", text).map_or_else(|| number.to_string(), |(name, _)| name);
        let expires = token.get("expires", moment).map(|(expires, _)| expires);
        let principal = principal(&token);
        if let Some((digest, span)) = token.require("sha256", parsed::<Digest>)
            && roster.tokens.insert(digest, Issued { name, principal, expires }).is_some()
        {
            token.file.wrong(&span, "another token has this `sha256`: each has one entry", None);
        }
        token.finish();
    }
    for rule in section.list("certificates") {
        let principal = principal(&rule);
        if let Some(name) = certificate_name(&rule) {
            if roster.certificates.iter().any(|other| other.name == name) {
                rule.file.wrong(&rule.span, "another entry has the same name: each has one tenant", None);
            }
            roster.certificates.push(CertificateRule { name, principal });
        }
        rule.finish();
    }
    for rule in section.list("jwts") {
        let principal = principal(&rule);
        let claims = rule.require("claims", claims).map(|(claims, _)| claims);
        if let Some((name, span)) = rule.require("issuer", text) {
            match (issuers.get_mut(&name), claims) {
                (Some(issuer), Some(claims)) => issuer.rules.push(ClaimRule { claims, principal }),
                (Some(_), None) => {}
                (None, _) => {
                    let help = did_you_mean(&name, issuers.keys().map(String::as_str));
                    rule.file.wrong(&span, format!("there is no [issuers.{name}]"), help);
                }
            }
        }
        rule.finish();
    }
}

/// The one name that an entry of `certificates` has.
fn certificate_name(rule: &Section<'_>) -> Option<Name> {
    let text = |key| rule.get(key, text).map(|(text, _)| text);
    let names = [
        text("uri").map(Name::Uri),
        text("dns").as_deref().map(Name::dns),
        text("email").map(Name::Email),
        text("common-name").map(Name::Common),
    ];
    let mut names = names.into_iter().flatten();
    match (names.next(), names.next()) {
        (Some(name), None) => Some(name),
        _ => {
            rule.file.wrong(&rule.span, "write one of `uri`, `dns`, `email` and `common-name`", None);
            None
        }
    }
}

fn issuer(section: &Section<'_>) -> Option<Issuer> {
    let issuer = section.require("issuer", text).map(|(issuer, _)| issuer);
    let audiences = section.require("audience", texts).map(|(audiences, _)| audiences);
    let leeway = section.get("leeway", leeway).map_or(LEEWAY, |(leeway, _)| leeway);
    let folder = section.file.document.folder();
    let authorities = section.get("ca", text).map(|(file, _)| folder.join(file));
    let (source, span) = section.require("jwks", |value| source(value, folder))?;
    let source = match source {
        KeySource::Url(uri, _) => KeySource::Url(uri, authorities),
        KeySource::File(path) => KeySource::File(path),
    };
    match Keys::new(source) {
        Ok(keys) => {
            let (issuer, audiences, keys) = (issuer?, audiences?, Arc::new(keys));
            Some(Issuer { issuer, audiences, leeway, keys, rules: Vec::new() })
        }
        Err(error) => {
            section.file.wrong(&span, format!("`jwks` cannot be used: {error}"), None);
            None
        }
    }
}

fn leeway(value: &DeValue<'_>) -> Result<Duration, Refusal> {
    let leeway = duration(value)?;
    let too_long = || Refusal { reason: "is longer than 5min: set the clocks".to_owned(), help: None };
    if leeway <= MAX_LEEWAY { Ok(leeway) } else { Err(too_long()) }
}

/// A URL, or a file.
fn source(value: &DeValue<'_>, folder: &Path) -> Result<KeySource, Refusal> {
    let text = text(value)?;
    if !text.contains("://") {
        return Ok(KeySource::File(folder.join(text)));
    }
    let refused = |reason: &str| Refusal { reason: format!("cannot be `{text}`: {reason}"), help: None };
    let uri: Uri = text.parse().map_err(|_| refused("it is no URL"))?;
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => Ok(KeySource::Url(uri, None)),
        (Some("http"), Some(host)) if is_loopback(host) => Ok(KeySource::Url(uri, None)),
        (Some("http"), _) => {
            Err(refused("whoever can change it on the way could sign for everybody: use https"))
        }
        _ => Err(refused("write https://HOST/PATH, or a file")),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
