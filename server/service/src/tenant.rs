//! Tenants: those for whom a shared server works, and what each of them may have.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, RateLimiter};

/// The maximum length of a name: it is a label of metrics and a column of tables.
const MAX_NAME: usize = 63;

/// The tenant of a server without tenants, and of callers inside the process.
static DEFAULT: LazyLock<Tenant> =
    LazyLock::new(|| Tenant::new(TenantName("default".to_owned()), Quota::default()));

/// A tenant: a name, and what it may have. What belongs to one does not exist for the others. Tenants of the same name are the
/// same, whatever they may have.
#[derive(Clone, Debug)]
pub(crate) struct Tenant(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: TenantName,
    quota: Quota,
    calls: Option<DefaultDirectRateLimiter>,
}

/// What a tenant may have at the same time. What is not set has the limits that any caller has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Tasks in progress, of all kinds. Further ones wait.
    pub(crate) running: Option<usize>,
    /// Tasks that wait for a thread, of all kinds. Further ones are refused.
    pub(crate) waiting: Option<usize>,
    /// Sessions. Further ones are refused.
    pub(crate) sessions: Option<usize>,
    /// Calls that begin in a second. Further ones are refused.
    pub(crate) calls_per_second: Option<NonZeroU32>,
}

impl Tenant {
    /// A tenant with a quota, of which it has used nothing.
    pub(crate) fn new(name: TenantName, quota: Quota) -> Tenant {
        let calls =
            quota.calls_per_second.map(|calls| RateLimiter::direct(governor::Quota::per_second(calls)));
        Tenant(Arc::new(Inner { name, quota, calls }))
    }

    /// The one tenant, if none are configured.
    pub(crate) fn only() -> &'static Tenant {
        &DEFAULT
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name.0
    }

    pub(crate) fn quota(&self) -> &Quota {
        &self.0.quota
    }

    /// Counts a call. Fails with the time after which there is room for the next, if there were too many.
    pub(crate) fn begin_call(&self) -> Result<(), Duration> {
        let Some(calls) = &self.0.calls else { return Ok(()) };
        calls.check().map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }
}

impl PartialEq for Tenant {
    fn eq(&self, other: &Tenant) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Tenant {}

impl PartialOrd for Tenant {
    fn partial_cmp(&self, other: &Tenant) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Tenant {
    fn cmp(&self, other: &Tenant) -> Ordering {
        self.0.name.cmp(&other.0.name)
    }
}

impl Hash for Tenant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl FromStr for Tenant {
    type Err = InvalidTenant;

    /// A tenant by its name alone, without a quota.
    fn from_str(name: &str) -> Result<Tenant, InvalidTenant> {
        Ok(Tenant::new(name.parse()?, Quota::default()))
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TenantName(String);

impl FromStr for TenantName {
    type Err = InvalidTenant;

    fn from_str(name: &str) -> Result<TenantName, InvalidTenant> {
        let fits = (1..=MAX_NAME).contains(&name.len());
        let is_plain = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits && is_plain { Ok(TenantName(name.to_owned())) } else { Err(InvalidTenant) }
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is not the name of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to {MAX_NAME} of the characters a-z, 0-9, - and _")]
pub(crate) struct InvalidTenant;

/// What a caller may do. Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Role {
    /// See: validate, list, watch, render what there is
    Read,
    /// Also execute runs and play sessions
    Run,
    /// Also see what concerns all tenants: the metrics of the server
    Admin,
}

impl Role {
    pub(crate) const ALL: [Role; 3] = [Role::Read, Role::Run, Role::Admin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Run => "run",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whom the credential of a request names, in the extensions of the request. A request without one may do everything: it comes
/// from this process, or to a server without tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) tenant: Tenant,
    pub(crate) role: Role,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_plain_word() {
        let longest = "a".repeat(MAX_NAME);
        for (name, expected) in [
            ("acme", true),
            ("team-7_b", true),
            (longest.as_str(), true),
            (&format!("{longest}a"), false),
            ("", false),
            ("Acme", false),
            ("a.b", false),
            ("a b", false),
            ("a\n", false),
            ("é", false),
        ] {
            assert_eq!(name.parse::<TenantName>().is_ok(), expected, "{name:?}");
        }
    }

    #[test]
    fn calls_beyond_the_quota_wait_for_their_second() {
        let quota = Quota { calls_per_second: NonZeroU32::new(3), ..Quota::default() };
        let tenant = Tenant::new("acme".parse().expect("a name"), quota);
        for _ in 0..3 {
            assert_eq!(tenant.begin_call(), Ok(()));
        }
        let wait = tenant.begin_call().expect_err("a fourth at once");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        let unlimited: Tenant = "acme".parse().expect("a name");
        assert!((0..1000).all(|_| unlimited.begin_call().is_ok()));
        assert_eq!(tenant, unlimited, "the name decides");
    }
}
