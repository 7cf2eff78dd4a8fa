//! The frames of a capture: no link layer is simulated, but tcptrace and others read nothing without one.

/// The length of a header.
pub(super) const HEADER: usize = 14;

/// A header, as if all hosts were on one Ethernet link, for an IP datagram. The hardware addresses are locally
/// administered and made from the IP addresses: `02:00:0a:00:00:01` is 10.0.0.1, and `02:06:` precedes the last four
/// bytes of an IPv6 address.
pub(super) fn header(datagram: &[u8]) -> [u8; HEADER] {
    let is_v6 = datagram.first().is_some_and(|octet| octet >> 4 == 6);
    // Where the last four bytes of the source and of the destination are.
    let (source, destination, family, kind) =
        if is_v6 { (20, 36, 0x06, [0x86, 0xdd]) } else { (12, 16, 0x00, [0x08, 0x00]) };
    let mut header = [0; HEADER];
    for (place, address) in [(0, destination), (6, source)] {
        header[place] = 0x02;
        header[place + 1] = family;
        if let Some(octets) = datagram.get(address..address + 4) {
            header[place + 2..place + 6].copy_from_slice(octets);
        }
    }
    header[HEADER - 2..].copy_from_slice(&kind);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_made_from_ip_addresses() {
        let mut v4 = [0; 20];
        v4[0] = 0x45;
        v4[12..].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        assert_eq!(header(&v4), [2, 0, 10, 0, 0, 2, 2, 0, 10, 0, 0, 1, 8, 0]);
        let mut v6 = [0; 40];
        v6[0] = 0x60;
        v6[20..24].copy_from_slice(&[0xa, 0xb, 0xc, 0xd]);
        v6[39] = 1;
        assert_eq!(header(&v6), [2, 6, 0, 0, 0, 1, 2, 6, 0xa, 0xb, 0xc, 0xd, 0x86, 0xdd]);
        assert_eq!(header(&[]), [2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 8, 0], "not a datagram");
    }
}
