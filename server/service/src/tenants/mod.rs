//! Who may call, as a file of the administrator says: tenants, and the credentials that name them.

mod certificate;
mod fetch;
mod jwt;
mod keys;
mod permission;
mod secret;
mod verifier;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use time::OffsetDateTime;
use tonic::Status;

pub(crate) use self::certificate::{CertificateRule, Name, Subject};
pub(crate) use self::jwt::{ClaimRule, Issuer};
pub(crate) use self::keys::{KeySource, Keys};
pub(crate) use self::permission::needed;
pub(crate) use self::secret::{Digest, new_secret};
use crate::status;
use crate::tenant::{Principal, Tenant};

/// The tenants of a server and their credentials. Clones share them, and see when they are replaced.
#[derive(Clone, Debug)]
pub struct Tenants(Arc<RwLock<Arc<Roster>>>);

impl Tenants {
    pub(crate) fn new(roster: Roster) -> Tenants {
        Tenants(Arc::new(RwLock::new(Arc::new(roster))))
    }

    /// Those of now. A call keeps those with which it began.
    pub(crate) fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A tenant with the quota that it has now. One that is no longer there stays as it was.
    pub(crate) fn current(&self, tenant: &Tenant) -> Tenant {
        self.roster().tenants.iter().find(|listed| *listed == tenant).unwrap_or(tenant).clone()
    }

    /// Replaces all of them at once.
    pub(crate) fn replace(&self, roster: Roster) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(roster);
    }
}

/// Tenants and their credentials, as a file lists them.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    pub(crate) tenants: Vec<Tenant>,
    /// By their digests. To find one takes time that depends on the digest of what was sent, of which nobody can choose the
    /// beginning without knowing a token.
    pub(crate) tokens: BTreeMap<Digest, Issued>,
    pub(crate) certificates: Vec<CertificateRule>,
    pub(crate) issuers: Vec<Issuer>,
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    /// What it is for; people see it.
    pub(crate) name: String,
    pub(crate) principal: Principal,
    pub(crate) expires: Option<OffsetDateTime>,
}

impl Issued {
    pub(crate) fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl Roster {
    /// Whom a bearer token names.
    pub(crate) async fn bearer(&self, token: &[u8], now: OffsetDateTime) -> Result<Principal, Status> {
        if let Some(issued) = self.tokens.get(&Digest::of(token)) {
            return match issued.expires.filter(|_| issued.has_expired(now)) {
                None => Ok(issued.principal.clone()),
                Some(expires) => Err(status::token_expired(&issued.name, expires)),
            };
        }
        match jwt::read(token) {
            Some(jwt) if !self.issuers.is_empty() => {
                let issuer = self.issuers.iter().find(|issuer| issuer.issued(&jwt));
                issuer
                    .ok_or_else(|| status::jwt_wrong("this server trusts no such issuer"))?
                    .verify(jwt)
                    .await
            }
            Some(_) | None => Err(status::token_wrong()),
        }
    }

    /// Whom the certificate of a connection names.
    pub(crate) fn certificate(&self, subject: &Subject) -> Result<Principal, Status> {
        let rule = self.certificates.iter().find(|rule| subject.has(&rule.name));
        rule.map(|rule| rule.principal.clone()).ok_or_else(status::certificate_of_nobody)
    }
}
