//! What the threads of the pool do, and for whom.

use std::fmt;
use std::net::IpAddr;

use crate::tenant::Tenant;
use crate::turn::Turn;

/// Who causes work. What the service has is shared fairly between callers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caller {
    /// This process.
    Process,
    /// A network address of a server without tenants.
    Address(IpAddr),
    /// A tenant, from whichever addresses it calls.
    Tenant(Tenant),
}

impl Caller {
    /// To whom belongs what it creates.
    pub(crate) fn tenant(&self) -> &Tenant {
        match self {
            Caller::Process | Caller::Address(_) => Tenant::only(),
            Caller::Tenant(tenant) => tenant,
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Process => f.write_str("this process"),
            Caller::Address(address) => address.fmt(f),
            Caller::Tenant(tenant) => tenant.fmt(f),
        }
    }
}

/// The kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// A run, the loading of its scenario included.
    Run,
    /// The validation of a scenario.
    Validation,
    /// The loading of a session's scenario.
    Session,
    /// The verdict of a session.
    Verdict,
    /// The rendering of a run, a session or a recording; a run is executed for it.
    Rendering,
}

impl Work {
    pub(crate) const ALL: [Work; 5] =
        [Work::Run, Work::Validation, Work::Session, Work::Verdict, Work::Rendering];
}

/// Work for a thread of the pool.
pub(crate) trait Task: Send {
    /// The kind of work that it is.
    fn work(&self) -> Work;

    /// Whether anybody still waits for the result.
    fn is_wanted(&self) -> bool;

    /// The size of its text, in bytes, while it waits.
    fn bytes(&self) -> usize;

    /// Does the work. It looks at its turn again and again, if it may take long.
    fn execute(self: Box<Self>, turn: &Turn);
}
