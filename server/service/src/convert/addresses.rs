//! Addresses as text.

use std::net::SocketAddr;

/// A cache of the texts of recent addresses: a run has few, and copying a text is cheaper than formatting it.
#[derive(Debug, Default)]
pub(super) struct AddressTexts {
    recent: Vec<(SocketAddr, String)>,
    oldest: usize,
}

impl AddressTexts {
    const KEPT: usize = 8;

    pub(super) fn text(&mut self, address: SocketAddr) -> String {
        if let Some((_, text)) = self.recent.iter().find(|(known, _)| *known == address) {
            return text.clone();
        }
        let text = address.to_string();
        if self.recent.len() < AddressTexts::KEPT {
            self.recent.push((address, text.clone()));
        } else {
            self.recent[self.oldest] = (address, text.clone());
            self.oldest = (self.oldest + 1) % AddressTexts::KEPT;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressTexts, SocketAddr};

    #[test]
    fn more_addresses_than_are_kept_still_have_the_right_texts() {
        let mut texts = AddressTexts::default();
        for round in 0..3 {
            for port in 0..2 * AddressTexts::KEPT as u16 + 1 {
                let address: SocketAddr = ([10, 0, 0, 1], port).into();
                assert_eq!(texts.text(address), format!("10.0.0.1:{port}"), "round {round}");
            }
        }
        assert_eq!(texts.recent.len(), AddressTexts::KEPT);
    }
}
