//! Addresses that do not stay with their hosts.

use std::net::IpAddr;

use super::HostId;

/// An address changes hands, or is lost. It does not happen if the host that is to lose the address does not have it, or the
/// one that is to get it has it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressMove {
    /// The address.
    pub address: IpAddr,
    /// The host that loses it; `None`: whichever has it.
    pub from: Option<HostId>,
    /// The host that gets it; `None`: the address is lost.
    pub to: Option<HostId>,
    /// Whether the network learns of it. Otherwise datagrams for the address still go to the host that had it.
    pub announced: bool,
}
