//! What a client decides by chance: the same for the same seed.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// The randomness of one client.
pub(crate) struct Dice(Pcg64Mcg);

impl Dice {
    /// The dice of one of several clients.
    pub(crate) fn new(seed: u64, client: u64) -> Dice {
        Dice(Pcg64Mcg::seed_from_u64(seed.rotate_left(32) ^ client))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }

    /// One of these.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// Random bytes, at least one.
    pub(crate) fn bytes(&mut self, max: u64) -> Vec<u8> {
        let mut bytes = vec![0; 1 + self.below(max) as usize];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// The same bytes with some of them changed, cut off, or repeated.
    pub(crate) fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len().max(1) as u64) as usize;
            match self.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.extend_from_within(at..),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
        }
    }
}
