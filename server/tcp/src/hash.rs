//! Numbers that follow from addresses, and that nobody can compute without the host's secret.

use std::hash::Hasher as _;
use std::net::{IpAddr, SocketAddr};

use siphasher::sip::SipHasher24;

/// A keyed hash of both addresses and of what else it depends on (RFC 9293 §3.4.1, MUST-9; Linux, too, uses SipHash).
pub(crate) fn keyed_hash(secret: u64, addresses: [SocketAddr; 2], also: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(secret, 0);
    for address in addresses {
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        hasher.write(&ip.octets());
        hasher.write(&address.port().to_be_bytes());
    }
    hasher.write(also);
    hasher.finish()
}
