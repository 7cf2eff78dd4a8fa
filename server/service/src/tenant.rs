//! Tenants: those for whom a shared server works.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

/// The maximum length of a name: it is a label of metrics and a column of tables.
const MAX_NAME: usize = 63;

/// The tenant of a server without tenants, and of callers inside the process.
static DEFAULT: LazyLock<Tenant> = LazyLock::new(|| Tenant(Arc::from("default")));

/// The name of a tenant. What belongs to one does not exist for the others. The check of credentials puts it into the extensions
/// of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tenant(Arc<str>);

impl Tenant {
    /// The one tenant, if none are configured.
    pub(crate) fn only() -> &'static Tenant {
        &DEFAULT
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tenant {
    type Err = InvalidTenant;

    fn from_str(name: &str) -> Result<Tenant, InvalidTenant> {
        let fits = (1..=MAX_NAME).contains(&name.len());
        let is_plain =
            name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
        if fits && is_plain { Ok(Tenant(Arc::from(name))) } else { Err(InvalidTenant) }
    }
}

/// What is not the name of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to {MAX_NAME} of the characters a-z, 0-9, -, _ and .")]
pub(crate) struct InvalidTenant;
